"""A run whose datasets and results lie in S3, as one in a directory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
from tests.amazon import REGION
from tests.runs.worker.place import RUN, Place
from tests.runs.worker.yard import Yard

from aforo.objects.opening import Opener
from aforo.objects.s3 import s3_client
from aforo.runs.manifest import read_manifest
from aforo.store.channel import Channel
from aforo.store.connect import Store


class Bucket(Place):
    """The same datasets, carried into a bucket."""

    name: str

    def uri(self, dataset: str, path: str = "") -> str:
        return f"s3://{self.name}/{dataset}/{path}"


@pytest.fixture
def bucket(amazon: str, place: Place) -> Bucket:
    made = Bucket(place.folder, objects=Opener(region=REGION, endpoint_url=amazon))
    made.name = f"bucket-{uuid4()}"
    client = s3_client(REGION, amazon)
    client.create_bucket(Bucket=made.name)
    for path in place.folder.rglob("*.*"):
        client.put_object(Bucket=made.name, Key=str(path.relative_to(place.folder)), Body=path.read_bytes())
    return made


@pytest.fixture
def yard(bucket: Bucket, tmp_path: Path) -> Iterator[Yard]:
    store = Store(tmp_path)
    yield Yard(bucket, store)
    store.close()


def test_a_run_over_a_bucket(bucket: Bucket, yard: Yard) -> None:
    yard.ask(bucket.request())
    yard.worker().run_once()
    (completed,) = yard.said(Channel.METRIC_RUN_COMPLETED)
    assert completed.error is None
    assert completed.manifest == bucket.uri("results", f"{RUN}/1/manifest.json")
    kept = bucket.objects.under(bucket.results_of(RUN))
    (part,) = read_manifest(kept, completed.manifest, most_bytes=9_999, most_files=1).parts
    rows = pq.read_table(io.BytesIO(kept.read(part.uri, 99_999))).to_pylist()
    assert [row["value"] for row in rows] == [None, 2.0, None, None]
