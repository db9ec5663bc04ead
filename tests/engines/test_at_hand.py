"""What the writer keeps at hand is never believed over the file, however little there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.engines.gauges import (
    DEFAULT,
    MODEL,
    NOON,
    READINGS,
    VISITS,
    Bench,
    Sent,
    some_readings,
    stream_rows,
)

from aforo.engines.appends import Append, Commit
from aforo.engines.embedded import EmbeddedEngine, replacing
from aforo.engines.embedded.recognising import FEW
from aforo.errors import UnknownName
from aforo.windows import DAY, SLOT

Open = Callable[[int], EmbeddedEngine]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    engines: list[EmbeddedEngine] = []

    def open_(at_hand: int) -> EmbeddedEngine:
        for engine in engines:
            engine.close()
        engines[:] = [
            EmbeddedEngine(
                tmp_path, memory_mb=128, threads=1, untimed_id_seconds=86_400, entities_at_hand=at_hand
            )
        ]
        engines[0].apply_model(MODEL, DEFAULT)
        return engines[0]

    yield open_
    for engine in engines:
        engine.close()


@pytest.mark.parametrize("at_hand", [1, 3, 1_000])
def test_sets_are_right_with_room_for_few_entities_and_after_opening_again(
    opened: Open, at_hand: int
) -> None:
    bench = Bench(opened(at_hand))
    for seed in range(4):
        bench.send(*some_readings(40, seed=seed))
        bench.send(*some_readings(10, seed=seed + 50, tenant="hills"))
        if seed == 1:
            bench.engine = opened(at_hand)
    bench.fold()
    bench.check_everything()
    bench.check_everything("hills")


def test_more_ids_than_fit_a_list(opened: Open) -> None:
    bench = Bench(opened(1_000))
    many = some_readings(FEW + 10)
    first = bench.send(*many, *many[:5])
    assert first.fresh[0].tolist() == [True] * len(many) + [False] * 5
    again = bench.send(*some_readings(FEW + 10), *some_readings(3, seed=1))
    assert again.fresh[0].tolist() == [False] * len(many) + [True] * 3


def test_an_id_is_known_by_its_tenant_and_time(opened: Open) -> None:
    bench = Bench(opened(1_000))
    bench.send(Sent(id="1"))
    others = (
        Sent(id="1", tenant="hills"),
        Sent(id="1", time=NOON + 1),
        Sent(id="1"),
        Sent(id="1", untimed=True),
    )
    assert bench.send(*others).fresh[0].tolist() == [True, True, False, True]


class Broken(Exception):
    """What a test makes fail."""


def test_an_append_that_fails_leaves_nothing(opened: Open) -> None:
    """Of no stream; and its number is the next one's."""
    bench = Bench(opened(1_000))
    bench.send(Sent(id="1", fields={"probe": "a"}))
    unknown = replace(VISITS, name="nowhere")
    rows = (
        stream_rows(READINGS, [Sent(id="2", time=NOON - DAY, fields={"probe": "b"})]),
        replace(stream_rows(VISITS, [Sent(id="3")]), stream=unknown),
    )
    with pytest.raises(UnknownName):
        bench.engine.append(Append(rows, (), NOON))
    commit = bench.send(Sent(id="4", time=NOON + SLOT, fields={"probe": "c"}))
    assert commit.number == 2
    assert commit.dirty_from == {("readings", "river"): NOON}
    bench.fold()
    bench.check_everything()


def test_marks_that_a_fold_answered_no_longer_wait(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(opened(1_000))
    assert waits(bench.send(Sent(id="1"), Sent(id="2", tenant="hills", time=NOON - DAY))) == {
        "river": NOON,
        "hills": NOON - DAY,
    }
    claim = bench.engine.claim(10)
    assert claim is not None
    of_river = claim.slots.only(claim.slots.tenants == "river")
    folded = bench.engine.fold(replace(claim, slots=of_river))

    def broken(*_: Any) -> None:
        raise Broken

    with monkeypatch.context() as patch:
        patch.setattr(replacing, "write", broken)
        with pytest.raises(Broken):
            bench.engine.replace(folded)
    assert waits(bench.send(Sent(id="1"))) == {"river": NOON}
    bench.engine.replace(folded)
    assert waits(bench.send(Sent(id="1"))) == {}
    assert waits(bench.send(Sent(id="3", time=NOON + SLOT), Sent(id="2", tenant="hills"))) == {
        "river": NOON + SLOT,
        "hills": NOON - DAY,
    }


def waits(commit: Commit) -> dict[str, int]:
    return {tenant: start for (_, tenant), start in commit.dirty_from.items()}
