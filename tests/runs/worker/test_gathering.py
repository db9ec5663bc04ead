"""What a run reads is brought into one folder, within its bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from tests.runs.worker.place import Place

from aforo.errors import (
    AforoError,
    InvalidExpression,
    InvalidManifest,
    NoSuchObject,
    NotFound,
    ObjectTooLarge,
    OutsidePrefix,
    Stopping,
    TimeLimit,
    UnknownName,
)
from aforo.runs.manifest import Format
from aforo.runs.messages import MetricRunRequestEvent
from aforo.runs.messages import Place as Where
from aforo.runs.worker.course import Stage
from aforo.runs.worker.gathering import versions_of
from aforo.runs.worker.job import Copied, Source


def gathered(place: Place, request: MetricRunRequestEvent, folder: Path) -> tuple[Source, ...]:
    return place.gathering().gather(place.course(request), folder)


def moved(request: MetricRunRequestEvent, code: str, **to: str) -> MetricRunRequestEvent:
    """The request with one series elsewhere."""
    catalog = dict(request.catalog) | {code: msgspec.structs.replace(request.catalog[code], **to)}
    return msgspec.structs.replace(request, catalog=catalog)


def test_files_of_versions_are_copied(place: Place, tmp_path: Path) -> None:
    sources = gathered(place, place.request(), tmp_path)
    assert sources == tuple(
        Source(
            format=Format.CSV,
            date="day",
            columns={code: "amount"},
            files=(Copied(name=f"input-{number}", uri=place.uri(dataset, "part.csv"), row_count=3),),
        )
        for number, code, dataset in ((1, "SALES", "shop"), (2, "VISITS", "site"))
    )
    for number, dataset in ((1, "shop"), (2, "site")):
        written = place.folder / dataset / "part.csv"
        assert (tmp_path / f"input-{number}").read_bytes() == written.read_bytes()


def test_series_of_one_version_are_copied_once(place: Place, tmp_path: Path) -> None:
    asked = moved(
        place.request(),
        "VISITS",
        dataset_id="shop",
        manifest_uri=place.uri("shop", "manifest.json"),
        column="other",
    )
    (source,) = gathered(place, asked, tmp_path)
    assert source.columns == {"SALES": "amount", "VISITS": "other"}


def test_only_what_the_expression_reads_is_read(place: Place, tmp_path: Path) -> None:
    catalog = dict(place.request().catalog)
    catalog["NONE"] = Where(dataset_id="none", manifest_uri="file:///none/manifest.json", column="x")
    assert len(gathered(place, place.request(catalog=catalog), tmp_path)) == 2


def test_our_own_rollups_are_asked_for(place: Place, tmp_path: Path) -> None:
    version = "rollup:visits:shop@7"
    asked = moved(
        place.request(),
        "VISITS",
        dataset_id="rollup:visits:shop",
        manifest_uri=version,
        column="visits_total",
    )
    source = next(each for each in gathered(place, asked, tmp_path) if "VISITS" in each.columns)
    assert place.asked[-1] == ("rollup:visits:shop", version, "visits_total")
    (file,) = source.files
    assert (source.format, source.date, source.columns) == (Format.PARQUET, "date", {"VISITS": "value"})
    assert file.uri == f"{version}#visits_total"
    assert pq.read_table(tmp_path / file.name).column("value").to_pylist() == [10.0, None, 30.0]


def test_a_file_that_is_not_what_its_manifest_says_is_told(place: Place, tmp_path: Path) -> None:
    place.written("shop", {"2026-01-01": 1}, sha256="0" * 64)
    with pytest.raises(InvalidManifest, match="has the SHA-256"):
        gathered(place, place.request(), tmp_path)


def test_no_more_is_read_than_may_be(place: Place, tmp_path: Path) -> None:
    size = sum((place.folder / each / "part.csv").stat().st_size for each in ("shop", "site"))
    place.rules = replace(place.rules, max_bytes=size)
    gathered(place, place.request(), tmp_path)
    place.rules = replace(place.rules, max_bytes=size - 1)
    with pytest.raises(ObjectTooLarge):
        gathered(place, place.request(), tmp_path)
    place.rules = replace(place.rules, max_bytes=size, max_manifest_bytes=20)
    with pytest.raises(ObjectTooLarge, match="larger than the 20 bytes"):
        gathered(place, place.request(), tmp_path)


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ({"manifest_uri": "file:///etc/hosts.csv"}, OutsidePrefix),
        ({"dataset_id": "site"}, OutsidePrefix),  # one dataset's version below another's prefix
        ({"dataset_id": "none"}, NotFound),
    ],
)
def test_what_lies_elsewhere_is_not_read(
    place: Place, tmp_path: Path, to: dict[str, str], error: type[AforoError]
) -> None:
    with pytest.raises(error):
        gathered(place, moved(place.request(), "SALES", **to), tmp_path)
    assert list(tmp_path.iterdir()) == [place.folder]


def test_a_manifest_that_went_away_is_told(place: Place, tmp_path: Path) -> None:
    (place.folder / "site" / "manifest.json").unlink()
    with pytest.raises(NoSuchObject):
        gathered(place, place.request(), tmp_path)


def test_the_expression_is_looked_at_first(place: Place, tmp_path: Path) -> None:
    with pytest.raises(InvalidExpression):
        versions_of(place.request(expression_type="ration"))
    with pytest.raises(UnknownName, match="no series named 'SALES'"):
        versions_of(place.request(catalog={"SALE": place.request().catalog["SALES"]}))


def test_gathering_ends_when_its_time_is_over_or_the_worker_stops(place: Place, tmp_path: Path) -> None:
    course = place.course(place.request())
    place.clock.advance(place.rules.time_limit_seconds)
    with pytest.raises(TimeLimit):
        place.gathering().gather(course, tmp_path)
    with pytest.raises(Stopping):
        place.gathering().gather(place.course(place.request(), stopping=True), tmp_path)


def test_progress_rises_from_stage_to_stage(place: Place) -> None:
    course = place.course(place.request())
    seen = [course.progress]
    for stage in Stage:
        for share in (0.0, 0.5, 1.0):
            course.reached(stage, share)
            seen.append(course.progress)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
