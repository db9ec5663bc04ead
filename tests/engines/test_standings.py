"""How far windows are folded: read once after each write, never older than what has left the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.gauges import DEFAULT, MODEL, NOON, READINGS, Bench, Sent

from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.embedded import standings as standings_
from aforo.engines.embedded.database import Cursor, Database
from aforo.engines.embedded.standings import Asked, Standings
from aforo.windows import DAY, SLOT, Window

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


def test_what_was_read_is_kept_until_the_next_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(tmp_path, memory_mb=128, threads=1)
    reads: list[Asked] = []
    read = standings_._read

    def counted(cursor: Cursor, asked: Asked) -> standings_.Told:
        reads.append(asked)
        return read(cursor, asked)

    monkeypatch.setattr(standings_, "_read", counted)
    kept = Standings(database)
    one, other = (Asked("visits", tenant, DAYS.start, DAYS, None) for tenant in ("acme", "globex"))
    assert [kept.told(asked).revision for asked in (one, other, one, other)] == [0, 0, 0, 0]
    assert reads == [one, other]
    database.write(
        lambda cursor: cursor.execute(
            "INSERT INTO revisions (stream, tenant, day, revision) "
            "VALUES ('visits', 'acme', make_timestamp($day), 7)",
            {"day": DAYS.start},
        )
    )
    assert [kept.told(asked).revision for asked in (one, other, one)] == [7, 0, 7]
    assert reads == [one, other, one, other]
    database.close()
