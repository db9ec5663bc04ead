"""From the files of a job to its result; in a child process, since files and expression are others'."""

from __future__ import annotations

import dataclasses
import traceback
from pathlib import Path

from aforo.errors import AforoError, MemoryLimit
from aforo.runs.expression import evaluate, read
from aforo.runs.files.reading import FileHere, read_series
from aforo.runs.files.writing import write_series
from aforo.runs.series import Series
from aforo.runs.worker.failures import MISTAKE, failed
from aforo.runs.worker.job import RESULT, Evaluated, Job, Outcome, Source


def outcome_of(folder: Path, job: Job) -> Outcome:
    """Evaluates a job and leaves the result in its folder; whatever goes wrong is an outcome too."""
    try:
        return _evaluated(folder, job)
    except MemoryError:
        return failed(
            MemoryLimit(
                f"the run wanted more than the {job.memory_bytes // 2**20} MiB of memory that it may have",
                hint="let it read less, or raise worker.memory_mb",
            )
        )
    except AforoError as error:
        return failed(error)
    except Exception:
        traceback.print_exc()  # the parent logs what is said here
        return MISTAKE


def _evaluated(folder: Path, job: Job) -> Evaluated:
    expression = read(job.expression_type, job.expression_json, units=None)
    series: dict[str, Series] = {}
    for source in job.sources:
        series |= _series_of(folder, source, job.most_rows)
    result = evaluate(expression, series)
    write_series(folder / RESULT, result.series)
    nulls = dataclasses.asdict(result.nulls)
    return Evaluated(row_count=len(result.series), nulls=nulls, passed_over=result.passed_over)


def _series_of(folder: Path, source: Source, most_rows: int) -> dict[str, Series]:
    files = [FileHere(folder / each.name, each.uri, each.row_count) for each in source.files]
    return read_series(files, source.format, source.date, source.columns, most_rows=most_rows)
