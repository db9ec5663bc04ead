"""What stays of a refused event says what was wrong, and nothing about anybody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.events.refusals import shown
from aforo.events.samples import MOST_NAMES, MOST_OF_A_DETAIL, names_of, redacted, sample_of

WANTED = ", wanted at most 8 characters"


@pytest.mark.parametrize(
    ("came", "kept"),
    [
        ('"far"', '"far"'),
        ("-5.0", "-5.0"),
        ("true", "true"),
        ('"John Smith"', '"…"'),
        ('"ana@example.org"', '"…"'),
        ('"+34-600-123-456"', '"+##-###-###-###"'),
        ("34600123456", "###########"),
        ('"192.168.10.77"', '"…"'),
        ('"eyJhbGciOiJIUzI1NiJ9.secret"', '"…"'),
        ('[1, "Ana"]', "a list"),
        ('{"name": "Ana"}', "an object"),
        ('"x, wanted Maria 1', '"…"'),
        ('"x, wanted Maria"', '"…"'),
    ],
)
def test_a_value_is_shown_only_where_it_is_one_short_word(came: str, kept: str) -> None:
    assert redacted(f"field order: came {came}{WANTED}") == f"field order: came {kept}{WANTED}"


def test_an_events_own_time_is_shown_and_other_dates_are_not() -> None:
    told = 'came "1980-02-03", wanted RFC 3339'
    assert redacted(f"time: {told}") == f"time: {told}"
    assert redacted(f"field born: {told}") == 'field born: came "####-##-##", wanted RFC 3339'


def test_names_that_look_like_somebody_are_masked_and_few() -> None:
    event = {
        "stream": "x",
        "fields": {"ana@example.org": 1, "phone 600123456": None, "tags": [1], "a" * 99: "v"},
    }
    names = sample_of("x", "t", "unknown_field", "field ana@example.org: unknown to x" * 99, names_of(event))
    assert len(names.detail) <= MOST_OF_A_DETAIL
    assert "@" not in names.detail
    assert dict(names.names) == {
        "stream": "string",
        "…": "integer",
        "fields.phone #########": "null",
        "fields.tags": "list",
        "fields." + "a" * 32 + "…": "string",
    }
    many = {f"n{number}": 1 for number in range(500)}
    assert len(sample_of("x", "t", "c", "", many_names(many)).names) == MOST_NAMES


def many_names(event: dict[str, int]) -> dict[str, str]:
    return dict(names_of(event))


@given(st.text(max_size=30))
def test_no_word_of_a_longer_text_is_shown(text: str) -> None:
    """Whatever stands in a text of several words, also what looks like our own."""
    value = f"Secretname {text} 5551234567"
    kept = redacted(f"field note: came {shown(value)}, wanted integer")
    assert "Secretname" not in kept
    assert "5551234567" not in kept
    assert kept.endswith(", wanted integer")
