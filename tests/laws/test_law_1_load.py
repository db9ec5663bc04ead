"""Law 1 for `aforo load`: killed whenever, the same command again ends with the same totals."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engines.gauges import NOON
from tests.laws.shelf import YAML, content, instant

import aforo
from aforo.states.sum import scaled
from aforo.windows import SLOT

pty = pytest.importorskip("pty")

ROWS = 100_000
PROBES = 4
LOAD = ("load", "readings.csv", "--stream", "readings", "--tenant", "river", "--format", "json")
ASK = ("ask", "readings,probes_seen,level_avg", "--tenant", "river", "--format", "json")
DATES = ("--from", "2013-03-01", "--to", "2013-03-31", "--timezone", "America/New_York")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of readings, some hundred to a slot, none equal to another."""
    names = ("station", "level", "flow", "probe")
    contents = [content(number) for number in range(2003)]
    path = tmp_path_factory.mktemp("file") / "readings.csv"
    times = [instant(NOON + slot * SLOT) for slot in range(1000)]
    with path.open("w", encoding="utf-8") as written:
        written.write(",".join(("id", "time", *names)) + "\n")
        for number in range(ROWS):
            values = (contents[number % 2003].get(name, "") for name in names)
            written.write(",".join((str(number), times[number % 1000], *map(str, values))) + "\n")
    return path


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "aforo", *words]


def environment(folder: Path) -> dict[str, str]:
    """Small commits and a terminal, so that there are many moments and the progress is shown."""
    return {
        **os.environ,
        "PYTHONPATH": str(Path(aforo.__file__).parents[1]),
        "TERM": "xterm",
        "COLUMNS": "60",
        "AFORO_PACKS": "",
        "AFORO_MODELS": str(folder / "models"),
        "AFORO_DATA": str(folder / "data"),
        "AFORO_INTAKE_COMMIT_ROWS": "5000",
    }


@pytest.fixture
def folder(tmp_path: Path, file: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "laws.yaml").write_text(YAML, encoding="utf-8")
    (tmp_path / "readings.csv").symlink_to(file)
    return tmp_path


def kill_at(folder: Path, updates: int) -> bool:
    """Kills a load once its terminal has been written to so often; whether it was still running."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            command(*LOAD), env=environment(folder), cwd=folder, stdout=subprocess.PIPE, stderr=theirs
        ) as child:
            os.close(theirs)
            for _ in range(updates):
                if not read(ours):
                    break
            child.kill()
        return child.returncode != 0
    finally:
        os.close(ours)


def read(terminal: int) -> bytes:
    """What was written next; nothing once the other side has closed the terminal."""
    try:
        return os.read(terminal, 100_000)
    except OSError:
        return b""


def done(folder: Path, *words: str) -> dict[str, object]:
    """The reply of a command that ends well."""
    ended = subprocess.run(
        command(*words), env=environment(folder), cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    reply = json.loads(ended.stdout)
    assert isinstance(reply, dict)
    return reply


def hold_the_law(folder: Path, updates: list[int]) -> None:
    killed = [kill_at(folder, each) for each in updates]
    assert any(killed)
    loaded = done(folder, *LOAD)
    # What a killed load had kept is told as duplicates now.
    assert (loaded["rows"], loaded["refused"]) == (ROWS, {})
    answer = done(folder, *ASK, *DATES)
    levels = (content(number % 2003).get("level") for number in range(ROWS))
    total = sum(scaled(level, 2) for level in levels if isinstance(level, float))
    [row] = answer["rows"]  # type: ignore[misc]
    assert row == {"readings": ROWS, "probes_seen": PROBES, "level_avg": total / (100 * ROWS)}


def test_a_load_killed_five_times_ends_with_the_same_totals(folder: Path) -> None:
    hold_the_law(folder, [random.Random(1).randint(1, 7) for _ in range(5)])


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_a_load_killed_again_and_again_ends_with_the_same_totals(folder: Path, seed: int) -> None:
    hold_the_law(folder, [random.Random(seed + 2).randint(1, 7) for _ in range(5)])
