"""What the embedded engine's files say of values that only sets hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.engines.gauges import DEFAULT, NOON, Bench, Sent
from tests.engines.test_forget import MODEL, READINGS, VISITS

from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.embedded.compacting import compact
from aforo.engines.embedded.hashes import KEY_FILE
from aforo.engines.keeping import Forgotten, PurgeAsked
from aforo.errors import StorageError
from aforo.windows import DAY

SECRET = "a-value-that-is-read-nowhere-else"
MARGIN = 3 * DAY


def opened(directory: Path) -> EmbeddedEngine:
    engine = EmbeddedEngine(
        directory, memory_mb=128, threads=1, untimed_id_seconds=86_400, entities_at_hand=2
    )
    engine.apply_model(MODEL, DEFAULT)
    return engine


def purged(directory: Path) -> EmbeddedEngine:
    """An engine that has let go of all events, and with them of a value."""
    engine = opened(directory)
    bench = Bench(engine, MODEL)
    crews = (Sent(id="1", fields={"crew": 7}), Sent(id="2", fields={"crew": 8, "station": "north"}))
    bench.send(*crews, stream=READINGS)
    bench.send(Sent(id="3", fields={"probe": SECRET}), stream=VISITS)
    bench.fold()
    for stream in ("readings", "visits"):
        engine.purge(PurgeAsked(stream, "river", NOON + MARGIN, 0, 10**6))
    return engine


def everything(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def test_the_file_says_a_value_no_more_that_was_hashed(tmp_path: Path) -> None:
    engine = purged(tmp_path)
    engine.close()
    compact(tmp_path, memory_mb=128, threads=1)
    assert SECRET.encode() in everything(tmp_path), "else this test could not fail"
    engine = opened(tmp_path)
    while engine.forget(10**6) is not None:
        pass
    engine.close()
    compact(tmp_path, memory_mb=128, threads=1)
    assert SECRET.encode() not in everything(tmp_path)
    engine = opened(tmp_path)
    assert engine.seen("river", "probe", SECRET) is not None
    engine.close()


def test_the_key_is_its_owners_and_must_stay(tmp_path: Path) -> None:
    engine = purged(tmp_path)
    key = tmp_path / KEY_FILE
    assert not key.exists(), "nothing is hashed yet"
    while engine.forget(10**6) is not None:
        pass
    engine.close()
    assert key.stat().st_mode & 0o777 == 0o600
    kept = key.read_bytes()
    for another in (None, bytes(len(kept))):
        key.unlink()
        if another is not None:
            key.write_bytes(another)
        engine = EmbeddedEngine(tmp_path, memory_mb=128, threads=1, untimed_id_seconds=86_400)
        with closing(engine), pytest.raises(StorageError, match="not the key"):
            engine.apply_model(MODEL, DEFAULT)
        key.write_bytes(kept)
    opened(tmp_path).close()


def test_who_comes_between_the_look_and_the_write_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = purged(tmp_path)
    bench, database = Bench(engine, MODEL), engine._database
    write = database.write

    def late(change: Callable[..., object]) -> object:
        monkeypatch.setattr(database, "write", write)
        again = [Sent(id=f"{crew}", time=NOON + MARGIN + DAY, fields={"crew": crew}) for crew in (7, 8)]
        bench.send(*again, stream=READINGS)
        return write(change)

    monkeypatch.setattr(database, "write", late)
    assert engine.forget(10**6) == Forgotten(2, 0, 0), "both crews came back"
    assert engine.forget(10**6) == Forgotten(1, 1, 0)
    assert engine.forget(10**6) is None
    engine.close()
