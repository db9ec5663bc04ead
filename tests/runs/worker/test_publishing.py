"""A result is published whole, once, and with what it was made from."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from tests.runs.worker.place import RATIO, RUN, Place

from aforo.errors import InvalidManifest
from aforo.runs.manifest import Format, read_manifest
from aforo.runs.worker.job import RESULT, Evaluated
from aforo.runs.worker.publishing import Published

EVALUATED = Evaluated(row_count=3, nulls={"missing": 1}, passed_over=0)
AT = "2026-05-28T20:26:40+00:00"


def published(place: Place, folder: Path, content: bytes, attempt: int = 1) -> Published:
    folder.mkdir(exist_ok=True)
    (folder / RESULT).write_bytes(content)
    return place.shelves().of(place.request(attempt)).publish(folder, EVALUATED, AT, "w1")


def test_the_manifest_names_the_file_and_what_it_was_made_from(place: Place, tmp_path: Path) -> None:
    found = published(place, tmp_path, b"rows")
    assert found == Published(place.uri("results", f"{RUN}/1/manifest.json"), 3)
    digest = sha256(b"rows").hexdigest()
    name = f"result-{digest[:16]}.parquet"
    written = json.loads((place.folder / "results" / RUN / "1" / "manifest.json").read_bytes())
    assert written == {
        "format": "parquet",
        "date": "date",
        "files": [{"path": name, "rowCount": 3, "sha256": digest}],
        "rowCount": 3,
        "nulls": {"missing": 1},
        "passedOver": 0,
        "runId": RUN,
        "attempt": 1,
        "metricCode": "SALES_PER_VISIT",
        "expressionType": "ratio",
        "expressionJson": RATIO,
        "inputs": [
            {
                "datasetId": dataset,
                "updateId": str(number),
                "manifestUri": place.uri(dataset, "manifest.json"),
                "updatedAt": "2026-05-28T20:00:00Z",
            }
            for number, dataset in enumerate(("shop", "site"))
        ],
        "writtenAt": AT,
        "worker": "w1",
    }
    read = read_manifest(
        place.objects.under(place.results_of(RUN)), found.manifest_uri, most_bytes=9_999, most_files=1
    )
    assert (read.format, read.date) == (Format.PARQUET, "date")
    assert [(part.row_count, part.sha256) for part in read.parts] == [(3, digest)]


def test_an_attempt_has_one_result_and_never_anothers(place: Place, tmp_path: Path) -> None:
    shelf = place.shelves().of(place.request())
    assert shelf.published() is None
    first = published(place, tmp_path, b"first")
    written = (place.folder / "results" / RUN / "1" / "manifest.json").read_bytes()
    assert published(place, tmp_path, b"second") == first == shelf.published()
    assert (place.folder / "results" / RUN / "1" / "manifest.json").read_bytes() == written
    second = published(place, tmp_path, b"second", attempt=2)
    assert second.manifest_uri == place.uri("results", f"{RUN}/2/manifest.json")


def test_of_many_who_publish_one_attempt_all_tell_of_the_same_whole_result(
    place: Place, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: published(place, tmp_path / str(n), str(n).encode()), range(16)))
    folder = place.folder / "results" / RUN / "1"
    (told,) = json.loads((folder / "manifest.json").read_bytes())["files"]
    assert sha256((folder / told["path"]).read_bytes()).hexdigest() == told["sha256"]


def test_what_another_wrote_there_is_no_result(place: Place) -> None:
    folder = place.folder / "results" / RUN / "1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"rowCount": "three"}')
    with pytest.raises(InvalidManifest, match="is there already"):
        place.shelves().of(place.request()).published()
