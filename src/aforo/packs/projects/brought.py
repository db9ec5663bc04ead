"""What `POST /api/project-metrics` brings becomes one event; its faults are told all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from aforo.errors import Fault, suggestion
from aforo.events.identity import ID_BYTES
from aforo.events.refusals import Refusal, shown
from aforo.packs.projects import STREAM

WEDDING, MODULE, EVENT, PAYLOAD, META, EVENT_ID = "weddingId", "module", "event", "payload", "meta", "eventId"
KNOWN = (WEDDING, MODULE, EVENT, PAYLOAD, META, EVENT_ID)
SOURCE, VERSION = "source", "version"
TIMESTAMP, CATEGORY, PERCENTAGE = "timestamp", "categoryId", "percentage"

LONGEST_CATEGORY = 128  # characters, as the stream's field has it

# Where the body has what a refusal names.
_PLACES = {"tenant": WEDDING, "id": EVENT_ID, "time": f"{PAYLOAD}.{TIMESTAMP}", SOURCE: f"{META}.{SOURCE}"}

Said = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Brought:
    """One event as the intake takes it. Where there are faults, it is an event that the intake refuses."""

    event: Mapping[str, object]
    faults: tuple[Fault, ...]

    @property
    def id(self) -> str | None:
        """Its id, unless the intake gives it one."""
        id_ = self.event.get("id")
        return id_ if isinstance(id_, str) else None


def brought(said: Said) -> Brought:
    """The event of a body. What is wrong in it stays in the event, so that it is refused and counted as that.

    Without an id but with a time its id is a hash of everything that is said.
    """
    payload, meta = _object(said, PAYLOAD), _object(said, META)
    time = payload.get(TIMESTAMP)
    fields: dict[str, object] = {
        "module": _text(said.get(MODULE)),
        "event": _text(said.get(EVENT)),
        "category_id": _category(payload.get(CATEGORY)),
        "percentage": _number(payload.get(PERCENTAGE)),
        "payload": _misplaced(said, PAYLOAD) or (_written(payload) if payload else None),
        SOURCE: _misplaced(said, META) or meta.get(SOURCE),
        VERSION: meta.get(VERSION),
        **{str(name): True for name in said if name not in KNOWN},
        **{f"{META}.{name}": True for name in meta if name not in (SOURCE, VERSION)},
    }
    event = {
        "stream": STREAM,
        "tenant": said.get(WEDDING),
        "id": _id(said, timed=time is not None),
        "time": time,
        "fields": fields,
    }
    return Brought(event, tuple(_faults(said, payload, meta)))


def fault_of(refusal: Refusal) -> Fault:
    """A refusal of the event as a fault of the body."""
    name, _, words = refusal.detail.partition(": ")
    place = name.removeprefix("field ")
    path = _PLACES.get(place, place)
    return Fault(path, str(refusal.code), f"{path}: {words}")


def _faults(said: Said, payload: Said, meta: Said) -> Iterable[Fault]:
    for name in said:
        if name not in KNOWN:
            yield Fault(str(name), "unknown_field", f"there is no {name!r}; {suggestion(str(name), KNOWN)}")
    for name in meta:
        if name not in (SOURCE, VERSION):
            near = suggestion(str(name), (SOURCE, VERSION))
            yield Fault(f"{META}.{name}", "unknown_field", f"there is no {name!r} in {META}; {near}")
    texts = {
        **{name: said.get(name) for name in (WEDDING, MODULE, EVENT, EVENT_ID)},
        **{f"{META}.{name}": meta.get(name) for name in (SOURCE, VERSION)},
        f"{PAYLOAD}.{TIMESTAMP}": payload.get(TIMESTAMP),
    }
    for path, value in texts.items():
        if path in (MODULE, EVENT) and value in (None, ""):
            yield Fault(path, "missing_field", f"{path} is missing")
        elif value is not None and not isinstance(value, str):
            yield Fault(path, "wrong_type", f"{path}: came {shown(value)}, wanted a text")
    for name in (PAYLOAD, META):
        if said.get(name) is not None and not isinstance(said[name], dict):
            yield Fault(name, "wrong_type", f"{name}: came {shown(said[name])}, wanted an object")


def _object(said: Said, name: str) -> Said:
    value = said.get(name)
    return value if isinstance(value, dict) else {}


def _misplaced(said: Said, name: str) -> list[object] | None:
    """What stands where an object should, as what no field takes."""
    value = said.get(name)
    return None if value is None or isinstance(value, dict) else [value]


def _text(value: object) -> object:
    """The value, where it is no text without letters: that names nothing."""
    return None if value == "" else value


def _category(value: object) -> str | None:
    """A text that has a field of its own; what is none stays in the payload alone."""
    return value if isinstance(value, str) and len(value) <= LONGEST_CATEGORY else None


def _number(value: object) -> float | None:
    """A number that has a field of its own; what is none, or too large for it, stays in the payload alone."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _written(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def _id(said: Said, *, timed: bool) -> object:
    given = said.get(EVENT_ID)
    if given not in (None, "") or not timed:
        return given
    return blake2b(_written(said).encode(), digest_size=ID_BYTES).hexdigest()
