"""The example of a worker that has nothing of Aforo: run as it is, over SNS, SQS and S3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import numpy as np
import pytest
from tests.amazon import REGION

from aforo.objects.opening import Opener
from aforo.runs.files.reading import FileHere, read_series
from aforo.runs.manifest import read_manifest
from aforo.runs.messages import (
    MetricRunCompletedEvent,
    MetricRunRequestEvent,
    MetricRunStartedEvent,
    Place,
    decode,
    encode,
)

EXAMPLE = Path(__file__).parents[3] / "examples" / "remote_worker.py"
RUN = "run_0123456789abcdef"


@dataclass(frozen=True)
class Account:
    """A queue, topics that are listened to, and a bucket with two datasets."""

    address: str
    queues: dict[str, str]
    topics: dict[str, str]
    bucket: str

    def client(self, service: str) -> Any:
        return boto3.client(service, REGION, endpoint_url=self.address)

    def uri(self, path: str) -> str:
        return f"s3://{self.bucket}/{path}"

    def work(self) -> None:
        """Runs the example for one look at its queue."""
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": self.address,
            "AWS_DEFAULT_REGION": REGION,
            **self.topics,
            "REQUESTS": self.queues["REQUESTS"],
            "RESULTS": self.uri("results/"),
        }
        subprocess.run([sys.executable, "-I", EXAMPLE, "--once"], env=environment, check=True, timeout=120)

    def said(self, name: str) -> list[bytes]:
        asked = self.client("sqs").receive_message(QueueUrl=self.queues[name], MaxNumberOfMessages=10)
        return [json.loads(each["Body"])["Message"].encode() for each in asked.get("Messages", ())]


@pytest.fixture
def account(amazon: str) -> Account:
    made = Account(amazon, {}, {}, f"bucket-{uuid4()}")
    sqs, sns, s3 = (made.client(service) for service in ("sqs", "sns", "s3"))
    for name in ("REQUESTS", "STARTED", "COMPLETED"):
        called = f"{name}-{uuid4().hex}"
        made.queues[name] = sqs.create_queue(QueueName=called)["QueueUrl"]
        made.topics[name] = sns.create_topic(Name=called)["TopicArn"]
        arn = sqs.get_queue_attributes(QueueUrl=made.queues[name], AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=made.topics[name], Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    s3.create_bucket(Bucket=made.bucket)
    manifest = {"format": "csv", "date": "day", "files": [{"path": "part.csv"}]}
    for dataset, rows in {"shop": "2026-01-01,6\n2026-01-02,8", "site": "2026-01-01,3\n2026-01-02,0"}.items():
        s3.put_object(Bucket=made.bucket, Key=f"{dataset}/part.csv", Body=f"day,amount\n{rows}\n".encode())
        s3.put_object(Bucket=made.bucket, Key=f"{dataset}/manifest.json", Body=json.dumps(manifest).encode())
    return made


def request(account: Account, **changed: Any) -> MetricRunRequestEvent:
    given: dict[str, Any] = {
        "run_id": RUN,
        "metric_code": "SALES_PER_VISIT",
        "expression_type": "ratio",
        "expression_json": {"numerator": {"series": "SALES"}, "denominator": {"series": "VISITS"}},
        "inputs": (),
        "catalog": {
            code: Place(
                dataset_id=dataset, manifest_uri=account.uri(f"{dataset}/manifest.json"), column="amount"
            )
            for code, dataset in (("SALES", "shop"), ("VISITS", "site"))
        },
        "attempt": 2,
        "requested_at": "2026-05-28T20:26:00Z",
    }
    return MetricRunRequestEvent(**(given | changed))


def ask(account: Account, asked: MetricRunRequestEvent) -> None:
    account.client("sns").publish(TopicArn=account.topics["REQUESTS"], Message=encode(asked).decode())


def test_the_messages_are_all_a_worker_needs(account: Account, tmp_path: Path) -> None:
    ask(account, request(account))
    account.work()
    (started,) = account.said("STARTED")
    assert decode(started, MetricRunStartedEvent).worker == "remote"
    (body,) = account.said("COMPLETED")
    completed = decode(body, MetricRunCompletedEvent)
    assert (completed.run_id, completed.attempt, completed.status) == (RUN, 2, "SUCCEEDED")
    assert completed.row_count == 2
    assert completed.manifest == account.uri(f"results/{RUN}/2/manifest.json")
    kept = Opener(region=REGION, endpoint_url=account.address).under(account.uri("results/"))
    manifest = read_manifest(kept, completed.manifest, most_bytes=9_999, most_files=1)
    (part,) = manifest.parts
    path = tmp_path / "copy"
    path.write_bytes(kept.read(part.uri, 9_999))
    files = [FileHere(path, part.uri, part.row_count)]
    found = read_series(files, manifest.format, manifest.date, {"R": "value"}, most_rows=9)["R"]
    assert [str(day) for day in found.dates] == ["2026-01-01", "2026-01-02"]
    np.testing.assert_array_equal(found.values, [2.0, np.nan])


def test_what_it_cannot_compute_it_says(account: Account) -> None:
    ask(account, request(account, expression_type="growth", expression_json={"of": {"series": "SALES"}}))
    account.work()
    (body,) = account.said("COMPLETED")
    completed = decode(body, MetricRunCompletedEvent)
    assert completed.status == "FAILED"
    assert completed.error is not None
    assert "numerator" in completed.error.message
