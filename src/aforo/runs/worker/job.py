"""What a child process is given and gives back, as files of one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from aforo.runs.manifest import Format

JOB, RESULT, OUTCOME, SAID = "job.json", "result.parquet", "outcome.json", "said.txt"


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a version, copied into the folder under `name`."""

    name: str
    uri: str
    row_count: int | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Files of one version, and which of their columns is which series."""

    format: Format
    date: str
    columns: Mapping[str, str]
    files: tuple[Copied, ...]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be evaluated over what, within which bounds."""

    expression_type: str
    expression_json: Any
    sources: tuple[Source, ...]
    memory_bytes: int
    most_rows: int


class Evaluated(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The result lies in the folder; of its rows so many are null, for these causes."""

    row_count: int
    nulls: Mapping[str, int]
    passed_over: int


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """There is no result, and will be none however often it is tried; why, in words to act on."""

    code: str
    message: str


Outcome: TypeAlias = Evaluated | Failed


def write_job(folder: Path, job: Job) -> None:
    (folder / JOB).write_bytes(msgspec.json.encode(job))


def read_job(folder: Path) -> Job:
    return msgspec.json.decode((folder / JOB).read_bytes(), type=Job)


def write_outcome(folder: Path, outcome: Outcome) -> None:
    (folder / OUTCOME).write_bytes(msgspec.json.encode(outcome))


def read_outcome(folder: Path) -> Outcome | None:
    """What the child left; None where it was ended before it left anything whole."""
    try:
        content = (folder / OUTCOME).read_bytes()
        return msgspec.json.decode(content, type=Evaluated | Failed)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
