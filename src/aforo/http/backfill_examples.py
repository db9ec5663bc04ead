"""Examples of backfills for the reference: January of 2013, half of which is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Examples = Mapping[str, Any]

_JANUARY = {"tenant": "nyc", "from": "2013-01-01T05:00:00+00:00", "to": "2013-02-01T05:00:00+00:00"}
_BACKFILL = {
    "id": "bf_5d2f0c9a1b7e4f36",
    "stream": "flights",
    "state": "running",
    "reason": "",
    "createdBy": "operator (key_5d2f0c9a1b7e4f36)",
    "createdAt": "2013-02-01T06:00:00+00:00",
    "changedAt": "2013-02-01T06:00:02+00:00",
    "finishedAt": None,
    "slots": 2100,
    "slotsDone": 1050,
    "events": 27004,
    "eventsDone": 13502,
    "batches": 1,
    "progress": 0.5,
    "secondsLeft": 1.1,
    "tenants": [
        {
            **_JANUARY,
            "slots": 2100,
            "events": 27004,
            "sealedBefore": None,
            "doneFrom": "2013-01-16T17:00:00+00:00",
            "slotsDone": 1050,
            "eventsDone": 13502,
        }
    ],
}

BACKFILLS_ASKED: Examples = {
    "January of one tenant": {
        "stream": "flights",
        "tenants": ["nyc"],
        "from": "2013-01-01",
        "to": "2013-01-31",
    },
    "The last 90 days of everyone": {"stream": "flights"},
}
BACKFILLS: Examples = {"Half done": _BACKFILL}
BACKFILL_LISTS: Examples = {"One that runs": {"backfills": [_BACKFILL], "nextCursor": None}}
BACKFILL_PLANS: Examples = {
    "January of one tenant": {
        "stream": "flights",
        "slots": 2100,
        "events": 27004,
        "seconds": 4.6,
        "tenants": [{**_JANUARY, "slots": 2100, "events": 27004, "sealedBefore": None}],
    }
}
