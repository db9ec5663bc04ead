"""The processes that compute, each one run: bounded in time and memory, and ended with their parent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Lock

import structlog

from aforo.errors import Stopping, WorkerDied
from aforo.runs.worker.course import over_time
from aforo.runs.worker.failures import failed
from aforo.runs.worker.job import SAID, Job, Outcome, read_outcome, write_job

log = structlog.get_logger(__name__)

COMMAND = (sys.executable, "-P", "-m", "aforo.runs.worker.child")
# What a child may know of its parent's environment: no key, and no password.
HANDED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
# Other allocators, and one arena for each thread, reserve far more than is used, and reserving is limited.
SPARING = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
SAID_BYTES = 4_000


class Children:
    """All processes of one worker; `evaluate` may be called from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._going: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether all have been killed, and none will begin."""
        return self._ended

    def evaluate(self, folder: Path, job: Job, seconds: float) -> Outcome:
        """Computes a job within so many seconds, and gives what became of it; Stopping after `end`."""
        write_job(folder, job)
        child = self._begun(folder)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            return failed(over_time())
        finally:
            self._over(child)
        if self._ended:
            raise Stopping("the worker is stopping; the run is given back")
        return self._outcome(folder, child)

    def end(self) -> None:
        """Kills all that are going, and lets none begin any more."""
        with self._lock:
            self._ended = True
            for child in self._going:
                child.kill()

    def _begun(self, folder: Path) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in HANDED_ON if name in os.environ} | SPARING
        with self._lock, (folder / SAID).open("wb") as said:
            if self._ended:
                raise Stopping("the worker is stopping; the run is given back")
            # In a session of its own no key pressed at the terminal ends it before its parent does.
            child = subprocess.Popen(  # noqa: S603  (a command of our own)
                [*COMMAND, folder],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                env=environment,
                start_new_session=True,
            )
            self._going.add(child)
        return child

    def _over(self, child: subprocess.Popen[bytes]) -> None:
        """Sees to it that the child is no more, whatever happened to who waited for it."""
        with self._lock:
            self._going.discard(child)
            child.kill()
        child.wait()
        assert child.stdin is not None
        child.stdin.close()

    def _outcome(self, folder: Path, child: subprocess.Popen[bytes]) -> Outcome:
        outcome = read_outcome(folder)
        said = (folder / SAID).read_bytes()[-SAID_BYTES:].decode("utf-8", "replace")
        if outcome is not None and child.returncode == 0:
            if said:
                log.warning("a run said something", said=said)
            return outcome
        log.error("a run's process died", status=child.returncode, said=said)
        return failed(
            WorkerDied(
                f"the process that computed the run ended {_how(child.returncode)}",
                hint="did it want too much memory? The worker's log tells what it said",
            )
        )


def _how(status: int) -> str:
    return f"by signal {-status}" if status < 0 else f"with status {status}"
