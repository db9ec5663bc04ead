"""How far windows are folded: read once after who was touched, never older than what has left the journal."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from tests.engines import derived
from tests.engines.derived import FIRSTS, MINUTE, REQUESTS, SESSIONS, at, hit
from tests.engines.gauges import (
    DEFAULT,
    MODEL,
    NOON,
    READINGS,
    Bench,
    Sent,
    ask,
    fold_once,
    some_readings,
    stream_rows,
)

from aforo.engines.appends import Append
from aforo.engines.embedded import EmbeddedEngine, appending, known
from aforo.engines.embedded.database import Cursor, Database
from aforo.engines.embedded.known import Known, Subjects
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.keeping import ErasureAsked, PurgeAsked
from aforo.engines.reads import StatesRequest
from aforo.windows import DAY, SLOT, Window, Zone

DAYS = Window(NOON - NOON % DAY, NOON - NOON % DAY + DAY)
TENANT = Sent(id="1").tenant


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    engine = EmbeddedEngine(tmp_path, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(MODEL, DEFAULT)
    yield Bench(engine)
    engine.close()


def test_each_step_of_an_event_is_told_though_it_was_asked_before(bench: Bench) -> None:
    engine = bench.engine

    def standing() -> tuple[int | None, int]:
        found = [engine.standing(READINGS.name, TENANT, DAYS) for _ in range(2)]
        assert found[0] == found[1]
        return found[0].dirty_from, found[0].revision

    assert standing() == (None, 0)
    for round_ in range(1, 4):
        start = NOON + round_ * SLOT
        bench.send(Sent(id=str(round_), time=start))
        assert standing() == (start, round_ - 1)
        claim = engine.claim(10)
        assert claim is not None
        assert standing() == (start, round_ - 1)
        engine.replace(engine.fold(claim))
        assert standing() == (None, round_)


@pytest.fixture
def snapshots(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """Each look into the file."""
    found: list[float | None] = []
    snapshot = Database.snapshot

    def counted(database: Database, limit: float | None = None) -> AbstractContextManager[Cursor]:
        found.append(limit)
        return snapshot(database, limit)

    monkeypatch.setattr(Database, "snapshot", counted)
    return found


def days_of(tenant: str) -> StatesRequest:
    zone = Zone(MODEL.tenants[tenant].timezone)
    window = Window(NOON - 4 * DAY, NOON + 4 * DAY)
    return ask(READINGS, READINGS.rollups["gates"], window=window, zone=zone, tenant=tenant, by=("gate",))


def test_who_was_not_touched_is_not_read_again_and_who_was_has_the_write(
    bench: Bench, snapshots: list[float | None]
) -> None:
    engine, window = bench.engine, Window(NOON - 4 * DAY, NOON + 4 * DAY)
    mine, other = (days_of(tenant) for tenant in ("river", "plain"))

    def asked_of_other() -> int:
        """How often the file is looked into for what the other tenant asks."""
        before = len(snapshots)
        found = (
            engine.standing(READINGS.name, "plain", window),
            engine.read_states(other, time_limit_seconds=60),
        )
        assert (found[0].dirty_from, found[0].revision) == folded
        assert (found[1].keys, found[1].values) == (states.keys, states.values)
        return len(snapshots) - before

    for tenant in ("river", "plain"):
        bench.send(*some_readings(40, tenant=tenant))
    bench.fold()
    states = engine.read_states(other, time_limit_seconds=60)
    folded = None, engine.standing(READINGS.name, "plain", window).revision
    bench.check(mine)
    assert asked_of_other() == 0

    bench.send(Sent(id="new", tenant="river", time=NOON, fields={"flow": 7}))
    assert engine.standing(READINGS.name, "river", window).dirty_from == NOON
    engine._appending.land()
    assert asked_of_other() == 0
    assert engine.standing(READINGS.name, "river", window).dirty_from == NOON
    bench.fold()
    assert engine.standing(READINGS.name, "river", window).dirty_from is None
    bench.check(mine)
    assert asked_of_other() == 0
    for looks in (2, 1):  # the first finds out that the rollup is asked as well
        engine._database.write(lambda _cursor: None)
        assert asked_of_other() == looks, "a write that tells nothing may have touched anybody"
        assert asked_of_other() == 0


SITES = ("site", "store", "stage")
SUBJECTS = Subjects(
    (REQUESTS.name, SESSIONS.name, FIRSTS.name),
    tuple(
        RollupLayout.of(stream, rollup).hash
        for stream in (REQUESTS, SESSIONS, FIRSTS)
        for rollup in stream.rollups.values()
    ),
)


def told(of: Known) -> object:
    """As plain values."""
    marks = {
        (kind, name): (each.slots.tolist(), each.commits.tolist(), each.made_at.tolist())
        for kind, found in (("marked", of.marked), ("source", of.source))
        for name, each in found.items()
    }
    days = {name: (each.starts.tolist(), each.versions.tolist()) for name, each in of.days.items()}
    return marks, days, of.put


def some_writes(engine: EmbeddedEngine, dice: random.Random) -> Sequence[Callable[[], object]]:
    """Whatever writes: each may touch one tenant, some, or all."""
    first = at("12:00", "2013-03-04")
    tenant, time = dice.choice(SITES), first + dice.randrange(6 * 24 * 60) * MINUTE

    def sent(count: int) -> None:
        hits = [
            hit(
                f"v{dice.randrange(4)}",
                time + number * dice.choice([0, 9, 40]) * MINUTE,
                f"/{dice.random()}",
                tenant=tenant,
            )
            for number in range(count)
        ]
        engine.append(Append((stream_rows(REQUESTS, hits),), (), first + 7 * DAY))

    stream = dice.choice(SUBJECTS.streams)
    whole = Window(first, first + 7 * DAY)
    frequent: list[Callable[[], object]] = [
        lambda: sent(1),
        lambda: sent(dice.choice([2, 9])),
        lambda: engine.derive(dice.choice([1, 10**6])),
        lambda: fold_once(engine, dice.choice([1, 10**6])),
        lambda: engine.build_periods(first + 60 * DAY),
        engine._appending.land,
    ]
    return (
        *frequent,
        *frequent,
        *(
            lambda: engine.mark(stream, tenant, whole, 3),
            lambda: engine.mark_slots(stream, tenant, np.array([time - time % SLOT])),
            lambda: engine.purge(PurgeAsked(REQUESTS.name, tenant, first + 2 * DAY, 0, 5)),
            lambda: engine.unname(ErasureAsked(f"e{dice.random()}", tenant, "visitor", "v1")),
            lambda: engine.tidy(loose_share=0),
            lambda: engine.apply_model(derived.MODEL, DEFAULT),
        ),
    )


@pytest.mark.parametrize("seed", [1])
def test_what_is_known_is_what_the_tables_say_whatever_was_written(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "BULK_ROWS", 9)
    engine = EmbeddedEngine(tmp_path, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(derived.MODEL, DEFAULT)
    dice, seen = random.Random(seed), set()
    for _ in range(40):
        dice.choice(some_writes(engine, dice))()
        for tenant in SITES:
            mine = told(engine._standings._known(tenant, SUBJECTS).known)
            with engine._database.snapshot() as cursor:
                assert mine == told(known.read(cursor, tenant, SUBJECTS))
            seen.add(repr(mine))
    assert len(seen) > 20
    engine.close()
