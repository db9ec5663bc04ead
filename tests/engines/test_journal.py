"""Commits are durable in the journal before anything else, and leave it only for the tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engines.gauges import DEFAULT, MODEL, NOON, Bench, Sent, some_readings

from aforo.engines.embedded import EmbeddedEngine, appending
from aforo.engines.embedded.journal import HEAD, Journal
from aforo.engines.refused import SamplesAsked
from aforo.errors import StorageError
from aforo.windows import DAY, Window

ALL = Window(NOON - 3 * DAY, NOON + 3 * DAY)
Open = Callable[[Path], EmbeddedEngine]


@pytest.fixture
def opens() -> Iterator[Open]:
    engines: list[EmbeddedEngine] = []

    def open_(directory: Path) -> EmbeddedEngine:
        engine = EmbeddedEngine(directory, memory_mb=128, threads=1, untimed_id_seconds=86_400)
        engines.append(engine)
        engine.apply_model(MODEL, DEFAULT)
        return engine

    yield open_
    for engine in engines:
        engine.close()


def journals(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.journal"))


def left_behind(engine: EmbeddedEngine, directory: Path, elsewhere: Path) -> Path:
    """The data directory as a process leaves it that is killed now."""
    shutil.copytree(directory, elsewhere)
    return elsewhere


def test_what_only_the_journal_holds_is_there_after_a_sudden_end(opens: Open, tmp_path: Path) -> None:
    bench = Bench(opens(tmp_path / "data"))
    bench.send(*some_readings(20))
    bench.fold()
    bench.send(*some_readings(10, seed=1), *some_readings(5, seed=2, tenant="hills"))
    bench.send(*some_readings(10, seed=1))
    copy = left_behind(bench.engine, tmp_path / "data", tmp_path / "copy")
    assert journals(copy)
    bench.engine = opens(copy)
    assert not journals(copy)
    assert bench.engine.statistics().commit == 3
    again = bench.send(*some_readings(10, seed=1))
    assert not again.fresh[0].any()
    bench.fold()
    bench.check_everything()
    bench.check_everything("hills")


def test_a_reader_of_events_and_counts_sees_what_waits(opens: Open, tmp_path: Path) -> None:
    bench = Bench(opens(tmp_path))
    bench.send(Sent(id="1"), Sent(id="2", time=NOON - DAY))
    standing = bench.engine.standing("readings", "river", ALL)
    assert (standing.commit, standing.dirty_from, standing.unfolded_since) == (1, NOON - DAY, NOON)
    assert journals(tmp_path)
    assert bench.engine.estimate_raw("readings", "river", ALL) == 2
    assert not journals(tmp_path)
    assert bench.engine.standing("readings", "river", ALL) == standing
    assert bench.engine.refused(SamplesAsked(limit=1)) == ()


def test_names_are_known_while_they_wait_and_afterwards(opens: Open, tmp_path: Path) -> None:
    bench = Bench(opens(tmp_path))
    untimed = Sent(id="3", untimed=True)
    assert bench.send(Sent(id="1"), untimed, Sent(id="1")).fresh[0].tolist() == [True, True, False]
    assert bench.send(Sent(id="1"), untimed, Sent(id="2")).fresh[0].tolist() == [False, False, True]
    bench.engine.dirty_slots()
    assert bench.send(Sent(id="2"), untimed, Sent(id="1")).fresh[0].tolist() == [False] * 3


@pytest.mark.parametrize("cut", [1, 5, HEAD.size, HEAD.size + 1])
def test_an_unfinished_commit_at_the_end_was_never_acknowledged(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path)
    journal.write(1, b"first")
    journal.write(2, b"second")
    journal.close()
    (path,) = journals(tmp_path)
    path.write_bytes(path.read_bytes()[: -len(b"second") - HEAD.size + cut])
    assert list(Journal(tmp_path).replay()) == [b"first"]
    with path.open("ab") as file:
        file.write(bytes(5_000))
    assert list(Journal(tmp_path).replay()) == [b"first"]


@pytest.mark.parametrize("at", [0, 5, HEAD.size])
def test_a_damaged_commit_is_told_and_not_passed_over(tmp_path: Path, at: int) -> None:
    journal = Journal(tmp_path)
    journal.write(1, b"first")
    journal.write(2, b"second")
    journal.close()
    (path,) = journals(tmp_path)
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StorageError, match="damaged at byte 0"):
        list(Journal(tmp_path).replay())


def test_an_unfinished_commit_before_the_last_file_is_damage(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(1, b"first")
    journal.rotate()
    journal.write(2, b"second")
    journal.close()
    first, _ = journals(tmp_path)
    first.write_bytes(first.read_bytes()[:-1])
    with pytest.raises(StorageError, match="damaged at byte 0"):
        list(Journal(tmp_path).replay())


def test_only_files_whose_commits_have_landed_are_dropped(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in (1, 2, 3):
        journal.write(number, b"frame")
        journal.rotate()
    journal.write(4, b"frame")
    journal.drop(2)
    assert [path.stem[-1] for path in journals(tmp_path)] == ["3", "4"]
    journal.drop(4)
    assert [path.stem[-1] for path in journals(tmp_path)] == ["4"], "the file in use stays"
    journal.close()


def test_a_journal_that_does_not_follow_the_tables_is_refused(opens: Open, tmp_path: Path) -> None:
    """As when events.duckdb is restored from a copy that is older than the journal beside it."""
    older, newer = tmp_path / "older", tmp_path / "newer"
    opens(older).close()
    bench = Bench(opens(newer))
    bench.send(Sent(id="1"))
    bench.engine.dirty_slots()
    bench.send(Sent(id="2"))
    (journal,) = journals(newer)
    shutil.copy(journal, older)
    with pytest.raises(StorageError, match="commit 1 is missing") as raised:
        EmbeddedEngine(older, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    assert "restore both" in raised.value.hint
    assert journals(older)


def test_no_more_wait_than_may(opens: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "LAND_ROWS", 10**6)
    monkeypatch.setattr(appending, "MOST_ROWS", 30)
    bench = Bench(opens(tmp_path))
    for seed in range(8):
        bench.send(*some_readings(10, seed=seed))
        assert bench.engine._pending.rows <= 40
    bench.fold()
    bench.check_everything()


def test_many_together_land_by_themselves(
    opens: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "LAND_ROWS", 10)
    bench = Bench(opens(tmp_path))
    bench.send(*some_readings(10))
    bench.engine._database._writer.submit(lambda: None).result()  # what came before it on that thread is done
    assert not journals(tmp_path)


def test_a_large_commit_goes_into_the_tables_alone(
    opens: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after it others go through the journal, and each is known by its number and its names."""
    monkeypatch.setattr(appending, "BULK_ROWS", 20)
    bench = Bench(opens(tmp_path / "data"))
    few, many, more = some_readings(5), some_readings(30, seed=1), some_readings(5, seed=2)
    bench.send(*few)
    assert journals(tmp_path / "data")
    assert bench.send(*many, *few, many[0]).fresh[0].tolist() == [True] * 30 + [False] * 6
    assert not journals(tmp_path / "data")
    assert bench.send(*more, *many[:10]).fresh[0].tolist() == [True] * 5 + [False] * 10
    assert not bench.send(*many, *more).fresh[0].any()
    bench.engine = opens(left_behind(bench.engine, tmp_path / "data", tmp_path / "copy"))
    assert bench.engine.statistics().commit == 4
    assert not bench.send(*few, *many).fresh[0].any()
    bench.fold()
    bench.check_everything()
