"""Several members at once over one store, and what has to be true when they are done."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.runs.crowd.member import DATASETS, MEMBERS, Member, key, member
from tests.runs.desk import dataset, growth, ratio
from tests.runs.judged import all_sent, judge

from aforo.clock import MICROSECONDS, ManualClock, SystemClock
from aforo.runs.relay import CLAIM_SECONDS

ROOT = Path(__file__).parents[3]
LIMIT_SECONDS = 3_600
DRAIN_ROUNDS = 200


class Crowd:
    """Processes that are at it; `folder` holds what each says was acknowledged."""

    def __init__(self, folder: Path, processes: list[subprocess.Popen[str]]) -> None:
        self._folder = folder
        self._processes = processes

    @property
    def acknowledged(self) -> list[str]:
        """The keys of all members so far, each twice at last."""
        return [line for file in files(self._folder) for line in file.read_text("utf-8").splitlines()]

    @property
    def at_it(self) -> bool:
        return any(process.poll() is None for process in self._processes)

    def ended_well(self) -> None:
        """Waits for all. Raises AssertionError with what one of them said that failed."""
        for process in self._processes:
            _, said = process.communicate(timeout=LIMIT_SECONDS)
            assert process.returncode == 0, said


def files(folder: Path) -> list[Path]:
    return [folder / f"acknowledged-{number}" for number in range(MEMBERS)]


@contextmanager
def crowd(url: str, folder: Path, updates: int) -> Iterator[Crowd]:
    """Members over a new store at a URL; those still at it are ended after the block."""
    define(url, folder)
    path = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    processes = []
    for number, file in enumerate(files(folder)):
        file.touch()
        command = [sys.executable, "-m", "tests.runs.crowd.member", url, str(file), str(number), str(updates)]
        processes.append(
            subprocess.Popen(
                command, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}
            )
        )
    try:
        yield Crowd(folder, processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def define(url: str, folder: Path) -> None:
    """The metrics that all members know of."""
    desk = member(url, folder / "nobody", random.Random(0)).desk
    desk.define(
        *(dataset(name, f"S{name.upper()}") for name in DATASETS),
        metrics=[ratio("M1", "SA", "SB", 3), growth("M2", "M1"), ratio("M3", "SA", "SC")],
    )
    desk.store.close()


def hold(url: str, folder: Path, updates: int) -> None:
    """Ends what is open, and judges: every update has one effect, every run one end."""
    acknowledged = {line for file in files(folder) for line in file.read_text("utf-8").splitlines()}
    assert acknowledged == {key(each) for each in range(updates)}
    # What somebody had in hand when the store went away is free by then.
    later = ManualClock(SystemClock().now() + round(2 * CLAIM_SECONDS * MICROSECONDS))
    last = member(url, folder / "nobody", random.Random(0), later)
    drain(last, later)
    all_sent(last.desk)
    judge(last.desk, acknowledged)
    last.desk.store.close()


def drain(last: Member, clock: ManualClock) -> None:
    """Every open run is answered and every request sent, until none follows."""
    for _ in range(DRAIN_ROUNDS):
        for run in last.open_runs():
            last.desk.completed(run.id, run.attempt)
        last.relay.run_once()
        last.desk.overseer.run_once()
        if last.at_rest():
            return
        clock.advance(1.0)
    raise AssertionError("something is never done with")
