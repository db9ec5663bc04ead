"""Puts the result of a run where it belongs: the file first, the manifest that names it last.

An attempt has a folder of its own, and nothing in it is ever written again. So who reads a manifest reads a
whole result, and an attempt that was asked for twice has one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

import msgspec

from aforo.errors import InvalidManifest
from aforo.objects.object import Objects
from aforo.objects.opening import Opener
from aforo.runs.manifest import DATE_COLUMN, Format
from aforo.runs.messages import Input, MetricRunRequestEvent
from aforo.runs.worker.job import RESULT, Evaluated
from aforo.runs.worker.whereabouts import Whereabouts

MANIFEST = "manifest.json"
DIGITS = 16
"""Of the digest of a result's file, in its name."""
RESULT_NAME = re.compile(rf"result-[0-9a-f]{{{DIGITS}}}\.parquet")


def is_result(name: str) -> bool:
    """Whether a file of this name, in the folder of an attempt, is one that is written here."""
    return name == MANIFEST or RESULT_NAME.fullmatch(name) is not None


class ResultFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The one file of a result."""

    path: str
    row_count: int
    sha256: str


class ResultManifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A manifest as every worker may write it, and beside that what the result was made from.

    `nulls` tells how many values are null for which cause, `passed_over` how many nulls of what was read
    windows and buckets left out.
    """

    format: Format
    date: str
    files: tuple[ResultFile, ...]
    row_count: int
    nulls: Mapping[str, int]
    passed_over: int
    run_id: str
    attempt: int
    metric_code: str
    expression_type: str
    expression_json: Any
    inputs: tuple[Input, ...]
    written_at: str
    worker: str


class _Counted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is read of a manifest that was there already."""

    row_count: int


@dataclass(frozen=True, slots=True)
class Published:
    """A result that is there for all to read."""

    manifest_uri: str
    row_count: int


class Shelves:
    """Where results belong, by the run that makes them."""

    def __init__(self, objects: Opener, whereabouts: Whereabouts, *, most_bytes: int) -> None:
        self._objects = objects
        self._whereabouts = whereabouts
        self._most_bytes = most_bytes

    def of(self, request: MetricRunRequestEvent) -> Shelf:
        """The folder of one attempt; at most `most_bytes` are read of a manifest that is there already."""
        below = self._objects.under(self._whereabouts.results_of(request.run_id))
        return Shelf(below, request, most_bytes=self._most_bytes)


class Shelf:
    """The folder of one attempt."""

    def __init__(self, objects: Objects, request: MetricRunRequestEvent, *, most_bytes: int) -> None:
        self._objects = objects
        self._request = request
        self._most_bytes = most_bytes
        self._manifest_uri = self._uri_of(MANIFEST)

    def published(self) -> Published | None:
        """The result of this attempt, where it was published before."""
        if not self._objects.exists(self._manifest_uri):
            return None
        content = self._objects.read(self._manifest_uri, self._most_bytes)
        try:
            rows = msgspec.json.decode(content, type=_Counted).row_count
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidManifest(
                f"{self._manifest_uri} is there already, and no result of a worker's: {error}",
                hint="nothing else may write below the prefix of results",
            ) from error
        return Published(self._manifest_uri, rows)

    def publish(self, folder: Path, evaluated: Evaluated, written_at: str, worker: str) -> Published:
        """Publishes the result that lies in a folder, unless one of this attempt has been meanwhile."""
        with (folder / RESULT).open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        # Named after what it holds: of two who compute one attempt, neither finds the other's under its name.
        name = f"result-{digest[:DIGITS]}.parquet"
        self._objects.create(self._uri_of(name), folder / RESULT)
        file_of = ResultFile(path=name, row_count=evaluated.row_count, sha256=digest)
        manifest = self._manifest(file_of, evaluated, written_at, worker)
        if self._objects.create(self._manifest_uri, msgspec.json.encode(manifest)):
            return Published(self._manifest_uri, evaluated.row_count)
        found = self.published()
        assert found is not None, "what is there is never taken away"
        return found

    def _uri_of(self, name: str) -> str:
        prefix = self._objects.prefix
        return prefix.beside(prefix.uri, f"{self._request.run_id}/{self._request.attempt}/{name}")

    def _manifest(
        self, file: ResultFile, evaluated: Evaluated, written_at: str, worker: str
    ) -> ResultManifest:
        asked = self._request
        return ResultManifest(
            format=Format.PARQUET,
            date=DATE_COLUMN,
            files=(file,),
            row_count=evaluated.row_count,
            nulls=evaluated.nulls,
            passed_over=evaluated.passed_over,
            run_id=asked.run_id,
            attempt=asked.attempt,
            metric_code=asked.metric_code,
            expression_type=asked.expression_type,
            expression_json=asked.expression_json,
            inputs=asked.inputs,
            written_at=written_at,
            worker=worker,
        )
