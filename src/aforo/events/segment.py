"""Calls of Segment's tracking API become drafts, by the rules of the streams that take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec
import numpy as np

from aforo.errors import nearest
from aforo.events.columns import Source
from aforo.events.draft import Draft
from aforo.events.identity import ID_BYTES
from aforo.events.refusals import Refusal, RefusalCode, shown
from aforo.model.model import Model
from aforo.model.segment import Call, CallRule, Keys, path_of
from aforo.model.stream import Stream

# What a library writes anew each time it sends, and what is no part of the call but of its sender.
_OF_THE_SENDING = ("sentAt", "receivedAt", "writeKey")

Said = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Taker:
    """A stream that takes calls of one kind by one of its rules, and where each field may be in them."""

    stream: Stream
    rule: CallRule
    sources: tuple[tuple[Keys, ...], ...]  # of each field, in the order of the stream's fields


@dataclass(frozen=True, slots=True)
class _Rows:
    """Events of one stream, as columns that grow."""

    stream: Stream
    index: list[int] = field(default_factory=list)
    ids: list[object] = field(default_factory=list)
    times: list[object] = field(default_factory=list)
    values: list[list[object]] = field(default_factory=list)

    def draft(self) -> Draft:
        columns: dict[str, Sequence[object]] = {"id": self.ids, "time": self.times}
        for at, name in enumerate(self.stream.fields):
            columns[name] = [row[at] for row in self.values]
        return Draft(self.stream, Source.JSON, columns, np.array(self.index, np.int64))


class Switch:
    """Leads each call to every stream of a model that takes it; in a stream, the first rule decides."""

    def __init__(self, model: Model) -> None:
        self._takers: Mapping[str, Sequence[Taker]] = {call: tuple(_takers(model, call)) for call in Call}

    def drafts(
        self, calls: Sequence[object], *, kind: Call | None = None, shared: Said | None = None
    ) -> tuple[list[Draft], list[Refusal]]:
        """Drafts whose `index` is that of their calls, and a refusal for each call that no stream takes.

        `kind` is what all calls are, where it is not each that says it. `shared` is the context and the like
        of a batch, which holds for each call that does not say otherwise.
        """
        rows: dict[str, _Rows] = {}
        refusals: list[Refusal] = []
        for index, call in enumerate(calls):
            takers = self._taking(index, call, kind)
            if isinstance(takers, Refusal):
                refusals.append(takers)
                continue
            assert isinstance(call, dict), "what is no object has no takers"
            for taker in takers:
                _add(
                    rows.setdefault(taker.stream.name, _Rows(taker.stream)), taker, index, call, shared or {}
                )
        return [each.draft() for each in rows.values()], refusals

    def _taking(self, index: int, call: object, kind: Call | None) -> Sequence[Taker] | Refusal:
        if not isinstance(call, dict):
            return Refusal(index, RefusalCode.NOT_AN_OBJECT, f"came {shown(call)}, wanted an object")
        said = call.get("type") if kind is None else kind
        if not isinstance(said, str) or said not in self._takers:
            return Refusal(index, RefusalCode.UNKNOWN_STREAM, _unknown_type(said))
        event = call.get("event")
        chosen: dict[str, Taker] = {}
        for taker in self._takers[said]:
            if taker.stream.name not in chosen and taker.rule.takes(Call(said), event):
                chosen[taker.stream.name] = taker
        if not chosen:
            return Refusal(index, RefusalCode.UNKNOWN_STREAM, self._not_taken(Call(said), event))
        return tuple(chosen.values())

    def _not_taken(self, call: Call, event: object) -> str:
        if call is not Call.TRACK:
            return f"no stream takes {call} calls"
        names = {name for taker in self._takers[call] for name in taker.rule.events}
        near = nearest(event, names) if isinstance(event, str) else None
        meant = f", did you mean {shown(near)}?" if near is not None else ""
        return f"no stream takes the track call {shown(event)}{meant}"


def _takers(model: Model, call: Call) -> list[Taker]:
    return [
        Taker(stream, rule, tuple(rule.sources(name, call) for name in stream.fields))
        for stream in model.streams.values()
        for rule in stream.segment
        if call in rule.calls
    ]


def _add(rows: _Rows, taker: Taker, index: int, call: Said, shared: Said) -> None:
    rows.index.append(index)
    rows.ids.append(_id(taker.stream, call, shared))
    rows.times.append(call.get("timestamp"))
    rows.values.append([_first(sources, call, shared) for sources in taker.sources])


def _id(stream: Stream, call: Said, shared: Said) -> object:
    """The call's own id; where there is none, a hash of all that it says, unless its stream makes ids itself.

    Of all and not of the fields that a stream takes: calls of one moment may differ in the rest. Without a
    time nothing tells a call that came twice from two calls.
    """
    said = call.get("messageId")
    if said not in (None, "") or stream.id or call.get("timestamp") is None:
        return said
    content = {key: value for key, value in call.items() if key not in _OF_THE_SENDING}
    whole = msgspec.json.encode([content, shared], order="deterministic")
    return blake2b(whole, digest_size=ID_BYTES).hexdigest()


def _first(sources: Sequence[Keys], call: Said, shared: Said) -> object:
    """The first value that is there; None where there is none."""
    for keys in sources:
        value = found(call, keys)
        if value is None and shared:
            value = found(shared, keys)
        if value is not None:
            return value
    return None


def found(call: Said, keys: Keys) -> object:
    """The value at the end of a path; None where there is none.

    A path that leads into what is no object gives that under the path to it: an object, which no field takes.
    """
    value: object = call
    for depth, key in enumerate(keys):
        if not isinstance(value, dict):
            return None if value is None else {path_of(keys[:depth]): value}
        value = value.get(key)
    return value


def _unknown_type(said: object) -> str:
    if said is None:
        return f"type: missing, wanted one of {', '.join(Call)}"
    near = nearest(said, Call) if isinstance(said, str) else None
    return f"type: came {shown(said)}, " + (
        f"did you mean {near}?" if near else f"wanted one of {', '.join(Call)}"
    )
