"""Most events are known as new without a search; what may be there is always searched for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aforo.engines.embedded import recent
from aforo.engines.embedded.named import Named
from aforo.engines.embedded.recent import Bloom, Recent
from aforo.windows import DAY

Name = tuple[str, str, int]
NOW, REACH = 1_000_000, 1_000
names = st.lists(
    st.tuples(st.sampled_from("ab"), st.text(max_size=3), st.integers(NOW, NOW + 50)), min_size=1, max_size=20
)


def named(rows: Sequence[Name], untimed: bool = False, stream: str = "s") -> Named:
    tenants, ids, times = zip(*rows, strict=True)
    columns = {"tenant": tenants, "id": ids, "time": pa.array(times, pa.timestamp("us"))}
    return Named.of(stream, pa.table({**columns, "untimed": [untimed] * len(rows)}))


@given(st.lists(names, max_size=5), names)
@settings(max_examples=60)
def test_what_was_added_is_never_taken_for_new(before: list[list[Name]], asked: list[Name]) -> None:
    known = Recent(0)
    for rows in before:
        known.add(named(rows))
    had = {name for rows in before for name in rows}
    found = known.may_have(named(asked), NOW, REACH)
    assert all(maybe for name, maybe in zip(asked, found, strict=True) if name in had)


def test_few_that_were_never_added_are_searched_for() -> None:
    full = Bloom()
    chance = np.random.default_rng(1)
    for _ in range(10):
        full.add(chance.integers(0, 2**64, recent.NAMES // 10, np.uint64))
    assert full.may_have(chance.integers(0, 2**64, 100_000, np.uint64)).sum() < 100


def test_what_is_as_old_as_the_tables_is_searched_for() -> None:
    known = Recent(NOW)
    rows = [("a", "1", NOW), ("a", "1", NOW + 1)]
    assert known.may_have(named(rows), NOW, REACH).tolist() == [True, False]
    untimed = named([("a", "1", NOW)], untimed=True)
    assert known.may_have(untimed, NOW + REACH, REACH).tolist() == [True]
    assert known.may_have(untimed, NOW + REACH + 1, REACH).tolist() == [False]


def test_names_that_had_to_go_are_searched_for_by_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "NAMES", 2)
    known = Recent(0)
    for number in range(2 * (recent.FILTERS + 1)):
        known.add(named([("a", str(number), NOW + number)]))
    asked = [("a", str(number), NOW + number) for number in range(2 * (recent.FILTERS + 1))]
    assert known.may_have(named(asked), NOW, REACH).all()
    others = [("b", "x", NOW + 1), ("b", "x", NOW + 2)]
    assert known.may_have(named(others), NOW, REACH).tolist() == [True, False]


def test_a_row_without_a_time_is_named_without_it() -> None:
    known = Recent(0)
    known.add(named([("a", "1", NOW)], untimed=True))
    assert known.may_have(named([("a", "1", NOW + 5)], untimed=True), NOW, REACH).all()
    assert not known.may_have(named([("a", "1", NOW + 5)], untimed=True, stream="t"), NOW, REACH).any()


def test_of_a_large_commit_only_the_last_day_is_known_by_name() -> None:
    known, now = Recent(0), 40 * DAY
    times = [now - 30 * DAY, now - DAY - 1, now - DAY, now]
    columns = {"tenant": ["a"] * 4, "id": list("1234"), "time": pa.array(times, pa.timestamp("us"))}
    known.add_many("s", pa.table({**columns, "untimed": [False, False, False, True]}), now)
    brought = [("a", id_, time) for id_, time in zip("123", times[:3], strict=True)]
    assert known.may_have(named(brought), now, REACH).all()
    assert known.may_have(named([("a", "4", now + 5)], untimed=True), now + 5, REACH).all()
    others = [("b", "x", now - 31 * DAY), ("b", "x", now - DAY - 1), ("b", "x", now - DAY)]
    assert known.may_have(named(others), now, REACH).tolist() == [True, True, False]
