"""What a version of a dataset consists of: its manifest, and the files that this names.

A manifest is JSON: `format`, `date` (the column of dates), `files` with their `path` relative to it, and
perhaps their `rowCount` and `sha256`. What else stands in it is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from aforo.errors import Fault, InvalidManifest, OutsidePrefix, nearest, suggestion
from aforo.objects.object import Objects
from aforo.objects.prefix import Prefix

DATE_COLUMN, VALUE_COLUMN = "date", "value"
"""The columns of a result, and the column of dates of a version that is a single file."""
LONGEST_NAME = 128
MOST_FAULTS = 50
SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
MEMBERS = ("format", "date", "files")
OF_A_FILE = ("path", "rowCount", "sha256")


class Format(StrEnum):
    """How the files of a version are written; each is also how the name of such a file ends."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a version, and what is to be true of it."""

    uri: str
    row_count: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a dataset: its files, how they are written, and their column of dates."""

    uri: str
    format: Format
    date: str
    parts: tuple[Part, ...]


def read_manifest(objects: Objects, uri: str, *, most_bytes: int, most_files: int) -> Manifest:
    """The manifest at a URI, or that of the single file which the URI names by its ending.

    Raises InvalidManifest, and what reading raises.
    """
    single = _format_of(uri)
    if single is not None:
        objects.prefix.steps(uri)
        return Manifest(uri, single, DATE_COLUMN, (Part(uri),))
    return manifest_of(objects.prefix, uri, objects.read(uri, most_bytes), most_files)


def manifest_of(prefix: Prefix, uri: str, content: bytes, most_files: int) -> Manifest:
    """The manifest that stands at a URI with this content; raises InvalidManifest with all faults at once."""
    try:
        came = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidManifest(f"the manifest {uri} is no JSON: {error}", hint="write it anew") from error
    return _Reading(prefix, uri, most_files).read(came)


def _format_of(uri: str) -> Format | None:
    return next((each for each in Format if uri.endswith(f".{each}")), None)


class _Reading:
    """One manifest being read, with the faults found in it."""

    def __init__(self, prefix: Prefix, uri: str, most_files: int) -> None:
        self._prefix = prefix
        self._uri = uri
        self._most_files = most_files
        self._faults: list[Fault] = []

    def read(self, came: object) -> Manifest:
        if not isinstance(came, dict):
            raise InvalidManifest(
                f"the manifest {self._uri} is {_shown(came)}", hint="it has to be an object"
            )
        form = self._format(came)
        date = self._name("date", self._wanted(came, "date", MEMBERS))
        parts = tuple(self._parts(self._wanted(came, "files", MEMBERS)))
        if self._faults or form is None or date is None:
            raise InvalidManifest(
                f"the manifest {self._uri} has {_count(len(self._faults), 'fault')}",
                hint='it looks like {"format": "parquet", "date": "day", "files": [{"path": "a.parquet"}]}',
                faults=self._faults[:MOST_FAULTS],
            )
        return Manifest(self._uri, form, date, parts)

    def _format(self, came: Mapping[str, object]) -> Format | None:
        word = self._wanted(came, "format", MEMBERS)
        if word is None or word in tuple(Format):
            return None if word is None else Format(str(word))
        self._fault("format", "unknown_format", f"{_shown(word)} is none; {suggestion(str(word), Format)}")
        return None

    def _parts(self, came: object) -> Iterator[Part]:
        if came is None:
            return
        if not isinstance(came, list) or not 1 <= len(came) <= self._most_files:
            wanted = f"a list of 1 to {self._most_files} files"
            count = f"a list of {len(came)}" if isinstance(came, list) else _shown(came)
            self._fault("files", "wrong_value", f"{count} came, wanted {wanted}")
            return
        seen: set[str] = set()
        for number, each in enumerate(came):
            part = self._part(f"files[{number}]", each)
            if part is None:
                continue
            if part.uri in seen:
                self._fault(f"files[{number}].path", "duplicate", "this file is named twice")
            seen.add(part.uri)
            yield part

    def _part(self, place: str, came: object) -> Part | None:
        if not isinstance(came, dict):
            self._fault(place, "wrong_type", f"{_shown(came)} came, wanted an object with a path")
            return None
        for name in came.keys() - set(OF_A_FILE):
            # A count or digest that is misspelt would never be checked.
            self._fault(f"{place}.{name}"[:200], "unknown_member", suggestion(name, OF_A_FILE))
        uri = self._uri_of(f"{place}.path", self._wanted(came, "path", OF_A_FILE, f"{place}."))
        rows, digest = came.get("rowCount"), came.get("sha256")
        if rows is not None and (type(rows) is not int or rows < 0):
            self._fault(f"{place}.rowCount", "wrong_value", f"{_shown(rows)} came, wanted 0 or more rows")
        if digest is not None and not (isinstance(digest, str) and SHA256.fullmatch(digest)):
            self._fault(
                f"{place}.sha256", "wrong_value", f"{_shown(digest)} came, wanted 64 hexadecimal digits"
            )
            digest = None
        return None if uri is None else Part(uri, rows, digest and digest.lower())

    def _uri_of(self, place: str, path: object) -> str | None:
        if path is None:
            return None
        if not isinstance(path, str):
            self._fault(place, "wrong_type", f"{_shown(path)} came, wanted a path relative to the manifest")
            return None
        try:
            return self._prefix.beside(self._uri, path)
        except OutsidePrefix as error:
            self._fault(place, error.code, error.detail)
            return None

    def _name(self, place: str, came: object) -> str | None:
        if came is None or (isinstance(came, str) and 1 <= len(came) <= LONGEST_NAME):
            return came
        self._fault(place, "wrong_value", f"{_shown(came)} came, wanted 1 to {LONGEST_NAME} characters")
        return None

    def _wanted(self, came: Mapping[str, Any], name: str, known: tuple[str, ...], place: str = "") -> Any:
        found = came.get(name)
        if found is None:
            near = nearest(name, (each for each in came if each not in known))
            self._fault(
                place + name, "missing", "it has to be there" + (f", and {near!r} is" if near else "")
            )
        return found

    def _fault(self, place: str, code: str, message: str) -> None:
        self._faults.append(Fault(place, code, message))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shown(came: object) -> str:
    """A value that came, short enough for a message."""
    match came:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return repr(came[:60])
        case _:
            return msgspec.json.encode(came).decode()[:60]
