"""A right file becomes the model it says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from aforo.errors import InvalidModel, UnknownName
from aforo.model.condition import Condition, Op
from aforo.model.field import DEFAULT_MAX_LENGTH, Field, FieldType
from aforo.model.formula import Arithmetic, Binary, Number, Ref
from aforo.model.measure import Measure, MeasureKind
from aforo.model.metric import Format, Metric
from aforo.model.model import Model
from aforo.model.reading import LARGEST_FILE_BYTES, read_file, read_model
from aforo.model.rollup import Rollup, RollupGrain
from aforo.model.stream import Entity, Extra, Stream
from aforo.model.tenant import Tenant

WRITTEN = """
tenants:
  here: {timezone: Asia/Kathmandu, week_start: sunday}
  there: {}
streams:
  visits:
    description: |
      One visit,
      whole
    id: [page]
    extra: drop
    fields:
      page: {type: string, required: true, max_length: 40, description: Where}
      no: boolean
      spent: {type: number, unit: seconds, minimum: 0, maximum: 86400.5, scale: 3}
      "on": {type: timestamp}
      rank: {type: integer, minimum: -5}
      visitor: string
    entities: {person: visitor}
    measures:
      count: count
      yes: {count: true, where: 'no = false and rank in (1, 2)'}
      spent_sum: {sum: spent}
      least: {minimum: rank}
      most: {maximum: rank}
      people: {distinct: person, where: visitor is not null}
      times: {histogram: spent}
    rollups:
      all: {by: []}
      page: {by: [page, no], grain: day, measures: [people, count]}
metrics:
  mean: {formula: spent_sum / count * 2, unit: seconds, format: duration, owner: web, description: Mean}
  most: {formula: most, stream: visits}
