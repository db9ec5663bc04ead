"""Child processes: what they compute, and the bounds they are held to."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from aforo.errors import Stopping
from aforo.runs.files.writing import write_series
from aforo.runs.manifest import Format
from aforo.runs.series import Series
from aforo.runs.worker.children import Children
from aforo.runs.worker.evaluating import outcome_of
from aforo.runs.worker.job import RESULT, Copied, Evaluated, Failed, Job, Outcome, Source, write_job

PATIENCE = 60.0
RATIO = {"numerator": {"series": "SALES"}, "denominator": {"series": "VISITS"}}


def job(folder: Path, series: Mapping[str, Series], **changed: Any) -> Job:
    """The ratio of two series, whose files are in the folder."""
    for code, each in series.items():
        write_series(folder / code, each)
    sources = tuple(
        Source(
            format=Format.PARQUET,
            date="date",
            columns={code: "value"},
            files=(Copied(name=code, uri=f"s3://b/{code}"),),
        )
        for code in ("SALES", "VISITS")
    )
    given = {
        "expression_type": "ratio",
        "expression_json": RATIO,
        "sources": sources,
        "memory_bytes": 200 * 2**20,
        "most_rows": 10_000_000,
    }
    return Job(**(given | changed))


def series(*values: float | None, first: date = date(2026, 1, 1)) -> Series:
    days = np.array([first + timedelta(days=number) for number in range(len(values))], "datetime64[D]")
    return Series(days, np.array([np.nan if each is None else each for each in values]))


def in_child(folder: Path, job: Job) -> Outcome:
    return Children().evaluate(folder, job, PATIENCE)


@pytest.mark.parametrize("evaluate", [in_child, outcome_of])
def test_a_job_leaves_its_result_in_the_folder(tmp_path: Path, evaluate: Any) -> None:
    asked = job(tmp_path, {"SALES": series(1.0, 2.0, None, 3.0), "VISITS": series(2.0, 0.0, 5.0)})
    outcome = evaluate(tmp_path, asked)
    assert isinstance(outcome, Evaluated)
    result = pq.read_table(tmp_path / RESULT)
    assert result.column("date").to_pylist()[0] == date(2026, 1, 1)
    assert result.column("value").to_pylist()[:3] == [0.5, None, None]
    assert outcome.row_count == result.num_rows
    assert (outcome.nulls["division_by_zero"], outcome.nulls["null_input"]) == (1, 1)


def test_faults_of_files_and_expressions_are_told(tmp_path: Path) -> None:
    asked = job(tmp_path, {"SALES": series(1.0), "VISITS": series(1.0)})
    (tmp_path / "VISITS").write_bytes(b"no parquet")
    outcome = in_child(tmp_path, asked)
    assert isinstance(outcome, Failed)
    assert outcome.code == "invalid_series"
    assert outcome.message.startswith("s3://b/VISITS cannot be read")
    outcome = in_child(tmp_path, job(tmp_path, {}, expression_type="ration", sources=()))
    assert isinstance(outcome, Failed)
    assert outcome.code == "invalid_expression"
    assert "did you mean 'ratio'?" in outcome.message


def test_memory_beyond_its_limit_is_not_given(tmp_path: Path) -> None:
    many = Series(np.arange(1_000_000).astype("datetime64[D]"), np.ones(1_000_000))
    outcome = in_child(tmp_path, job(tmp_path, {"SALES": many, "VISITS": many}, memory_bytes=16 * 2**20))
    assert isinstance(outcome, Failed)
    assert outcome.code == "memory_limit"
    assert "16 MiB" in outcome.message
    outcome = in_child(tmp_path, job(tmp_path, {"SALES": many, "VISITS": many}))
    assert isinstance(outcome, Evaluated)


@pytest.fixture
def waiting(tmp_path: Path) -> Job:
    """A job whose first file is a pipe: it waits there until somebody writes, and nobody does."""
    asked = job(tmp_path, {"VISITS": series(1.0)})
    os.mkfifo(tmp_path / "SALES")
    return asked


def test_a_job_over_its_time_is_ended(tmp_path: Path, waiting: Job) -> None:
    outcome = Children().evaluate(tmp_path, waiting, 0.01)
    assert isinstance(outcome, Failed)
    assert outcome.code == "time_limit"


def reached(pipe: Path) -> int:
    """Waits until the child reads from the pipe; gives our end of it."""
    return os.open(pipe, os.O_WRONLY)


def child_over(folder: Path) -> int:
    """The process id of the child that computes in a folder; other tests may have left servers running."""
    children = (
        number
        for thread in Path("/proc/self/task").iterdir()
        for number in (thread / "children").read_text().split()
    )
    (child,) = (each for each in children if bytes(folder) in Path("/proc", each, "cmdline").read_bytes())
    return int(child)


def test_a_child_that_is_killed_is_told(tmp_path: Path, waiting: Job) -> None:
    with ThreadPoolExecutor(1) as thread:
        evaluated = thread.submit(Children().evaluate, tmp_path, waiting, PATIENCE)
        end = reached(tmp_path / "SALES")
        os.kill(child_over(tmp_path), signal.SIGKILL)
        outcome = evaluated.result(PATIENCE)
    os.close(end)
    assert isinstance(outcome, Failed)
    assert outcome.code == "worker_died"
    assert "by signal 9" in outcome.message


def test_children_end_with_their_worker(tmp_path: Path, waiting: Job) -> None:
    children = Children()
    with ThreadPoolExecutor(1) as thread:
        evaluated = thread.submit(children.evaluate, tmp_path, waiting, PATIENCE)
        end = reached(tmp_path / "SALES")
        children.end()
        with pytest.raises(Stopping):
            evaluated.result(PATIENCE)
    os.close(end)
    with pytest.raises(Stopping):
        children.evaluate(tmp_path, waiting, PATIENCE)


PARENT = """
import sys
from pathlib import Path
from aforo.runs.worker.children import Children
from aforo.runs.worker.job import read_job
folder = Path(sys.argv[1])
Children().evaluate(folder, read_job(folder), 3_600.0)
"""


def test_a_child_whose_parent_is_killed_ends_too(tmp_path: Path, waiting: Job) -> None:
    write_job(tmp_path, waiting)
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path]) as parent:
        end = reached(tmp_path / "SALES")
        parent.kill()
    ended = select.poll()
    ended.register(end, select.POLLERR)  # which comes once nobody is left to read
    assert ended.poll(PATIENCE * 1_000)
    os.close(end)
