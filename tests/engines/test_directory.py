"""The embedded engine's data directory: who may open it, and what is said when it cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import duckdb
import pytest
from tests.engines.gauges import (
    DEFAULT,
    MODEL,
    NOON,
    READINGS,
    Bench,
    Sent,
    ask,
    fold_once,
    fresh,
    some_readings,
)

import aforo
from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.embedded.database import FILE_NAME, spoken
from aforo.engines.embedded.schema import FORMAT
from aforo.engines.engine import Engine
from aforo.errors import DataInUse, DataTooNew, Stopping, StorageError, StorageFull
from aforo.windows import DAY, Window, Zone

HOLD = """
import sys
from pathlib import Path
from aforo.engines.embedded import EmbeddedEngine
engine = EmbeddedEngine(Path(sys.argv[1]), memory_mb=64, threads=1, untimed_id_seconds=1)
print("held", flush=True)
sys.stdin.read()
engine.close()
"""
ALL = Window(NOON - 3 * DAY, NOON + 3 * DAY)


def opened(directory: Path, memory_mb: int = 128) -> Engine:
    return EmbeddedEngine(directory, memory_mb=memory_mb, threads=1, untimed_id_seconds=86_400)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A data directory with events in it, closed."""
    with engine_in(tmp_path / "data") as engine:
        Bench(engine).send(*some_readings(20))
    return tmp_path / "data"


@contextmanager
def engine_in(directory: Path) -> Iterator[Engine]:
    engine = opened(directory)
    try:
        engine.apply_model(MODEL, DEFAULT)
        yield engine
    finally:
        engine.close()


