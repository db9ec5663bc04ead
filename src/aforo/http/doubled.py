"""JSON objects that say a name twice: which of the two was meant nobody knows, so neither is taken."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

import numpy as np

from aforo.errors import NotJson
from aforo.events.refusals import shown
from aforo.events.shape import FIELDS

_COLON, _QUOTE = ord(":"), ord('"')
"""What is no more than a quote is one or a space, but for one sign that only texts have."""


class _Twice(Exception):
    """A name that an object says twice."""


def doubled(content: bytes) -> str | None:
    """The first name that an object of a JSON text says twice, if any does. Raises NotJson."""
    try:
        json.loads(content, object_pairs_hook=_once, parse_int=len, parse_float=len)
    except _Twice as twice:
        return str(twice)
    except RecursionError as error:
        raise NotJson("the body's values stand too deep within one another") from error
    return None


def refuse_doubled(content: bytes) -> None:
    """Raises NotJson where an object of a JSON text says a name twice."""
    name = doubled(content)
    if name is not None:
        raise NotJson(
            f"an object in the body says {shown(name)} twice", hint="say each name once: which was meant?"
        )


def suspected(content: bytes, events: Iterable[object], above: int = 0) -> bool:
    """Whether some object of the text may say a name twice; False is certain, and cheap to know.

    The decoder keeps the last of two equal names. In a text each name has a colon behind its quote, or behind
    spaces: if there are as many of those as names in the `events` that were decoded, and `above` them, none
    was dropped. Names further down, or texts that look like one, only make it seem so.
    """
    return may_be_doubled(content, above + _names(events))


def may_be_doubled(content: bytes, names: int) -> bool:
    """As `suspected`, where it is known how many names came to be decoded."""
    text = np.frombuffer(content, np.uint8)
    return int(np.count_nonzero((text[1:] == _COLON) & (text[:-1] <= _QUOTE))) != names


def _names(events: Iterable[object]) -> int:
    objects = [event for event in events if isinstance(event, dict)]
    fields = (event.get(FIELDS) for event in objects)
    return sum(map(len, objects)) + sum(len(each) for each in fields if isinstance(each, dict))


def _once(pairs: list[tuple[str, object]]) -> None:
    """What an object stands for, which is nothing: its names are all that is looked at."""
    names = Counter(name for name, _ in pairs)
    if len(names) < len(pairs):
        raise _Twice(next(name for name, times in names.items() if times > 1))
