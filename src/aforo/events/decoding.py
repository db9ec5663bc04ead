"""JSON decoded straight into structs of the model's streams, with nothing coerced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from aforo.events.columns import Source
from aforo.events.draft import ENVELOPE, Draft
from aforo.model.field import FieldType
from aforo.model.model import Model
from aforo.model.stream import Extra, Stream

NUL = b"\\u0000"
KEYS = ("tenant", "id", "time")
"""What a struct has before its fields, in this order."""
TYPES: Mapping[FieldType, type] = {
    FieldType.STRING: str,
    FieldType.INTEGER: int,
    FieldType.NUMBER: float,
    FieldType.BOOLEAN: bool,
    FieldType.TIMESTAMP: str,  # told from other text by the step that dates it, for all of a commit at once
}


class TypedEvents:
    """Events whose every value has the type that its stream declares.

    `names_beside` are those of the text that stand in no event.
    """

    def __init__(self, events: Sequence[Any], streams: Mapping[type, Stream], names_beside: int) -> None:
        self._events = events
        self._streams = streams
        # Each event has its stream's and its fields', and one for each value.
        self._names = 2 * len(events) + names_beside
        self._drafts = self._made()

    def __len__(self) -> int:
        return len(self._events)

    @property
    def names(self) -> int:
        """How many names the text had for all that was read; one that was said twice counts once."""
        return self._names

    def drafts(self) -> list[Draft]:
        """The events as columns, one draft a stream."""
        return self._drafts

    def _made(self) -> list[Draft]:
        kinds = set(map(type, self._events))
        if len(kinds) == 1:
            return [self._draft(kinds.pop(), self._events, np.arange(len(self._events)))]
        rows: dict[type, list[int]] = {}
        for at, event in enumerate(self._events):
            rows.setdefault(type(event), []).append(at)
        return [
            self._draft(kind, [self._events[at] for at in index], np.array(index, np.int64))
            for kind, index in rows.items()
        ]

    def _draft(self, kind: type, events: Sequence[Any], index: np.ndarray) -> Draft:
        stream = self._streams[kind]
        *envelope, fields = zip(*map(astuple, events), strict=True)
        columns = dict(zip(stream.fields, zip(*map(astuple, fields), strict=True), strict=True))
        columns |= zip(KEYS, envelope, strict=True)
        for name, column in columns.items():
            # Most columns hold nothing that is false to Python, which is told at once.
            unsaid = 0 if all(column) else column.count(UNSET)
            self._names += len(column) - unsaid
            if unsaid:
                columns[name] = tuple(None if value is UNSET else value for value in column)
        return Draft(stream, Source.TYPED, columns, index)


class Decoder:
    """Reads bodies of events by one struct for each stream of a model."""

    def __init__(self, model: Model) -> None:
        self._streams = {
            _event_of(stream): stream for stream in model.sent_streams.values() if _can_be_read(stream)
        }
        event: Any = Union[tuple(self._streams)] if self._streams else None  # noqa: UP007  (of a tuple)
        batch: Any = msgspec.defstruct(
            "Batch", [("events", list[event])], forbid_unknown_fields=True, gc=False
        )
        self._one = msgspec.json.Decoder(event)
        self._many = msgspec.json.Decoder(batch)

    def read(self, content: bytes, *, lines: bool) -> TypedEvents | None:
        """The events of a text, or of each of its lines; None where any is not as its stream declares it."""
        if not self._streams or NUL in content:
            return None
        try:
            many = not lines and _is_batch(content)
            events = self._decoded(content, lines, many)
            return TypedEvents(events, self._streams, names_beside=int(many))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    def _decoded(self, content: bytes, lines: bool, many: bool) -> Sequence[Any]:
        if lines:
            # Line by line: read as one text, an event may go on in the next line, or two stand in one.
            return [self._one.decode(line) for line in content.split(b"\n") if line.strip()]
        if many:
            return list(self._many.decode(content).events)
        return [self._one.decode(content)]


def _is_batch(content: bytes) -> bool:
    return content.lstrip()[:20].replace(b" ", b"").startswith(b'{"events":')


def _can_be_read(stream: Stream) -> bool:
    """A field named as what stands beside the fields is refused, and has no place in a struct."""
    return not any(name in ENVELOPE for name in stream.fields)


def _event_of(stream: Stream) -> type:
    strict = stream.extra is Extra.REFUSE
    names = [f"f{at}" for at in range(len(stream.fields))]
    fields = msgspec.defstruct(
        "Fields",
        [
            (name, TYPES[field.type] | None | UnsetType, UNSET)
            for name, field in zip(names, stream.fields.values(), strict=True)
        ],
        rename=dict(zip(names, stream.fields, strict=True)),
        forbid_unknown_fields=strict,
        gc=False,
    )
    return msgspec.defstruct(
        "Event",
        [
            *((key, str | None | UnsetType, UNSET) for key in KEYS),
            ("fields", fields, msgspec.field(default_factory=fields)),
        ],
        tag_field="stream",
        tag=stream.name,
        forbid_unknown_fields=True,
        gc=False,
    )
