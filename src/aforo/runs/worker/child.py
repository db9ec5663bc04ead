"""A process that computes one run: `python -m aforo.runs.worker.child FOLDER`, of the job in that folder.

It ends with its parent, which holds the other end of its standard input and never writes to it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Thread

import pyarrow as pa

from aforo.runs.worker.evaluating import outcome_of
from aforo.runs.worker.job import read_job, write_outcome

INPUT = 0


def main(folder: Path) -> None:
    """Computes the job of a folder, and leaves what became of it there."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    Thread(target=_end_with_the_parent, daemon=True).start()
    job = read_job(folder)
    limit_memory(job.memory_bytes)
    write_outcome(folder, outcome_of(folder, job))


def _end_with_the_parent() -> None:
    """Unbuffered, since a lock of a buffer would be held while the interpreter ends."""
    while os.read(INPUT, 1):
        pass
    os._exit(1)


def limit_memory(beyond_bytes: int) -> None:
    """Bounds what this process may map beyond what it has already; only Linux holds to that."""
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + beyond_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
