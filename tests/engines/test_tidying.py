"""Tidying while serving: events end in order of time, none is lost, and readers see no difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.gauges import DEFAULT, MODEL, NOON, Bench, Sent, some_readings

from aforo.engines.embedded import EmbeddedEngine, tidying
from aforo.windows import DAY, SLOT

FULL = tidying.BLOCK_ROWS
SHARE = 0.05

FILL = """
-- Blocks of events in order of time, of each of which one in a hundred came up to 60 days late.
INSERT INTO events_readings (tenant, id, time, untimed, "commit", flow)
SELECT 'river', 'made ' || i, make_timestamp($noon + i * 1000000)
        - CASE WHEN i % 100 = 0 THEN to_days((i // 100 % 60)::INTEGER) ELSE INTERVAL 0 DAY END,
    false, 1, i
FROM range($rows) AS made(i) ORDER BY i
"""

SUMMED = """
SELECT count(*), sum(flow)::BIGINT, min(time), max(time), sum(hash(id) % 1000003)::BIGINT FROM events_readings
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path, memory_mb=256, threads=2, untimed_id_seconds=86_400)
    engine.apply_model(MODEL, DEFAULT)
    yield engine
    engine.close()


def fill(engine: EmbeddedEngine, blocks: int) -> None:
    asked = {"noon": NOON, "rows": blocks * FULL}
    engine._database.write(lambda cursor: cursor.execute(FILL, asked).fetchall())
    engine._database.checkpoint()


def summed(engine: EmbeddedEngine) -> list[tuple[object, ...]]:
    with engine._database.snapshot() as cursor:
        return cursor.execute(SUMMED).fetchall()


def lengths(engine: EmbeddedEngine) -> list[float]:
    """How many days each block spans, those with the longest first."""
    with engine._database.snapshot() as cursor:
        blocks = tidying._blocks(cursor, "readings")
    return sorted(((blocks.last - blocks.first) / DAY).tolist(), reverse=True)


def tidied(engine: EmbeddedEngine, most: int = 20) -> int:
    """How many steps it took until nothing was worth another."""
    for step in range(most):
        if engine.tidy(loose_share=SHARE) is None:
            return step
    raise AssertionError(f"still not in order after {most} steps")


def test_late_events_are_gathered_from_all_blocks_in_one(engine: EmbeddedEngine) -> None:
    fill(engine, 4)
    before, counted = summed(engine), engine.storage()
    assert counted.events == 4 * FULL
    assert counted.out_of_order == 4 * FULL
    assert min(lengths(engine)) > 50
    assert 3 <= tidied(engine) <= 6  # of two stretched blocks one is left
    assert summed(engine) == before
    assert sum(each > 2 for each in lengths(engine)) == 1
    assert tidied(engine) == 0
    assert engine.storage().out_of_order == 0


def test_what_comes_next_goes_into_a_block_of_its_own(engine: EmbeddedEngine) -> None:
    """Else the newest events would lie with the oldest, and stretch that block again."""
    bench = Bench(engine)
    fill(engine, 2)
    assert tidied(engine) == 1
    bench.send(*some_readings(50, around=NOON + 90 * DAY, spread=SLOT))
    engine.dirty_slots()
    with engine._database.snapshot() as cursor:
        blocks = tidying._blocks(cursor, "readings")
    assert blocks.rows[-1] == 50
    assert blocks.last[-1] - blocks.first[-1] < DAY


def test_rows_that_fill_no_block_stay(engine: EmbeddedEngine) -> None:
    fill(engine, 3)
    engine._database.write(
        lambda cursor: cursor.execute("DELETE FROM events_readings WHERE flow % 10 = 3").fetchall()
    )
    before = summed(engine)
    moved = engine.tidy(loose_share=SHARE)
    assert moved == FULL
    assert summed(engine) == before
    tidied(engine)
    assert summed(engine) == before


def test_a_reader_sees_all_events_throughout(engine: EmbeddedEngine) -> None:
    fill(engine, 2)
    with engine._database.snapshot() as cursor:
        before = cursor.execute(SUMMED).fetchall()
        assert tidied(engine) == 1
        assert cursor.execute(SUMMED).fetchall() == before
    assert summed(engine) == before


def test_a_fold_under_way_finds_what_it_claimed(engine: EmbeddedEngine) -> None:
    bench = Bench(engine)
    bench.send(*some_readings(40))
    bench.fold()
    bench.send(*some_readings(40, seed=1))
    claim = engine.claim(10**6)
    assert claim is not None
    folded = engine.fold(claim)
    # A move of what the fold has read, whatever it is worth.
    everything = tidying.Move("readings", ((0, 1_000),))
    assert engine._database.write(lambda cursor: tidying.move(cursor, everything)) == 80
    engine.replace(folded)
    bench.fold()
    bench.check_everything()
    bench.send(*some_readings(40, seed=1), Sent(id="late", time=NOON - 2 * DAY))
    bench.fold()
    bench.check_everything()


def test_what_lands_with_a_move_stays_where_it_is(engine: EmbeddedEngine) -> None:
    bench = Bench(engine)
    for seed in range(3):
        bench.send(*some_readings(5, seed=seed))  # it waits for the next transaction, which moves
        for first in (0, 3, 100):
            step = tidying.Move("readings", ((first, first + 5),))
            engine._database.write(lambda cursor, step=step: tidying.move(cursor, step))  # type: ignore[misc]
            if first == 3:
                bench.send(*some_readings(4, seed=seed + 10))
    bench.fold()
    bench.check_everything()


def test_nothing_is_moved_where_it_is_not_worth_it(engine: EmbeddedEngine) -> None:
    assert engine.tidy(loose_share=SHARE) is None
    assert engine.storage().bytes_per_event is None
    fill(engine, 2)
    assert engine.tidy(loose_share=1.1) is None
    assert len(lengths(engine)) == 2
