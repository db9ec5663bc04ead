"""Examples of erasures for the reference: what an aircraft has flown, as if it were somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Examples = Mapping[str, Any]

_REQUESTED = {
    "id": "era_5d2f0c9a1b7e4f3612ab34cd",
    "tenant": "nyc",
    "entity": "aircraft",
    "digest": "6f1c0b2e9a7d4c358e1f0a9b7c6d5e4f",
    "state": "requested",
    "requestedBy": "operator (key_5d2f0c9a1b7e4f36)",
    "requestedAt": "2013-02-01T06:00:00+00:00",
    "changedAt": "2013-02-01T06:00:00+00:00",
    "finishedAt": None,
    "events": 0,
    "slots": 0,
}
_DONE = {
    **_REQUESTED,
    "state": "done",
    "changedAt": "2013-02-01T06:00:02+00:00",
    "finishedAt": "2013-02-01T06:00:02+00:00",
    "events": 41,
    "slots": 41,
}
ERASURES_ASKED: Examples = {"An aircraft": {"tenant": "nyc", "entity": "aircraft", "value": "N14228"}}
ERASURES_REQUESTED: Examples = {"Requested": _REQUESTED}
ERASURES: Examples = {"Done": _DONE}
ERASURE_LISTS: Examples = {"One that is done": {"erasures": [_DONE], "nextCursor": None}}
