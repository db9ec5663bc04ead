"""Decoded JSON becomes drafts: one a stream, and a refusal for whatever is no event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from aforo.errors import nearest
from aforo.events.columns import Source
from aforo.events.draft import ENVELOPE, Draft
from aforo.events.refusals import Refusal, RefusalCode, shown
from aforo.model.model import Model

FIELDS = "fields"
KNOWN = frozenset((*ENVELOPE, FIELDS))
NO_FIELDS: Mapping[str, object] = {}

Event = Mapping[str, object]


def drafts_of(events: Sequence[object], model: Model) -> tuple[list[Draft], list[Refusal]]:
    """Sorts events into their streams' columns, every value still as it came."""
    rows: dict[str, list[int]] = {}
    refusals: list[Refusal] = []
    for index, event in enumerate(events):
        refusal = _shape_fault(index, event, model)
        if refusal is not None:
            refusals.append(refusal)
        else:
            assert isinstance(event, dict)
            rows.setdefault(event["stream"], []).append(index)
    return [
        _draft(name, [events[at] for at in index], index, model) for name, index in rows.items()
    ], refusals


def _shape_fault(index: int, event: object, model: Model) -> Refusal | None:
    if not isinstance(event, dict):
        return Refusal(index, RefusalCode.NOT_AN_OBJECT, f"came {shown(event)}, wanted an object")
    name = event.get("stream")
    if not isinstance(name, str) or name not in model.sent_streams:
        return Refusal(index, RefusalCode.UNKNOWN_STREAM, _unknown_stream(name, model))
    if not event.keys() <= KNOWN:
        return Refusal(index, RefusalCode.UNKNOWN_FIELD, _unknown_key(next(iter(event.keys() - KNOWN))))
    if not isinstance(event.get(FIELDS, NO_FIELDS), dict):
        return Refusal(
            index, RefusalCode.WRONG_TYPE, f"fields: came {shown(event[FIELDS])}, wanted an object"
        )
    return None


def _draft(name: str, events: list[object], index: list[int], model: Model) -> Draft:
    whole: list[Event] = events  # type: ignore[assignment]  # _shape_fault has seen that each is an object
    fields: list[Event] = [event.get(FIELDS, NO_FIELDS) for event in whole]  # type: ignore[misc]
    columns: dict[str, Sequence[object]] = {
        key: [event.get(key) for event in whole]
        for key in ("tenant", "id", "time")
        if any(key in event for event in whole)
    }
    for key in _keys(fields):
        # A field named as the envelope is no field; the name keeps it apart until the stream refuses it.
        columns[f"{FIELDS}.{key}" if key in ENVELOPE else key] = [values.get(key) for values in fields]
    return Draft(model.sent_streams[name], Source.JSON, columns, np.array(index, np.int64))


def _keys(fields: Iterable[Event]) -> Iterable[str]:
    """Every key of any event, in the order of first sight."""
    seen: dict[str, None] = {}
    for values in fields:
        seen.update(dict.fromkeys(values))
    return seen


def _unknown_stream(name: object, model: Model) -> str:
    if name is None:
        return "stream: missing"
    if isinstance(name, str) and name in model.streams:
        return f"stream: came {shown(name)}, whose events are derived and never sent"
    near = nearest(name, model.sent_streams) if isinstance(name, str) else None
    return f"stream: came {shown(name)}" + (f", did you mean {near}?" if near else "")


def _unknown_key(name: str) -> str:
    near = nearest(name, KNOWN)
    meant = (
        f", did you mean {near}?" if near else f", wanted {', '.join(sorted(KNOWN))}; values go into fields"
    )
    return f"{name}: unknown beside the event's fields{meant}"