"""


def read(text: str) -> Model:
    return read_model(text, source="visits.yaml")


def test_everything_that_can_be_said() -> None:
    model = read(WRITTEN)
    no_and_rank = (Condition("no", Op.EQ, False), Condition("rank", Op.IN, (1, 2)))
    measures = [
        Measure(name="count", kind=MeasureKind.COUNT),
        Measure(name="yes", kind=MeasureKind.COUNT, where=no_and_rank),
        Measure(name="spent_sum", kind=MeasureKind.SUM, field="spent"),
        Measure(name="least", kind=MeasureKind.MINIMUM, field="rank"),
        Measure(name="most", kind=MeasureKind.MAXIMUM, field="rank"),
        Measure(
            name="people",
            kind=MeasureKind.DISTINCT,
            field="visitor",
            entity="person",
            where=(Condition("visitor", Op.NOT_NULL),),
        ),
        Measure(name="times", kind=MeasureKind.HISTOGRAM, field="spent"),
    ]
    fields = [
        Field(name="page", type=FieldType.STRING, required=True, max_length=40, description="Where"),
        Field(name="no", type=FieldType.BOOLEAN),
        Field(name="spent", type=FieldType.NUMBER, unit="seconds", minimum=0, maximum=86400.5, scale=3),
        Field(name="on", type=FieldType.TIMESTAMP),
        Field(name="rank", type=FieldType.INTEGER, minimum=-5),
        Field(name="visitor", type=FieldType.STRING),
    ]
    everything = tuple(measure.name for measure in measures)
    visits = Stream(
        name="visits",
        description="One visit,\nwhole\n",
        fields={field.name: field for field in fields},
        id=("page",),
        extra=Extra.DROP,
        entities={"person": Entity(name="person", field="visitor")},
        measures={measure.name: measure for measure in measures},
        rollups={
            "all": Rollup(name="all", dimensions=(), measures=everything),
            "page": Rollup(
                name="page",
                dimensions=("page", "no"),
                grain=RollupGrain.DAY,
                measures=("people", "count"),
            ),
        },
    )
    assert model.streams == {"visits": visits}
    assert list(model.streams["visits"].measures) == list(everything)
    assert model.streams["visits"].dimensions() == ("page", "no")
    assert model.tenants == {
        "here": Tenant(name="here", timezone="Asia/Kathmandu", week_start="sunday"),
        "there": Tenant(name="there", timezone="UTC", week_start="monday"),
    }
    quotient = Binary(Arithmetic.DIVIDE, Ref("spent_sum"), Ref("count"))
    assert model.metrics["mean"] == Metric(
        name="mean",
        stream="visits",
        formula=Binary(Arithmetic.MULTIPLY, quotient, Number(Fraction(2))),
        text="spent_sum / count * 2",
        unit="seconds",
        format=Format.DURATION,
        owner="web",
        description="Mean",
        measures=("spent_sum", "count"),
    )


def test_what_is_not_said() -> None:
    string, number, integer = (
        Field(name="f", type=FieldType(kind)) for kind in ("string", "number", "integer")
    )
    assert (string.max_length, string.scale) == (DEFAULT_MAX_LENGTH, 0)
    assert (number.max_length, number.scale) == (None, 6)
    assert (integer.max_length, integer.scale) == (None, 0)
    assert read("streams: {}") == Model(streams={}, metrics={}, tenants={})


def test_names_that_do_not_exist() -> None:
    model = read(WRITTEN)
    stream = model.stream("visits")
    assert stream.field("page").name == stream.measure("count").name.replace("count", "page")
    assert model.metric("mean").stream == "visits"
    assert model.tenant("here").name == "here"
    for ask, name, hint in (
        (model.stream, "visit", "did you mean 'visits'?"),
        (model.metric, "meen", "did you mean 'mean'?"),
        (model.tenant, "her", "did you mean 'here'?"),
        (stream.field, "pages", "did you mean 'page'?"),
        (stream.measure, "peeple", "did you mean 'people'?"),
    ):
        with pytest.raises(UnknownName) as raised:
            ask(name)
        assert raised.value.hint == hint


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line_ends_and_byte_order_mark(ends: str) -> None:
    content = b"\xef\xbb\xbf" + WRITTEN.replace("\n", ends).encode()
    assert read_model(content, source="visits.yaml").version == read(WRITTEN).version


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "visits.yaml"
    path.write_text(WRITTEN, "utf-8")
    assert read_file(path) == read(WRITTEN)


def test_a_file_at_its_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "visits.yaml"
    path.write_bytes(WRITTEN.encode().ljust(LARGEST_FILE_BYTES, b"\n"))
    assert read_file(path) == read(WRITTEN)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=r"cannot be read: No such file"):
        read_file(tmp_path / "visits.yaml")
    with pytest.raises(InvalidModel, match=r"cannot be read: Is a directory"):
        read_file(tmp_path)


SHOP = "streams: {shop: {measures: {sold: count}}}\nmetrics: {sales: {formula: sold}}\n"
YARD = "streams: {yard: {measures: {sold: count}}}\nmetrics: {yard_sales: {formula: sold}}\n"


def test_models_are_merged_in_order() -> None:
    shop, yard = read(SHOP + "tenants: {a: {}}"), read(YARD + "tenants: {a: {}, b: {}}")
    merged = Model.merged([shop, yard])
    assert list(merged.streams) == ["shop", "yard"]
    assert list(merged.metrics) == ["sales", "yard_sales"]
    assert list(merged.tenants) == ["a", "b"]
    assert merged.version == Model.merged([yard, shop]).version != shop.version
    assert Model.merged([]).streams == {}


def test_what_two_files_declare_is_told_at_once() -> None:
    other = SHOP + "tenants: {a: {timezone: Europe/Madrid}}"
    with pytest.raises(InvalidModel) as raised:
        Model.merged([read(SHOP + "tenants: {a: {}}"), read(YARD), read(other)])
    assert [(fault.path, fault.code) for fault in raised.value.faults] == [
        ("streams.shop", "duplicate"),
        ("metrics.sales", "duplicate"),
        ("tenants.a", "duplicate"),
    ]
