"""Has the life of a seed again, or many: `python -m tests.runs.simulation --seed 7 --trace`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import structlog
from tests.runs.simulation.life import STEPS
from tests.runs.simulation.lives import Lives
from tests.runs.watched import nobody


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Exits with the failure of a life that did not end well."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seed", type=int, default=0, help="the first seed")
    asked.add_argument("--lives", type=int, default=1, help="how many seeds from there on")
    asked.add_argument("--steps", type=int, default=STEPS)
    asked.add_argument("--trace", action="store_true", help="print each step")
    asked.add_argument("--store", help="URL of an empty database; a file of SQLite if none is given")
    given = asked.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as folder:
        url = given.store or f"sqlite:///{Path(folder)}/control.db"
        with closing(Lives(url)) as lives:
            for seed in range(given.seed, given.seed + given.lives):
                tell(f"seed {seed}")
                lives.one(seed, tell if given.trace else nobody, given.steps)
            tell(str(lives.lived))


if __name__ == "__main__":
    main()
