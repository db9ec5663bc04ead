"""What is kept of runs for a time only goes then, in short steps, and nothing before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from tests.runs.desk import NOW, RULES, Desk, dataset, growth
from tests.store_kinds import Stores

from aforo.clock import ManualClock
from aforo.runs.feedback import Effect
from aforo.store import event_log as lines_of
from aforo.store import outbox
from aforo.store.run_tables import consumed, event_log
from aforo.store.run_tables import outbox as outbox_rows

DAY_SECONDS = 86_400.0
HOUR = 3_600 * 1_000_000


@pytest.fixture
def desk(stores: Stores) -> Desk:
    """Two runs of one metric have been, the second of them a day after the first."""
    desk = Desk(stores.store, ManualClock(NOW))
    desk.upkeep._most_at_once = 2
    desk.define(dataset("a", "SA"), metrics=[growth("G", "SA")])
    for _ in range(2):
        desk.update("a", desk.clock.now() - HOUR)
        done(desk, desk.all("G")[-1].id)
        advance(desk, 1)
    return desk


def done(desk: Desk, run_id: str) -> None:
    """The request is sent, and a worker has begun and ended."""
    with desk.store.working() as connection:
        sent = [each.id for each in outbox.claim(connection, desk.clock.now(), desk.clock.now() + 1, 10)]
        outbox.sent(connection, sent, desk.clock.now())
    desk.started(run_id)
    desk.completed(run_id)


def advance(desk: Desk, days: float) -> None:
    assert isinstance(desk.clock, ManualClock)
    desk.clock.advance(days * DAY_SECONDS)


def rows(desk: Desk) -> tuple[int, int, int]:
    """How much there is of what was consumed and sent, and of the log."""
    with desk.store.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (consumed, outbox_rows, event_log)
        ]
    return counts[0], counts[1], counts[2]


def forgotten(desk: Desk, table: str) -> str | None:
    """What the counter tells of a table."""
    name = f'aforo_run_rows_forgotten_total{{table="{table}"}} '
    told = desk.telemetry.exposition().decode().splitlines()
    return next((line.removeprefix(name) for line in told if line.startswith(name)), None)


def test_what_was_said_is_known_for_longer_than_a_queue_has_it(desk: Desk) -> None:
    first = desk.all("G")[0].id
    assert rows(desk)[:2] == (4, 2)
    advance(desk, 12.9)  # 14.9 days since the first
    desk.upkeep.run_once()
    assert rows(desk)[:2] == (4, 2)
    assert desk.completed(first) is Effect.REPEATED
    advance(desk, 0.2)
    desk.upkeep.run_once()
    assert rows(desk)[:2] == (2, 1)
    assert desk.completed(first) is Effect.STALE, "it changes nothing all the same"
    advance(desk, 1)
    desk.upkeep.run_once()
    assert rows(desk)[:2] == (0, 0)
    assert forgotten(desk, "outbox") == "2.0"


def test_what_waits_to_be_sent_is_kept_however_long(desk: Desk) -> None:
    desk.update("a", desk.clock.now())
    advance(desk, 1_000)
    desk.upkeep.run_once()
    with desk.store.reading() as connection:
        assert outbox.count(connection) == (1, 0)


def test_the_log_is_kept_for_so_many_days_and_no_longer(desk: Desk) -> None:
    _, _, lines = rows(desk)
    assert lines > 2 * desk.upkeep._most_at_once, "it goes in more than one step"
    advance(desk, 362.9)
    desk.upkeep.run_once()
    assert rows(desk)[2] == lines
    advance(desk, 0.2)
    desk.upkeep.run_once()
    left = rows(desk)[2]
    assert 0 < left < lines
    first, second = desk.all("G")
    with desk.store.reading() as connection:
        assert lines_of.of_run(connection, first.id, 10) == []
        assert lines_of.of_run(connection, second.id, 10) != []
    assert first.state == "SUCCEEDED", "only what was told of it is gone"
    assert forgotten(desk, "event_log") == f"{lines - left}.0"


def test_a_log_may_be_kept_for_ever(stores: Stores, desk: Desk) -> None:
    before = rows(desk)[2]
    lasting = Desk(stores.store, desk.clock, replace(RULES, log_days=0))
    advance(desk, 30_000)
    lasting.upkeep.run_once()
    assert rows(desk)[2] == before
