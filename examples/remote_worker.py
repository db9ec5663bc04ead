"""A worker of ratios over CSV files that knows the messages, and nothing of Aforo; it needs boto3 alone.

REQUESTS is the URL of its queue, STARTED and COMPLETED are topics, and results of the metric lie below
RESULTS, as s3://bucket/folder/. With `--once` it ends after one look. Where one run takes longer than
`runs.lease_seconds`, a worker sends heartbeats too.
"""

import csv
import json
import os
import sys
from datetime import UTC, datetime

import boto3

sqs, sns, s3 = boto3.client("sqs"), boto3.client("sns"), boto3.resource("s3")


def file(uri):
    return s3.Object(*uri.removeprefix("s3://").split("/", 1))


def series(place):
    uri = place["manifestUri"]
    manifest, folder = json.load(file(uri).get()["Body"]), uri.rpartition("/")[0]
    texts = [file(f"{folder}/{each['path']}").get()["Body"].read().decode() for each in manifest["files"]]
    rows = [row for text in texts for row in csv.DictReader(text.splitlines())]
    return {row[manifest["date"]]: float(row[place["column"]]) for row in rows if row[place["column"]]}


def compute(run):
    read = {part: run["expressionJson"][part]["series"] for part in ("numerator", "denominator")}
    over, under = (series(run["catalog"][code]) for code in read.values())
    lines = [f"{day},{over[day] / under[day] if under.get(day) else ''}" for day in sorted(over)]
    folder = f"{os.environ['RESULTS']}{run['runId']}/{run['attempt']}"
    file(f"{folder}/result.csv").put(Body="\n".join(["date,value", *lines]))
    files = [{"path": "result.csv", "rowCount": len(lines)}]
    file(f"{folder}/manifest.json").put(Body=json.dumps({"format": "csv", "date": "date", "files": files}))
    return {"status": "SUCCEEDED", "manifest": f"{folder}/manifest.json", "rowCount": len(lines)}


def tell(topic, kind, run, **members):
    said = {"type": kind, "schemaVersion": 1, "runId": run["runId"], "attempt": run["attempt"], **members}
    sns.publish(TopicArn=os.environ[topic], Message=json.dumps(said))


def serve(run):
    began = datetime.now(UTC).isoformat()
    tell("STARTED", "MetricRunStartedEvent", run, startedAt=began, worker="remote")
    try:
        ended = compute(run)
    except Exception as error:
        ended = {"status": "FAILED", "error": {"code": "remote", "message": repr(error)}}
    ended["completedAt"] = datetime.now(UTC).isoformat()
    tell("COMPLETED", "MetricRunCompletedEvent", run, **ended)


while True:
    found = sqs.receive_message(QueueUrl=os.environ["REQUESTS"], WaitTimeSeconds=20)
    for message in found.get("Messages", ()):
        body = json.loads(message["Body"])
        serve(json.loads(body["Message"]) if "Message" in body else body)  # as a topic wraps it
        sqs.delete_message(QueueUrl=os.environ["REQUESTS"], ReceiptHandle=message["ReceiptHandle"])
    if "--once" in sys.argv:
        break
