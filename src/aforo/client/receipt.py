"""What the server says became of a batch, and what it did not take."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aforo.client.connection import NoAnswer


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that the server will never take as it is, with a code of its closed list, and why.

    Where a whole request was refused (a wrong key), `code` is that problem's.
    """

    event: Mapping[str, object]
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Given once all that was accepted is durable."""

    accepted: int
    duplicates: int
    refused: tuple[Refused, ...]


def read_receipt(reply: Mapping[str, object], lines: Sequence[bytes]) -> Receipt:
    """The receipt for `lines`. Raises `NoAnswer` for anything else: a proxy may answer with a page."""
    accepted, duplicates, refused = (reply.get(name) for name in ("accepted", "duplicates", "refused"))
    if not isinstance(accepted, int) or not isinstance(duplicates, int) or not isinstance(refused, list):
        raise NoAnswer("what answered gave no receipt: is the URL that of an Aforo server?")
    told = tuple(_refused(each, lines) for each in refused)
    if accepted + duplicates + len(told) != len(lines):
        raise NoAnswer(f"the receipt does not add up to the {len(lines)} events that were sent")
    return Receipt(accepted, duplicates, told)


def event_of(line: bytes) -> Mapping[str, object]:
    """The event that was written as a line; empty where a disk gave back something else."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _refused(said: object, lines: Sequence[bytes]) -> Refused:
    index = said.get("index") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(index, int) or not 0 <= index < len(lines):
        raise NoAnswer("the receipt names an event that was not sent")
    return Refused(event_of(lines[index]), str(said.get("code", "")), str(said.get("detail", "")))
