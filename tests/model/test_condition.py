"""Conditions are read, printed and checked against the types of fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.errors import InvalidRequest
from aforo.model.condition import Condition, Op, Scalar, check, parse, text_of
from aforo.model.field import Field, FieldType

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True) | st.sampled_from(["and", "in", "from", "is"])
SCALARS: st.SearchStrategy[Scalar] = st.one_of(
    st.text(max_size=12),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
CONDITIONS = st.one_of(
    st.builds(Condition, NAMES, st.sampled_from([Op.IS_NULL, Op.NOT_NULL])),
    st.builds(Condition, NAMES, st.just(Op.IN), st.lists(SCALARS, min_size=1, max_size=4).map(tuple)),
    st.builds(
        Condition,
        NAMES,
        st.sampled_from([op for op in Op if op not in (Op.IN, Op.IS_NULL, Op.NOT_NULL)]),
        SCALARS,
    ),
)


@given(st.lists(CONDITIONS, min_size=1, max_size=4).map(tuple))
def test_what_is_printed_is_read_back(conditions: tuple[Condition, ...]) -> None:
    assert parse(text_of(conditions)) == conditions


@given(st.text(alphabet="ab1.'\"=<>!(),-+ \n\tandisnull", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        conditions = parse(text)
    except InvalidRequest:
        return
    assert parse(text_of(conditions)) == conditions


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            'carrier = "UA" and distance >= 100',
            (Condition("carrier", Op.EQ, "UA"), Condition("distance", Op.GE, 100)),
        ),
        (
            "dest IN ('IAH', 'MIA') AND dep_time IS NOT NULL",
            (Condition("dest", Op.IN, ("IAH", "MIA")), Condition("dep_time", Op.NOT_NULL)),
        ),
        ("tailnum contains 'O''Hare'", (Condition("tailnum", Op.CONTAINS, "O'Hare"),)),
        ("delay<-1.5e1", (Condition("delay", Op.LT, -15.0),)),
        (
            "order != true and from = false",
            (Condition("order", Op.NE, True), Condition("from", Op.EQ, False)),
        ),
    ],
)
def test_texts(text: str, wanted: tuple[Condition, ...]) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the end came where the name of a field was wanted"),
        ("carrier", "the end came where a comparison was wanted"),
        ("carrier == 'UA'", "'=' at column 10 came where a value was wanted"),
        ("carrier == 'UA'", "hint: equal is written with one '='"),
        ("carrier <> 'UA'", "hint: unequal is written '!='"),
        ("carrier contain 'UA'", "did you mean 'contains'?"),
        ("carrier = UA", 'a string stands in quotes: "UA"'),
        ("carrier = 'UA", "the quote ' at column 11 is never closed"),
        ("carrier = 'UA' or dest = 'IAH'", "conditions are joined by 'and' only"),
        ("carrier = 'UA' dest = 'IAH'", "'dest' at column 16 came where 'and' or the end was wanted"),
        ("carrier = null", "write 'is null' or 'is not null'"),
        ("carrier is nothing", "'nothing' at column 12 came where 'null' was wanted"),
        ("carrier in 'UA'", "came where '(' was wanted"),
        ("carrier in ()", "')' at column 13 came where a value was wanted"),
        ("carrier in ('UA' 'AA')", "came where ')' was wanted"),
        ("delay = -'a'", "came where a number was wanted"),
        ("delay = 1e999", "larger than a number can be"),
        ("a = 1; drop table b", "';' at column 6 has no meaning here"),
        ("'a' = 1", "came where the name of a field was wanted"),
        ("a = 1 and " * 400 + "a = 1", "at most 2000 are wanted"),
        ("a=1 and " * 200 + "a=1", "at most 400 are wanted"),
    ],
)
def test_what_cannot_be_read(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(text)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("f = 'a' and f contains 'a' and f < 'b'", FieldType.STRING, None),
        ("f = 1 and f >= -5 and f in (1, 2)", FieldType.INTEGER, None),
        ("f = 1 and f < 2.5", FieldType.NUMBER, None),
        ("f = true and f in (true, false)", FieldType.BOOLEAN, None),
        ("f >= '2013-01-01T00:00:00-05:00'", FieldType.TIMESTAMP, None),
        ("f is null and f is not null", FieldType.TIMESTAMP, None),
        ("f = 1", FieldType.STRING, "a string in quotes, but 1 came"),
        ("f = '1'", FieldType.INTEGER, "a whole number of 64 bits, but '1' came"),
        ("f = 1.5", FieldType.INTEGER, "a whole number of 64 bits, but 1.5 came"),
        ("f = 9223372036854775808", FieldType.INTEGER, "a whole number of 64 bits"),
        ("f in (1, true)", FieldType.NUMBER, "a number, but True came"),
        ("f = 1", FieldType.BOOLEAN, "true or false, but 1 came"),
        ("f < true", FieldType.BOOLEAN, "'<' has no meaning for f"),
        ("f contains '1'", FieldType.INTEGER, "'contains' is for strings"),
        ("f > '2013-01-01'", FieldType.TIMESTAMP, "an instant in quotes"),
        ("f > 5", FieldType.TIMESTAMP, "an instant in quotes"),
    ],
)
def test_types(text: str, kind: FieldType, said: str | None) -> None:
    field = Field(name="f", type=kind)
    problems = [problem for condition in parse(text) if (problem := check(condition, field)) is not None]
    assert problems == [] if said is None else said in problems[0]


@pytest.mark.parametrize(
    "condition",
    [
        Condition("f", Op.IN, ()),
        Condition("f", Op.IN, 1),
        Condition("f", Op.EQ, (1,)),
        Condition("f", Op.EQ, None),
        Condition("f", Op.IS_NULL, 1),
    ],
)
def test_a_condition_built_wrong_is_told(condition: Condition) -> None:
    assert check(condition, Field(name="f", type=FieldType.INTEGER)) is not None
