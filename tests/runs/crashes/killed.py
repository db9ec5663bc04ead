"""A process that has children which do a deed and are killed at one of its points: `python -m ...killed URL`.

It imports once what each child needs, and holds no store itself when it forks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from tests.runs.crashes.deeds import DEEDS, Process
from tests.runs.crashes.strikes import Strike, die
from tests.runs.watched import WatchedStore

ROOT = Path(__file__).parents[3]


class Killer:
    """Asks for deaths, one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def kill(self, name: str, number: int, now: int) -> None:
        """Returns when a process has been killed at a point of a deed, which it began at that time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name}:{number}:{now}\n")
        self._process.stdin.flush()
        told = self._process.stdout.readline().strip()
        assert told == str(-signal.SIGKILL), f"{name}:{number} ended with {told!r}"


@contextmanager
def killer(url: str) -> Iterator[Killer]:
    """One over the store at a URL."""
    command = [sys.executable, "-m", "tests.runs.crashes.killed", url]
    path = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
    ) as process:
        try:
            yield Killer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()  # which ends it


def main(url: str) -> None:
    """Forks for each line that asks for a death, and tells how the child ended."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    for line in sys.stdin:
        name, number, now = line.strip().split(":")
        child = os.fork()
        if child == 0:
            _die_at(url, name, int(number), int(now))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _die_at(url: str, name: str, number: int, now: int) -> None:
    store = WatchedStore(url)
    act = DEEDS[name].ready(Process(store, now))
    store.at = Strike(number, die)
    act()
    os._exit(0)  # it was not killed, and the test says so


if __name__ == "__main__":
    main(sys.argv[1])
