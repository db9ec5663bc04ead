"""Conditions in Python: they hold of a value where they hold in SQL."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.engines.embedded.layout import SQL_TYPES
from aforo.engines.embedded.matching import holds
from aforo.engines.embedded.parameters import Parameters, condition_sql, timestamp
from aforo.model.condition import Condition, Op, Scalar, check
from aforo.model.field import Field, FieldType

TIMES = (1_362_000_000_000_000, 1_362_000_000_123_456, 1_400_000_000_000_000)
KEPT: dict[FieldType, tuple[object, ...]] = {
    FieldType.STRING: ("", "a", "A", "aa", "ab", "é", "z\U0001f600", "\uffff", "%", "_", None),
    FieldType.INTEGER: (0, 1, -1, 2**63 - 1, -(2**63), None),
    FieldType.NUMBER: (0.0, -0.0, 0.1, 1e300, -2.5, 1.0, None),
    FieldType.BOOLEAN: (True, False, None),
    FieldType.TIMESTAMP: (*map(timestamp, TIMES), None),
}
ASKED: dict[FieldType, st.SearchStrategy[Scalar]] = {
    FieldType.STRING: st.sampled_from(["", "a", "A", "b", "é", "\U0001f600", "%"]),
    FieldType.INTEGER: st.sampled_from([0, 1, -1, 5, 2**63 - 1, -(2**63)]),
    FieldType.NUMBER: st.sampled_from([0, 0.1, 1, -2.5, 1e300]),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.TIMESTAMP: st.sampled_from(
        ["2013-02-27T21:20:00Z", "2013-02-27T22:20:00.123456+01:00", "2014-05-13T16:53:20Z"]
    ),
}


@st.composite
def conditions(draw: st.DrawFn) -> tuple[Field, Condition]:
    field = Field(name="f", type=draw(st.sampled_from(list(FieldType))))
    op = draw(st.sampled_from([each for each in Op if _fits(each, field)]))
    if op in (Op.IS_NULL, Op.NOT_NULL):
        return field, Condition("f", op)
    if op is Op.IN:
        return field, Condition("f", op, tuple(draw(st.lists(ASKED[field.type], min_size=1, max_size=3))))
    return field, Condition("f", op, draw(ASKED[field.type]))


def _fits(op: Op, field: Field) -> bool:
    text = op is not Op.CONTAINS or field.type is FieldType.STRING
    return text and not (op.ordered and field.type is FieldType.BOOLEAN)


@pytest.fixture(scope="module")
def kept() -> Iterator[duckdb.DuckDBPyConnection]:
    """A table of values of each type."""
    with duckdb.connect() as connection:
        for kind, values in KEPT.items():
            connection.execute(f"CREATE TABLE of_{kind} (place INTEGER, f {SQL_TYPES[kind]})")
            connection.executemany(f"INSERT INTO of_{kind} VALUES (?, ?)", list(enumerate(values)))
        yield connection


@given(asked=conditions())
def test_a_condition_holds_of_what_sql_says(
    kept: duckdb.DuckDBPyConnection, asked: tuple[Field, Condition]
) -> None:
    field, condition = asked
    assert check(condition, field) is None
    parameters = Parameters()
    where = condition_sql(condition, field, parameters)
    rows = kept.execute(f"SELECT place FROM of_{field.type} WHERE {where}", parameters).fetchall()
    told = holds(condition, field)
    assert [at for at, value in enumerate(KEPT[field.type]) if told(value)] == sorted(at for (at,) in rows)
