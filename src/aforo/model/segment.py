"""Which calls of Segment's tracking API a stream takes, and where in them its fields are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from aforo.errors import InvalidRequest

Keys: TypeAlias = tuple[str, ...]  # of objects within one another, from the call inwards


class Call(StrEnum):
    """The kinds of call there are."""

    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    IDENTIFY = "identify"
    GROUP = "group"
    ALIAS = "alias"

    @property
    def details(self) -> str | None:
        """The object with what a sender says freely; an alias has none."""
        return _DETAILS[self]

    @property
    def texts(self) -> tuple[str, ...]:
        """The keys whose values are texts."""
        return (*_ENVELOPE, *_IDS, *_OWN[self])

    @property
    def objects(self) -> tuple[str, ...]:
        """The keys whose values are objects."""
        return (
            ("context", "integrations") if self.details is None else (self.details, "context", "integrations")
        )


_ENVELOPE = ("type", "messageId", "timestamp")
_IDS = ("userId", "anonymousId")
_OWN: Mapping[Call, tuple[str, ...]] = MappingProxyType(
    {
        Call.TRACK: ("event",),
        Call.PAGE: ("name", "category"),
        Call.SCREEN: ("name", "category"),
        Call.IDENTIFY: (),
        Call.GROUP: ("groupId",),
        Call.ALIAS: ("previousId",),
    }
)
_DETAILS: Mapping[Call, str | None] = MappingProxyType(
    {
        Call.TRACK: "properties",
        Call.PAGE: "properties",
        Call.SCREEN: "properties",
        Call.IDENTIFY: "traits",
        Call.GROUP: "traits",
        Call.ALIAS: None,
    }
)
# Fields with these names are beside the details where the call has such a key, and among them where not.
BESIDE: Mapping[str, str] = MappingProxyType(
    {
        "user_id": "userId",
        "anonymous_id": "anonymousId",
        "event": "event",
        "name": "name",
        "category": "category",
        "group_id": "groupId",
        "previous_id": "previousId",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRule:
    """Calls that become events of a stream. The first rule of a stream that takes a call makes its event."""

    calls: tuple[Call, ...]
    events: tuple[str, ...] = ()  # names of the track calls that are meant; () = every name
    fields: Mapping[str, tuple[Keys, ...]] = field(default_factory=dict)  # of several the first that is there
    place: str = field(default="segment", compare=False)  # in the stream as it was written

    def takes(self, call: Call, event: object) -> bool:
        """Whether a call is meant; `event` is the name that a track call brings."""
        return call in self.calls and (call is not Call.TRACK or not self.events or event in self.events)

    def sources(self, name: str, call: Call) -> tuple[Keys, ...]:
        """Where a field may be in a call: as the rule says, else where it usually is; () = nowhere."""
        told = self.fields.get(name)
        return usual(name, call) if told is None else tuple(keys for keys in told if _within(keys, call))


def usual(name: str, call: Call) -> tuple[Keys, ...]:
    """Where a field of this name is in a call unless a rule says otherwise."""
    beside = BESIDE.get(name)
    if beside is not None and beside in call.texts:
        return ((beside,),)
    return () if call.details is None else ((call.details, name),)


def keys_of(text: str) -> Keys:
    """The keys of a path such as `context.page.path`; a backslash makes the dot behind it part of a key.

    Raises InvalidRequest.
    """
    keys: list[str] = [""]
    letters = iter(text)
    for letter in letters:
        if letter == ".":
            keys.append("")
        else:
            keys[-1] += next(letters, letter) if letter == "\\" else letter
    if not all(keys):
        raise InvalidRequest(f"{text!r} came where keys with dots between them were wanted")
    return tuple(keys)


def path_of(keys: Keys) -> str:
    """The text that `keys_of` reads back to the same keys."""
    return ".".join(re.sub(r"([.\\])", r"\\\1", key) for key in keys)


def _within(keys: Keys, call: Call) -> bool:
    return keys[0] in call.texts or keys[0] in call.objects
