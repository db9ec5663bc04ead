"""Batches that share a commit are told what each would be alone; typed decoding says what the plain does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.shelf import MODEL, READINGS

from aforo.clock import ManualClock
from aforo.engines.appends import Append, Commit
from aforo.engines.refused import SampleLimits
from aforo.errors import InvalidModel
from aforo.events.batch import Batch
from aforo.events.buffer import Buffer
from aforo.events.columns import Source
from aforo.events.composing import compose
from aforo.events.decoding import Decoder
from aforo.events.draft import Draft
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.events.samples import Refused
from aforo.events.shape import drafts_of
from aforo.events.steps import Rules
from aforo.model.stream import Extra
from aforo.telemetry import Telemetry
from aforo.windows import parse_instant

NOW = parse_instant("2024-06-01T12:00:00Z")
RULES = Rules(NOW, future_seconds=600)

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.just(2**70),
    st.floats(-9, 9),
    st.text("abc", max_size=12),
)
fields = st.dictionaries(st.sampled_from([*READINGS.fields, "other"]), values, max_size=4)
times = st.sampled_from(
    ["2024-06-01T11:00:00Z", "2024-06-01T10:00:00.5+02:00", "2030-01-01T00:00:00Z", "today"]
)
names = st.sampled_from(["", "north", "south"])
known: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"stream": st.just("readings")},
    optional={"tenant": names, "id": st.sampled_from(["1", "2"]), "time": times, "fields": fields},
)
strange: st.SearchStrategy[Any] = st.sampled_from(
    [1, [], {"stream": "others"}, {"stream": "readings", "more": 1}, {"stream": "readings", "fields": []}]
)
events = st.lists(st.one_of(known, known, known, strange), max_size=6)


class Keeper:
    """Keeps nothing: calls every row new that has not come with the same name, and says what came."""

    def __init__(self) -> None:
        self.came: list[Append] = []

    def append(self, append: Append) -> Commit:
        self.came.append(append)
        fresh = []
        for each in append.rows:
            named = each.rows.select(["tenant", "id", "time"]).to_pylist()
            fresh.append(np.array([row not in named[:at] for at, row in enumerate(named)], np.bool_))
        return Commit(len(self.came), tuple(fresh), {})


def nothing() -> Refused:
    return Refused(SampleLimits())


def batch_of(sent: Sequence[object]) -> Batch:
    drafts, refusals = drafts_of(sent, MODEL)
    return Batch(tuple(drafts), len(sent), nothing(), tuple(refusals))


def told(batches: Sequence[Batch]) -> list[Receipt]:
    composed = compose(batches, RULES)
    return composed.receipts(Keeper().append(composed.append))


def without_ids(receipt: Receipt) -> Receipt:
    """Ids that are given at random differ each time; which rows were given one does not."""
    return replace(receipt, ids=tuple((index, "") for index, _ in receipt.ids))


@settings(max_examples=150)
@given(st.lists(events, max_size=4))
def test_a_batch_is_refused_the_same_alone_and_with_others(sent: list[list[Any]]) -> None:
    together = told([batch_of(each) for each in sent])
    alone = [told([batch_of(each)])[0] for each in sent]
    for one, other in zip(together, alone, strict=True):
        assert one.refused == other.refused
        assert without_ids(one).ids == without_ids(other).ids
        assert one.accepted + one.duplicates == other.accepted + other.duplicates
        assert one.complete_until == other.complete_until


@settings(max_examples=300)
@given(events, st.sampled_from(Extra))
def test_what_is_read_typed_is_what_is_read_plainly(sent: list[Any], extra: Extra) -> None:
    model = replace(MODEL, streams={"readings": replace(READINGS, extra=extra)})
    typed = Decoder(model).read(json.dumps({"events": sent}).encode(), lines=False)
    if typed is None:
        return
    drafts, refusals = drafts_of(sent, model)
    assert refusals == []
    assert len(typed) == len(sent)
    read, plain = (
        compose([Batch(tuple(each), len(sent), nothing())], RULES) for each in (typed.drafts(), drafts)
    )
    assert judged(told_by(read)) == judged(told_by(plain))
    for one, other in zip(read.append.rows, plain.append.rows, strict=True):
        with_ids = np.flatnonzero(~one.rows["untimed"].to_numpy())
        assert one.rows.take(with_ids).equals(other.rows.take(with_ids))


def judged(receipt: Receipt) -> Receipt:
    """Without a refusal's words: a whole number of a number field is shown as the number it is."""
    refused = tuple(replace(refusal, detail="") for refusal in receipt.refused)
    return replace(without_ids(receipt), refused=refused)


def told_by(composed: Any) -> Receipt:
    return composed.receipts(Keeper().append(composed.append))[0]


GOOD = {"stream": "readings", "tenant": "north", "id": "1", "fields": {"flow": 1, "level": 2.5}}


@pytest.mark.parametrize(
    ("text", "lines", "count"),
    [
        (json.dumps(GOOD), False, 1),
        (json.dumps({"events": [GOOD, GOOD]}), False, 2),
        (' { "events" : [] }', False, 0),
        (json.dumps(GOOD) + "\n\n" + json.dumps(GOOD) + "\n", True, 2),
    ],
)
def test_what_is_well_typed_is_read_at_once(text: str, lines: bool, count: int) -> None:
    typed = Decoder(MODEL).read(text.encode(), lines=lines)
    assert typed is not None
    assert len(typed) == count
    assert sum(draft.rows for draft in typed.drafts()) == count


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"events": [1]}',
        '{"events": [], "more": 1}',
        json.dumps(GOOD | {"fields": {"flow": "1"}}),
        json.dumps(GOOD | {"fields": {"flow": True}}),
        json.dumps(GOOD | {"fields": {"flow": 1.0}}),
        json.dumps(GOOD | {"stream": "rivers"}),
        json.dumps(GOOD | {"fields": {"other": 1}}),
        '{"stream": "readings", "fields": ' + "[" * 100_000,
        '{"stream": "readings", "id": "\\ud800"}',
        '{"stream": "readings", "fields": {"level": NaN}}',
    ],
)
def test_what_is_not_is_left_to_be_judged_one_by_one(text: str) -> None:
    assert Decoder(MODEL).read(text.encode(), lines=False) is None


def test_a_model_without_streams_reads_nothing() -> None:
    assert Decoder(replace(MODEL, streams={})).read(json.dumps(GOOD).encode(), lines=False) is None


def test_a_batch_that_no_step_foresaw_fails_alone() -> None:
    clock, keeper = ManualClock(NOW), Keeper()
    buffer = Buffer(
        keeper, clock, Telemetry(), future_seconds=600, commit_rows=10, after_seconds=0.0, queue_rows=100
    )
    intake = Intake(MODEL, buffer, clock, future_seconds=600)
    before = intake.take([GOOD])
    poisoned = Draft(READINGS, Source.JSON, {"tenant": Poison([1])}, np.array([0]))
    bad = buffer.submit(Batch((poisoned,), 1, nothing()))
    after = intake.take([GOOD | {"id": "2"}])
    assert buffer.run_once()
    assert (before.result(timeout=0).accepted, after.result(timeout=0).accepted) == (1, 1)
    with pytest.raises(InvalidModel, match="nobody foresaw"):
        bad.result(timeout=0)
    intake.check()


class Poison(list[object]):
    """A column that fails whoever reads it."""

    def __iter__(self) -> Iterator[object]:
        raise InvalidModel("nobody foresaw this")
