"""An erasure is done whatever happens: ended before, in or after any step it goes on where it was."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.engines.gauges import DEFAULT, MODEL, Bench, as_reference, some_readings

from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.errors import InvalidRequest, UnknownName
from aforo.rollups.erasure import Eraser
from aforo.store.act import Actor
from aforo.store.audit import Audit
from aforo.store.connect import Store
from aforo.store.erasure import ErasureState
from aforo.store.erasures import Erasures

NOW = 1_700_000_000_000_000
ME = Actor("tests")
VALUE = "probe 3"
EVENTS = some_readings(300)


class Struck(BaseException):
    """The end of the process, as far as a test goes."""


@dataclass
class House:
    """An engine and a store in a folder, and the eraser over them."""

    folder: Path
    engine: EmbeddedEngine = field(init=False)
    store: Store = field(init=False)
    eraser: Eraser = field(init=False)
    cleared: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.engine = EmbeddedEngine(self.folder, memory_mb=128, threads=1, untimed_id_seconds=86_400)
        self.engine.apply_model(MODEL, DEFAULT)
        self.store = Store(self.folder)
        erasures = Erasures(self.store, ManualClock(NOW))
        self.eraser = Eraser(
            self.engine, MODEL, erasures, b"key", lambda: None, self.cleared.append, events_at_once=5
        )

    def close(self) -> None:
        self.store.close()
        self.engine.close()

    def again(self) -> None:
        self.close()
        self.open()

    def finish(self, bench: Bench) -> None:
        while self.eraser.run_once():
            bench.fold()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def filled(house: House) -> Bench:
    bench = Bench(house.engine)
    bench.send(*EVENTS)
    bench.fold()
    return bench


def without_it(bench: Bench, house: House) -> Bench:
    """A bench whose reference has only what is to be left."""
    twin = Bench(house.engine)
    twin.reference.events = [each for each in bench.reference.events if each.fields.get("probe") != VALUE]
    return twin


def test_an_erasure_is_done_once_the_rollups_are_those_of_what_is_left(house: House) -> None:
    bench = filled(house)
    asked = house.eraser.request("river", "probe", VALUE, ME)
    assert (asked.state, asked.value) == (ErasureState.REQUESTED, VALUE)
    assert house.eraser.run_once() == 1, "its slots wait for a fold"
    waiting = house.eraser.erasures.get(asked.id)
    assert waiting is not None
    assert (waiting.state, waiting.value, waiting.finished_at) == (ErasureState.REMOVED, None, None)
    assert waiting.events == sum(each.fields.get("probe") == VALUE for each in EVENTS)
    left = without_it(bench, house)
    left.fold()
    left.check_everything()
    assert house.eraser.run_once() == 0
    done = house.eraser.erasures.get(asked.id)
    assert done is not None
    assert (done.state, done.finished_at) == (ErasureState.DONE, NOW)


VERBS = (
    "engine.unname",
    "erasures.unnamed",
    "engine.erase",
    "erasures.counted",
    "erasures.removed",
    "erasures.done",
)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_it_goes_on_after_an_end_at_any_step(house: House, verb: str, when: str) -> None:
    bench = filled(house)
    asked = house.eraser.request("river", "probe", VALUE, ME)
    of, name = verb.split(".")
    part: Any = house.engine if of == "engine" else house.eraser.erasures
    setattr(part, name, struck(getattr(part, name), when))
    with pytest.raises(Struck):
        house.finish(bench)
    house.again()
    left = without_it(bench, house)
    house.finish(left)
    left.fold()
    left.check_everything()
    done = house.eraser.erasures.get(asked.id)
    assert done is not None
    assert done.state is ErasureState.DONE


def struck(verb: Callable[..., Any], when: str) -> Callable[..., Any]:
    def strike(*given: Any) -> Any:
        if when == "after":
            verb(*given)
        raise Struck

    return strike


PROGRAM = """
import sys
from pathlib import Path
from tests.rollups.test_erasure import ME, VALUE, House, filled
house = House(Path(sys.argv[1]))
filled(house)
house.eraser.request("river", "probe", VALUE, ME)
erase, steps = house.engine.erase, []
def die(*given):
    steps.append(erase(*given))
    if len(steps) == 2:
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    return steps[-1]
house.engine.erase = die
house.eraser.run_once()
"""


def test_it_goes_on_after_the_process_was_killed(tmp_path: Path) -> None:
    """kill -9 in the middle, with events of two steps deleted and the others there."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], env=environ, check=False, timeout=60
    )
    assert killed.returncode == -9
    house = House(tmp_path)
    (asked,) = house.eraser.erasures.unfinished()
    assert asked.state is ErasureState.UNNAMED
    left = Bench(house.engine)
    left.reference.events = [as_reference(each) for each in EVENTS if each.fields.get("probe") != VALUE]
    house.finish(left)
    left.fold()
    left.check_everything()
    house.close()


def test_no_value_stands_in_any_record(house: House) -> None:
    filled(house)
    secret = "ana.maria@example.org"
    asked = house.eraser.request("river", "probe", secret, ME)
    assert secret not in repr(asked)
    house.finish(Bench(house.engine))
    [act] = Audit(house.store, ManualClock(NOW)).page(10)
    assert (act.action, act.subject, act.detail) == (
        "erasure_requested",
        asked.id,
        f"probe of river, digest {asked.digest}",
    )
    house.store.close()
    assert secret.encode() not in (house.folder / "control.db").read_bytes()
    with sqlite3.connect(house.folder / "control.db") as connection:
        assert connection.execute("SELECT value, digest FROM erasures").fetchall() == [(None, asked.digest)]
    assert asked.digest == house.eraser.digest("river", "probe", secret)
    assert asked.digest != house.eraser.digest("hills", "probe", secret)


def test_what_cannot_be_erased(house: House) -> None:
    filled(house)
    with pytest.raises(UnknownName, match="entity named 'prob'") as refused:
        house.eraser.request("river", "prob", VALUE, ME)
    assert "probe" in refused.value.hint
    with pytest.raises(UnknownName, match="no tenant named"):
        house.eraser.request("rivre", "probe", VALUE, ME)
    with pytest.raises(InvalidRequest, match="came 0 characters"):
        house.eraser.request("river", "probe", "", ME)
    assert house.eraser.erasures.unfinished() == []
