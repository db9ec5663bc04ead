"""Brings what a run reads into one folder: files of exact versions, and series of our own rollups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aforo.errors import InvalidManifest, UnknownName
from aforo.objects.object import Fetched, Objects
from aforo.objects.opening import Opener
from aforo.runs.expression import read, references
from aforo.runs.files.writing import write_series
from aforo.runs.manifest import DATE_COLUMN, VALUE_COLUMN, Format, Part, read_manifest
from aforo.runs.messages import MetricRunRequestEvent
from aforo.runs.series import Series
from aforo.runs.worker.course import Course, Stage
from aforo.runs.worker.job import Copied, Source
from aforo.runs.worker.whereabouts import Whereabouts
from aforo.settings import Worker

ROLLUP = "rollup:"
"""How the URI of a version begins that is read by asking, and lies in no file."""


class AsksRollup(Protocol):
    """Gives a series of our own rollups: a metric of the model by days, at least as new as the version."""

    def __call__(self, dataset_id: str, manifest_uri: str, column: str, /) -> Series: ...


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a dataset, and which of its columns is which series of a run."""

    dataset_id: str
    uri: str
    columns: dict[str, str]


class Gathering:
    """Gathers what runs read, from any number of threads."""

    def __init__(
        self, objects: Opener, whereabouts: Whereabouts, ask_rollup: AsksRollup, rules: Worker
    ) -> None:
        self._objects = objects
        self._whereabouts = whereabouts
        self._ask_rollup = ask_rollup
        self._rules = rules

    def gather(self, course: Course, folder: Path) -> tuple[Source, ...]:
        """What the expression of a run reads, and nothing else that its catalog tells of."""
        versions = versions_of(course.request)
        basket = _Basket(folder, self._rules.max_bytes)
        sources: list[Source] = []
        for number, version in enumerate(versions):
            prefix = self._whereabouts.prefix_of(course.request.run_id, version.dataset_id)
            course.reached(Stage.GATHERING, number / len(versions))
            if version.uri.startswith(ROLLUP):
                sources += self._asked(version, basket)
            else:
                sources.append(self._copied(version, self._objects.under(prefix), basket, course))
        return tuple(sources)

    def _asked(self, version: Version, basket: _Basket) -> Iterator[Source]:
        for code, column in version.columns.items():
            series = self._ask_rollup(version.dataset_id, version.uri, column)
            path = basket.new_file()
            write_series(path, series)
            yield Source(
                format=Format.PARQUET,
                date=DATE_COLUMN,
                columns={code: VALUE_COLUMN},
                files=(Copied(name=path.name, uri=f"{version.uri}#{column}", row_count=len(series)),),
            )

    def _copied(self, version: Version, objects: Objects, basket: _Basket, course: Course) -> Source:
        manifest = read_manifest(
            objects,
            version.uri,
            most_bytes=self._rules.max_manifest_bytes,
            most_files=self._rules.max_files,
        )
        files = []
        for part in manifest.parts:
            course.go_on()
            path = basket.fetched(objects, part)
            files.append(Copied(name=path.name, uri=part.uri, row_count=part.row_count))
        return Source(format=manifest.format, date=manifest.date, columns=version.columns, files=tuple(files))


class _Basket:
    """The folder of one run, which takes files of at most so many bytes in all."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._bytes = 0
        self._files = 0

    def new_file(self) -> Path:
        self._files += 1
        return self._folder / f"input-{self._files}"

    def fetched(self, objects: Objects, part: Part) -> Path:
        """A copy of a file; InvalidManifest where it is not what its manifest says."""
        path = self.new_file()
        with path.open("wb") as into:
            found = objects.fetch(part.uri, into, self._most_bytes - self._bytes)
        self._bytes += found.size_bytes
        _check_digest(part, found)
        return path


def versions_of(request: MetricRunRequestEvent) -> list[Version]:
    """What the expression reads. Raises InvalidExpression, or UnknownName for what the catalog has not."""
    expression = read(request.expression_type, request.expression_json, units=None)
    found: dict[tuple[str, str], Version] = {}
    for code in sorted(references(expression)):
        place = request.catalog.get(code)
        if place is None:
            raise UnknownName.of("series", code, request.catalog)
        named = place.dataset_id, place.manifest_uri
        found.setdefault(named, Version(*named, {})).columns[code] = place.column
    return list(found.values())


def _check_digest(part: Part, found: Fetched) -> None:
    if part.sha256 not in (None, found.sha256):
        raise InvalidManifest(
            f"{part.uri} has the SHA-256 {found.sha256}, and its manifest says {part.sha256}",
            hint="was the file written anew? A new version wants a new manifest and new files",
        )
