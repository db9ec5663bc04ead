"""A cloud with all that runs want of it, and whoever makes datasets and reads results there."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import boto3
import pyarrow.parquet as pq
from tests.amazon import REGION
from tests.buses.clouds import Account, account

from aforo.settings import Aws

Numbers: TypeAlias = dict[str, float | None]


class Cloud:
    """A bucket, a topic with its queue, and the four queues that are listened to."""

    def __init__(self, endpoint_url: str) -> None:
        self.s3 = boto3.client("s3", region_name=REGION, endpoint_url=endpoint_url)
        self.sqs = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint_url)
        self.bucket = f"macro-{uuid4().hex}"
        self.s3.create_bucket(Bucket=self.bucket)
        made: Account = account(endpoint_url)
        queues = {
            name: made.queue(False) for name in ("requests", "started", "heartbeats", "completed", "updates")
        }
        buried = {name: made.queue(False) for name in queues}
        self.aws = Aws(
            region=REGION,
            endpoint_url=endpoint_url,
            requests_topic_arn=made.topic(queues["requests"], False, False),
            **{f"{name}_queue_url": url for name, url in queues.items()},
            **{f"{name}_dead_letter_url": url for name, url in buried.items()},
        )

    def uploaded(self, folder: Path) -> None:
        """Puts every file of a folder into the bucket, below `data/`."""
        for path in folder.rglob("*"):
            if path.is_file():
                key = f"data/{path.relative_to(folder).as_posix()}"
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=path.read_bytes())

    def tell(self, dataset: str, updated_at: str) -> None:
        """What whoever makes a dataset sends, with nothing of ours."""
        event = {
            "type": "ProjectionUpdateEvent",
            "schemaVersion": 1,
            "datasetId": dataset,
            "versionManifest": f"s3://{self.bucket}/data/{dataset}/manifest.json",
            "updatedAt": updated_at,
        }
        self.sqs.send_message(QueueUrl=self.aws.updates_queue_url, MessageBody=json.dumps(event))

    def numbers(self, manifest_uri: str) -> Numbers:
        """A result, as anybody reads it."""
        at = manifest_uri.removeprefix(f"s3://{self.bucket}/")
        manifest = json.loads(self.s3.get_object(Bucket=self.bucket, Key=at)["Body"].read())
        found: Numbers = {}
        for file in manifest["files"]:
            key = f"{at.rpartition('/')[0]}/{file['path']}"
            table = pq.read_table(io.BytesIO(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()))
            found |= dict(zip(map(str, table["date"].to_pylist()), table["value"].to_pylist(), strict=True))
        return found
