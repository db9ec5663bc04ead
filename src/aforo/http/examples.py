"""Examples for the reference: the first flights of 2013 from New York, and what the server says of them.

A test sends every request here and compares what comes back with the reply beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Examples = Mapping[str, Any]


def _flight(time: str, carrier: str, flight: int, origin: str, dest: str, **fields: object) -> dict[str, Any]:
    return {
        "stream": "flights",
        "tenant": "nyc",
        "time": time,
        "fields": {
            "time_hour": "2013-01-01T05:00:00-05:00",
            "carrier": carrier,
            "flight": flight,
            "origin": origin,
            "dest": dest,
            **fields,
        },
    }


UA_1545 = _flight(
    "2013-01-01T05:15:00-05:00", "UA", 1545, "EWR", "IAH", tailnum="N14228",
    sched_dep_time=515, dep_time=517, dep_delay=2, sched_arr_time=819, arr_time=830, arr_delay=11,
    air_time=227, distance=1400,
)  # fmt: skip
UA_1714 = _flight(
    "2013-01-01T05:29:00-05:00", "UA", 1714, "LGA", "IAH", tailnum="N24211",
    sched_dep_time=529, dep_time=533, dep_delay=4, sched_arr_time=830, arr_time=850, arr_delay=20,
    air_time=227, distance=1416,
)  # fmt: skip
AA_1141 = _flight(
    "2013-01-01T05:40:00-05:00", "AA", 1141, "JFK", "MIA", tailnum="N619AA",
    sched_dep_time=540, dep_time=542, dep_delay=2, sched_arr_time=850, arr_time=923, arr_delay=33,
    air_time=160, distance=1089,
)  # fmt: skip


_MEASURES = (
    *("scheduled", "never_departed", "dep_delay_sum", "dep_delay_count", "dep_delays", "arr_delay_sum"),
    *("arr_delay_count", "tails", "dests", "miles", "minutes_in_air"),
)
_MILES = {
    "name": "miles",
    "kind": "sum",
    "field": "distance",
    "entity": None,
    "where": "",
    "hash": "d865e2c8641c2cc9",
}
_ORIGIN = {
    "name": "origin",
    "dimensions": ["origin"],
    "grain": "slot",
    "measures": list(_MEASURES),
    "hash": "c629c33e1dc84d52",
}
_DISTANCE = {
    "name": "distance_total",
    "stream": "flights",
    "formula": "miles",
    "unit": "miles",
    "format": "integer",
    "owner": "network-planning",
    "description": "Miles between the airports of all scheduled departures, flown or not",
}

EVENTS: Examples = {
    "One flight": UA_1545,
    "Three flights, one of them again, and one that cannot be": {
        "events": [
            UA_1545,
            UA_1714,
            AA_1141,
            UA_1714,
            {**AA_1141, "fields": {**AA_1141["fields"], "distance": "far"}},
        ]
    },
}
EVENT_LINES: Examples = {
    "Two flights": "".join(json.dumps(flight) + "\n" for flight in (UA_1545, UA_1714)),
}
EVENT_FORMS: Examples = {
    "A form of a page": {"writeKey": "aforo_(a public key)", "events": json.dumps(UA_1545)},
}
RECEIPTS: Examples = {
    "One flight": {
        "accepted": 1,
        "duplicates": 0,
        "refused": [],
        "completeUntil": "2013-01-01T10:15:00+00:00",
    },
    "Three flights, one of them again, and one that cannot be": {
        "accepted": 3,
        "duplicates": 1,
        "refused": [
            {
                "index": 4,
                "code": "wrong_type",
                "detail": 'field distance: came "far", wanted integer',
            }
        ],
        "completeUntil": "2013-01-01T10:15:00+00:00",
    },
}

QUESTIONS: Examples = {
    "Delays of a day by airport": {
        "tenant": "nyc",
        "metrics": ["flights", "dep_delay_avg"],
        "from": "2013-01-01",
        "to": "2013-01-01",
        "grain": "day",
        "by": ["origin"],
    },
    "A carrier's month, beside the one before": {
        "tenant": "nyc",
        "metrics": ["flights"],
        "from": "2013-01-01",
        "to": "2013-01-31",
        "where": [{"dimension": "carrier", "op": "=", "value": "UA"}],
        "compare": "previous",
    },
}
ANSWERS: Examples = {
    "Delays of a day by airport": {
        "columns": [
            {"name": "time", "type": "date", "unit": None},
            {"name": "origin", "type": "string", "unit": None},
            {"name": "flights", "type": "integer", "unit": "flights"},
            {"name": "dep_delay_avg", "type": "number", "unit": "minutes"},
        ],
        "rows": [
            {"time": "2013-01-01", "origin": "EWR", "flights": 1, "dep_delay_avg": 2.0},
            {"time": "2013-01-01", "origin": "JFK", "flights": 1, "dep_delay_avg": 2.0},
            {"time": "2013-01-01", "origin": "LGA", "flights": 1, "dep_delay_avg": 4.0},
        ],
        "totals": None,
        "comparison": None,
        "proof": {
            "source": "rollup",
            "rollup": "origin",
            "rollupHash": "c629c33e1dc84d52",
            "grains": ["day"],
            "rowsRead": 3,
            "considered": [
                {"rollup": "network", "chosen": False, "why": "is not split by origin"},
                {"rollup": "carrier", "chosen": False, "why": "is not split by origin"},
                {"rollup": "origin", "chosen": True, "why": "can serve, with 1 dimension, the fewest"},
                {"rollup": "origin_carrier", "chosen": False, "why": "can serve, with 2 dimensions"},
                {"rollup": "route", "chosen": False, "why": "can serve, with 3 dimensions"},
            ],
            "completeUntil": "2013-01-31T19:00:00-05:00",
            "staleSeconds": 0.0,
            "exact": {"flights": True, "dep_delay_avg": True},
            "timezone": "America/New_York",
            "weekStart": "monday",
            "modelVersion": "50ffc29e3977",
            "commit": 1,
            "revision": 1,
            "tookMs": 4.2,
        },
    },
}
CSV_ANSWERS: Examples = {
    "Delays of a day by airport": (
        'time,origin,flights,dep_delay_avg\r\n2013-01-01,"EWR",1,2.0\r\n2013-01-01,"JFK",1,2.0\r\n'
        '2013-01-01,"LGA",1,4.0\r\n'
    ),
}

MODELS: Examples = {
    "The flights, shortened": {
        "version": "50ffc29e3977",
        "streams": [
            {
                "name": "flights",
                "description": "One scheduled departure",
                "id": ["time_hour", "carrier", "flight", "origin"],
                "extra": "refuse",
                "derived": None,
                "fields": [
                    {
                        "name": "distance",
                        "type": "integer",
                        "required": True,
                        "unit": "miles",
                        "minimum": 1,
                        "maximum": 12500,
                        "maxLength": None,
                        "description": "Between the airports",
                    }
                ],
                "dimensions": ["carrier", "origin", "dest"],
                "measures": [_MILES],
                "rollups": [_ORIGIN],
            }
        ],
        "metrics": [_DISTANCE],
    }
}
DEFINITIONS: Examples = {
    "Miles, shortened": {
        **_DISTANCE,
        "measures": [_MILES],
        "rollups": [_ORIGIN],
        "modelVersion": "50ffc29e3977",
    }
}

_REPORTS_KEY = {
    "id": "key_5d2f0c9a1b7e4f36",
    "name": "reports",
    "principal": {"kind": "team", "name": "network planning"},
    "kind": "secret",
    "scopes": ["read"],
    "tenants": ["nyc"],
    "origins": [],
    "requestsPerSecond": None,
    "burstRequests": None,
    "rawRows": None,
    "rawBytes": None,
    "state": "good",
    "createdAt": "2013-02-01T00:00:00+00:00",
    "expiresAt": "2014-02-01T00:00:00+00:00",
    "revokedAt": None,
    "lastUsedAt": None,
}
KEYS_ASKED: Examples = {
    "For a report of one tenant": {
        "name": "reports",
        "scopes": ["read"],
        "tenants": ["nyc"],
        "principal": {"kind": "team", "name": "network planning"},
        "expiresAt": "2014-02-01T00:00:00Z",
    },
    "For a page": {
        "name": "departures page",
        "kind": "public",
        "tenants": ["nyc"],
        "origins": ["https://departures.example"],
    },
}
KEYS_MADE: Examples = {
    "For a report of one tenant": {"secret": "aforo_(told this once)", "key": _REPORTS_KEY}
}
KEYS: Examples = {"Revoked": {**_REPORTS_KEY, "state": "revoked", "revokedAt": "2013-02-01T00:00:00+00:00"}}
KEY_LISTS: Examples = {"One key": {"keys": [_REPORTS_KEY], "nextCursor": None}}
AUDITS: Examples = {
    "A key was made": {
        "acts": [
            {
                "id": 1,
                "at": "2013-02-01T00:00:00+00:00",
                "action": "key_created",
                "actor": "command line",
                "address": "127.0.0.1",
                "subject": "key_5d2f0c9a1b7e4f36",
                "detail": "reports: secret, read, for nyc",
            }
        ],
        "nextCursor": None,
    }
}

NO_PARAMETERS: Examples = {"Nothing to choose": {}}
FOLDS: Examples = {"Three slots": {"slots": 3, "tookMs": 12.5}}
COMPACTIONS: Examples = {
    "Late events put in their place": {
        "events": 3000000,
        "bytesBefore": 268173312,
        "bytesAfter": 197132288,
        "bytesPerEvent": 65.7,
        "freeBytes": 4718592,
        "outOfOrderBefore": 30000,
        "outOfOrderAfter": 0,
        "moved": 2949120,
        "finished": True,
        "tookMs": 8125.3,
    }
}
CACHES: Examples = {
    "In memory": {"shelf": "memory", "entries": 1, "bytes": 2061, "hits": 3, "misses": 1, "joined": 0}
}
CACHE_CLEARS: Examples = {"Everything": {}, "A tenant's": {"tag": "tenant:nyc"}}
CACHES_CLEARED: Examples = {"One answer": {"cleared": 1}}
DRIFT_ASKED: Examples = {"All days": {}, "Ten days, taken by lot": {"sampleDays": 10}}
_NO_DRIFT = {
    "checkedAt": "2013-02-01T00:00:00+00:00",
    "tookMs": 48.2,
    "keptDays": 1,
    "days": 1,
    "waiting": 0,
    "found": 0,
    "marked": 0,
    "returned": 0,
    "differences": [],
    "returnedIds": [],
}
DRIFTS: Examples = {
    "No drift": _NO_DRIFT,
    "A sum that is wrong": {
        **_NO_DRIFT,
        "found": 1,
        "marked": 1,
        "differences": [
            {
                "stream": "flights",
                "tenant": "nyc",
                "rollup": "routes",
                "period": "day",
                "start": "2013-01-01T05:00:00+00:00",
                "split": {"origin": "EWR", "dest": "IAH", "carrier": "UA"},
                "measure": "miles",
                "against": "slots",
                "wanted": "1400",
                "kept": "1401",
            }
        ],
    },
}
LAST_DRIFT: Examples = {
    "Before the first": {"last": None, "running": None, "failed": None},
    "At the first": {
        "last": None,
        "running": {"sampleDays": None, "daysDone": 31, "days": 365},
        "failed": None,
    },
}
REPORTS: Examples = {
    "Three flights": {
        "version": "0.1.0",
        "engine": "embedded",
        "engineVersion": "2.0.0",
        "store": "/var/lib/aforo/control.db",
        "storeVersion": "SQLite 3.40.1",
        "modelVersion": "50ffc29e3977",
        "commit": 1,
        "fileBytes": 46662,
        "fileBytesPerEvent": 15554.0,
        "freeBytes": 0,
        "outOfOrder": 0,
        "streams": [
            {
                "stream": "flights",
                "tenant": "nyc",
                "events": 3,
                "first": "2013-01-01T10:15:00+00:00",
                "last": "2013-01-01T10:30:00+00:00",
                "dirtySlots": 0,
            }
        ],
        "outcomes": {"accepted": 3, "duplicate": 1, "wrong_type": 1},
        "builds": [],
        "lags": [
            {
                "stream": "flights",
                "commits": 1,
                "longestSeconds": 0.0,
                "late": 0,
                "waitingSeconds": 0.0,
            }
        ],
    }
}
REFUSALS: Examples = {
    "One flight": {
        "refusals": [
            {
                "at": "2013-02-01T00:00:00+00:00",
                "stream": "flights",
                "tenant": "nyc",
                "code": "wrong_type",
                "detail": 'field distance: came "far", wanted integer',
                "names": {
                    "stream": "string",
                    "tenant": "string",
                    "time": "string",
                    **{
                        f"fields.{name}": "integer" if isinstance(value, int) else "string"
                        for name, value in AA_1141["fields"].items()
                    },
                    "fields.distance": "string",
                },
            }
        ],
        "nextCursor": None,
    }
}
REFUSAL_REPORTS: Examples = {
    "A row of a file": {
        "refused": [
            {
                "stream": "flights",
                "tenant": "nyc",
                "code": "wrong_type",
                "count": 1,
                "samples": [
                    {
                        "detail": 'field distance: came "far", wanted integer',
                        "names": {"stream": "string", "fields.distance": "string"},
                    }
                ],
            }
        ]
    }
}
REPORTED: Examples = {"A row of a file": {"counted": 1}}
HEALTH: Examples = {
    "All is well": {
        "status": "healthy",
        "version": "0.1.0",
        "engine": "embedded",
        "uptimeSeconds": 86400.0,
        "components": {
            "engine": {"status": "healthy", "detail": ""},
            "intake": {"status": "healthy", "detail": ""},
        },
    }
}
READY: Examples = {"Ready": {"ready": True}}
METRICS: Examples = {
    "Events taken": (
        "# HELP aforo_events_accepted_total Events committed.\n"
        "# TYPE aforo_events_accepted_total counter\n"
        'aforo_events_accepted_total{stream="flights"} 336776.0\n'
    )
}
