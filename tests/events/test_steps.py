"""What the steps make of a draft, whatever its columns came from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.laws.shelf import READINGS

from aforo.events.cast.typed import ARROW
from aforo.events.columns import Column, Source
from aforo.events.draft import Draft
from aforo.events.steps import Rules, as_table, walk
from aforo.model.field import Field, FieldType
from aforo.windows import parse_instant

TIME = "2024-06-01T11:00:00Z"
RULES = Rules(parse_instant("2024-06-01T12:00:00Z"), future_seconds=600, tenant="river")
KINDS = replace(
    READINGS, fields={kind.value: Field(name=kind.value, type=kind) for kind in FieldType}, measures={}
)


@pytest.mark.parametrize("source", Source)
def test_fields_that_a_sender_has_no_column_for_are_null(source: Source) -> None:
    times: Column = [TIME, TIME] if source is Source.JSON else pa.array([TIME, TIME])
    ids: Column = ["1", "2"] if source is Source.JSON else pa.array(["1", "2"])
    whole, refusals = walk(Draft(KINDS, source, {"id": ids, "time": times}, np.arange(2)), RULES)
    assert refusals == []
    table = as_table(whole)
    for kind in FieldType:
        assert table[kind.value].to_pylist() == [None, None]
        assert table[kind.value].type == ARROW[kind]


def test_a_field_that_is_wanted_and_has_no_column_refuses_each_event() -> None:
    wanted = Field(name="level", type=FieldType.NUMBER, required=True)
    stream = replace(KINDS, fields={"level": wanted})
    whole, refusals = walk(Draft(stream, Source.TEXT, {"time": pa.array([TIME])}, np.arange(1)), RULES)
    assert (whole.rows, [str(each.code) for each in refusals]) == (0, ["missing_field"])
