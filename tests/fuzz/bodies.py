"""Bodies made of good ones by a seeded dice: bytes are broken, values put in each other's places."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

from aforo.http.body import Body, Format

LIMIT = 64 * 1024
NASTY: list[Any] = [
    *(None, True, False, 0, -1, 1.5, -0.0, 1e308, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**30),
    *("", " ", "\ud800", "\u0000", "\uffff", "é", "é", "\U0001f4a7", "a" * 300, "NaN", "null", "{}"),
    *("2013-02-30T00:00:00Z", "2013-01-01T00:00:00", "2013-01-01T24:00:00Z", "0000-01-01T00:00:00Z"),
    *(
        "2013-01-01T00:00:00.1234567Z",
        "9999-12-31T23:59:59+99:99",
        "2016-12-31T23:59:60Z",
        "1972-01-01T00:00Z",
    ),
    *([], {}, [[]], [None], {"": ""}, {"stream": {}}, {"fields": []}, [1, "a", {"b": [2]}]),
]
TOKENS = [
    *(
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
    ),
    *(
        b"NaN",
        b"Infinity",
        b"-",
        b"1e999",
        b"9" * 400,
        b"0x1",
        b"01",
        b"nul",
        b"\\u0000",
        b"\\ud800",
        b"\\u",
        b" :",
    ),
    *(
        b'"stream":',
        b'"tenant":"a",',
        b'"events":[',
        b'{"events":[]}',
        b"[" * 2000,
        b'{"a":' * 1500,
        b"//",
        b"'",
    ),
]
EVENTS: list[dict[str, Any]] = [
    {
        "stream": "readings",
        "tenant": "river",
        "id": "r-1",
        "time": "2013-03-09T17:00:00.250Z",
        "fields": {"station": "north", "gate": 2, "wet": True, "level": 7.25, "flow": -3, "probe": "p 1"},
    },
    {"stream": "readings", "tenant": "river", "fields": {"seen": "2013-03-09T17:00:00+01:00", "crew": 5}},
    {"stream": "visits", "tenant": "hills", "id": "v", "fields": {"probe": "p", "station": "s"}},
    {"stream": "visits", "tenant": "hills", "time": "2013-03-09T17:00:00Z"},
]


def body(dice: random.Random) -> Body:
    """A body that may be good and is mostly not."""
    kind = dice.choice([Format.JSON, Format.JSON, Format.NDJSON])
    events = [changed(dice, dice.choice(EVENTS)) for _ in range(dice.choice([1, 1, 2, 5]))]
    text = written(dice, events, kind)
    for _ in range(dice.choice([0, 0, 1, 2, 6])):
        text = broken(dice, text)
    gzipped = dice.random() < 0.2
    if gzipped:
        text = gzip.compress(text, 1)
        if dice.random() < 0.5:
            text = broken(dice, text)
    return Body(text, kind, gzipped, LIMIT)


def changed(dice: random.Random, event: dict[str, Any]) -> Any:
    """An event some of whose values are what nobody would send."""
    if dice.random() < 0.03:
        return dice.choice(NASTY)
    fields = dict(event.get("fields", {}))
    event = {**event, "fields": fields}
    for _ in range(dice.choice([0, 1, 1, 3])):
        place = event if dice.random() < 0.4 else fields
        name = dice.choice([*place, "tenant", "id", "time", "level", "x", "", "stream"])
        if dice.random() < 0.2:
            place.pop(name, None)
        else:
            place[name] = dice.choice(NASTY)
    return event


def written(dice: random.Random, events: list[Any], kind: Format) -> bytes:
    spelt = [json.dumps(each, ensure_ascii=dice.random() < 0.5) for each in events]
    if kind is Format.NDJSON:
        return dice.choice(["\n", "\r\n", "\n\n"]).join(spelt).encode("utf-8", "surrogatepass")
    if len(spelt) == 1 and dice.random() < 0.5:
        return spelt[0].encode("utf-8", "surrogatepass")
    return ('{"events": [' + ",".join(spelt) + "]}").encode("utf-8", "surrogatepass")


def broken(dice: random.Random, text: bytes) -> bytes:
    """One thing is done to the bytes, somewhere."""
    at, to = sorted((dice.randrange(len(text) + 1), dice.randrange(len(text) + 1)))
    match dice.randrange(7):
        case 0:
            return text[:at] + bytes([dice.randrange(256)]) + text[at + 1 :]
        case 1:
            return text[:at] + dice.choice(TOKENS) + text[at:]
        case 2:
            return text[:at] + text[min(to, at + 20) :]
        case 3:
            return text[:to] + text[at:]
        case 4:
            return text[:at]
        case 5:
            return text[:at] + dice.choice(TOKENS) + text[min(len(text), at + dice.randrange(12)) :]
        case _:
            return text + text[at:to]
