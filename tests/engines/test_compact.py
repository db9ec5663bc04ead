"""Compaction: everything is there afterwards, in order, and an end in its middle leaves the old file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import NOON, Bench, Sent, some_readings

from aforo.engines.embedded import compacting
from aforo.engines.embedded.compacting import compact
from aforo.engines.keeping import PurgeAsked
from aforo.errors import DataInUse, StorageError
from aforo.windows import DAY


def compacted(folder: Path) -> tuple[int, int]:
    return compact(folder / "data", memory_mb=128, threads=1)


def rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(folder / "data" / "events.duckdb", read_only=True) as file:
        tables = file.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
        return {
            table: file.execute(f'SELECT * FROM "{table}" ORDER BY ALL').fetchall() for (table,) in tables
        }


def test_all_is_there_in_order_and_goes_on(opens: Opens, tmp_path: Path) -> None:
    bench = Bench(opens())
    for seed in range(3):
        bench.send(*some_readings(30, seed=seed))
    bench.fold()
    bench.engine.close()
    before = rows(tmp_path)
    compacted(tmp_path)
    assert rows(tmp_path) == before
    with duckdb.connect(tmp_path / "data" / "events.duckdb", read_only=True) as file:
        times = [time for (time,) in file.execute("SELECT time FROM events_readings").fetchall()]
    assert times == sorted(times)
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"events.duckdb"}
    assert not list((tmp_path / "data").glob("*.new*"))
    bench.engine = opens()
    bench.send(*some_readings(30, seed=1), Sent(id="late", time=NOON - 2 * DAY))
    bench.fold()
    bench.check_everything()


def test_the_room_of_what_was_purged_goes_back_to_the_disk(opens: Opens, tmp_path: Path) -> None:
    bench = Bench(opens())
    for seed in range(4):
        bench.send(*(Sent(id=f"{seed * at}-{seed}-{at}", time=NOON + at) for at in range(10_000)))
    bench.fold()
    # Closing writes them into the file: until then they are in its log alone.
    bench.engine = opens()
    bench.engine.purge(PurgeAsked("readings", "river", NOON + 5 * DAY, 0, 10**6))
    bench.engine.close()
    before, after = compacted(tmp_path)
    assert after < before
    assert after == (tmp_path / "data" / "events.duckdb").stat().st_size


def test_an_end_in_the_middle_leaves_the_old_file(
    opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(opens())
    bench.send(*some_readings(20))
    bench.fold()
    bench.engine.close()
    before = rows(tmp_path)
    left_by_one_that_was_killed(tmp_path)

    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(compacting, "_keep", full)
        with pytest.raises(StorageError, match="full"):
            compacted(tmp_path)
    assert rows(tmp_path) == before
    assert not list((tmp_path / "data").glob("*.new*"))
    compacted(tmp_path)
    assert rows(tmp_path) == before
    left_by_one_that_was_killed(tmp_path)
    opens()
    assert not list((tmp_path / "data").glob("*.new*")), "nobody compacts again just to have the room back"


def left_by_one_that_was_killed(tmp_path: Path) -> None:
    for name in ("events.duckdb.new", "events.duckdb.new.wal"):
        (tmp_path / "data" / name).write_bytes(b"left by one that was killed")


def test_what_another_holds_is_left_alone(opens: Opens, tmp_path: Path) -> None:
    bench = Bench(opens())
    bench.send(Sent(id="1"))
    with pytest.raises(DataInUse):
        compacted(tmp_path)
    bench.fold()
    bench.check_everything()