def test_a_directory_that_another_process_holds_is_in_use(directory: Path) -> None:
    holding = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        env={**os.environ, "PYTHONPATH": str(Path(aforo.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holding as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataInUse) as raised:
            opened(directory)
        assert str(directory) in raised.value.detail
        assert str(holder.pid) in raised.value.detail
        assert "--data" in raised.value.hint
        holder.communicate()
    # Once it is let go of, it can be had.
    opened(directory).close()


@pytest.mark.parametrize("memory_mb", [128, 256], ids=["same settings", "other settings"])
def test_a_process_opens_a_directory_once(directory: Path, memory_mb: int) -> None:
    """Two engines would be two writing threads, and marks would be lost between them."""
    with engine_in(directory) as engine:
        with pytest.raises(DataInUse, match="held by this process"):
            opened(directory, memory_mb)
        assert fresh(Bench(engine).send(Sent(id="still works"))) == [True]
    opened(directory, memory_mb).close()


def test_a_directory_of_a_newer_version_is_left_alone(directory: Path) -> None:
    with duckdb.connect(directory / FILE_NAME) as file:
        file.execute("UPDATE meta SET format = ?", [FORMAT + 1])
    before = (directory / FILE_NAME).read_bytes()
    with pytest.raises(DataTooNew, match=f"has format {FORMAT + 1}"):
        opened(directory)
    assert (directory / FILE_NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("said", "expected", "words"),
    [
        ("IO Error: Could not write file: No space left on device", StorageFull, "is full"),
        ("IO Error: Cannot write: Disk quota exceeded", StorageFull, "is full"),
        (
            "IO Error: Trying to read a database file with version number 900, but we can only read up to 70",
            DataTooNew,
            "written by a newer engine",
        ),
        (
            "Invalid Error: database has been invalidated because of a previous fatal error",
            StorageError,
            "closed",
        ),
        ("Out of Memory Error: failed to allocate data of size 128.0 MiB", StorageError, "engine's memory"),
        ("Serialization Error: checksum does not match", StorageError, "damaged"),
    ],
)
def test_what_the_file_system_says_is_said_in_our_words(
    tmp_path: Path, said: str, expected: type[StorageError], words: str
) -> None:
    with pytest.raises(expected, match=words) as raised, spoken(tmp_path / FILE_NAME):
        raise duckdb.Error(said)
    assert type(raised.value) is expected
    assert str(tmp_path) in raised.value.detail
    assert raised.value.hint
    assert str(raised.value.__cause__) == said


def test_our_own_mistakes_are_not_said_to_be_the_files(tmp_path: Path) -> None:
    with pytest.raises(duckdb.BinderException), spoken(tmp_path / FILE_NAME):
        raise duckdb.BinderException("Referenced column not found")


def test_a_file_in_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a directory")
    for directory in (tmp_path / "data", tmp_path / "data" / "below"):
        with pytest.raises(StorageError, match="is no directory"):
            opened(directory)


@pytest.mark.parametrize("content", [b"no such file", b"\0" * 100_000], ids=["short", "zeros"])
def test_a_file_of_another_kind_is_not_touched(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StorageError, match="no file of this engine, or is damaged"):
        opened(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_damaged_file_is_named(directory: Path) -> None:
    file = directory / FILE_NAME
    content = bytearray(file.read_bytes())
    content[4096 * 3 :] = bytes(255 - byte for byte in content[4096 * 3 :])
    file.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"), engine_in(directory) as engine:
        Bench(engine).check(ask(READINGS, None, window=ALL, zone=Zone("UTC")))


@contextmanager
def mounted(target: Path, *options: str) -> Iterator[None]:
    """A mount for as long as the test takes; skips where this machine allows none."""
    target.mkdir(exist_ok=True)
    if os.getuid() != 0:
        pytest.skip(f"mounting needs root, and this is user {os.getuid()}")
    done = subprocess.run(["mount", *options, str(target)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount said: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(target)], check=True)


def test_a_directory_that_cannot_be_written_is_named(directory: Path, tmp_path: Path) -> None:
    frozen = tmp_path / "frozen"
    with mounted(frozen, "--bind", str(directory)):
        remount = ["mount", "-o", "remount,ro,bind", str(frozen)]
        done = subprocess.run(remount, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"mount said: {done.stderr.strip()}")
        for place in (frozen, frozen / "below"):
            with pytest.raises(StorageError, match="cannot be written: read-only file system"):
                opened(place)
    # What is in it can still be had where it may be written.
    with engine_in(directory) as engine:
        assert engine.estimate_raw("readings", "river", ALL) == 20


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", "size=6m", "tmpfs"):
        bench = Bench(opened(disk / "data"))
        bench.engine.apply_model(MODEL, DEFAULT)
        acknowledged: list[Sent] = []

        def send_and_fold_until_full() -> None:
            for batch in range(1000):
                sent = some_readings(400, seed=batch)
                bench.send(*sent)
                acknowledged.extend(sent)
                if batch % 4 == 3:
                    fold_once(bench.engine)

        with pytest.raises(StorageFull, match="full") as raised:
            send_and_fold_until_full()
        assert acknowledged
        assert "send again" in raised.value.hint
        bench.engine.close()
        # With room again all that was acknowledged is there; the rest can be sent again, and counts once.
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        bench.engine = opened(disk / "data")
        bench.engine.apply_model(MODEL, DEFAULT)
        kept = bench.engine.statistics()
        assert sum(each.events for each in kept.streams) in (len(acknowledged), len(acknowledged) + 400)
        assert fresh(bench.send(*acknowledged[-400:])) == [False] * 400
        bench.send(*some_readings(400, seed=len(acknowledged) // 400))
        bench.fold()
        assert len(bench.reference.events) == len(acknowledged) + 400
        request = ask(READINGS, READINGS.rollups["gates"], window=ALL, zone=Zone("America/New_York"))
        bench.check(request)
        outcomes = bench.engine.statistics().outcomes
        assert outcomes["accepted"] == len(bench.reference.events)
        bench.engine.close()


def test_closing_lets_running_reads_end(directory: Path) -> None:
    """A read that were cut off would keep hold of the file."""
    engine = opened(directory)
    engine.apply_model(MODEL, DEFAULT)
    request = ask(READINGS, None, window=ALL, zone=Zone("UTC"), by=("probe", "crew", "station"))
    started, answers = Event(), []

    def read() -> None:
        while True:
            try:
                answers.append(engine.read_states(request, time_limit_seconds=60).rows_read)
            except Stopping:
                return
            finally:
                started.set()

    reader = Thread(target=read)
    reader.start()
    started.wait()
    engine.close()
    reader.join()
    assert set(answers) == {answers[0]}
    opened(directory).close()


def test_a_closed_engine_says_so(directory: Path) -> None:
    with engine_in(directory) as engine:
        pass
    engine.close()
    with pytest.raises(Stopping, match="was closed"):
        engine.dirty_slots()
    with pytest.raises(Stopping, match="was closed"):
        Bench(engine).send(Sent(id="1"))


def test_a_verb_before_the_model_is_a_mistake_of_ours(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    with pytest.raises(RuntimeError, match="apply_model comes before"):
        engine.claim(1)
    engine.close()
