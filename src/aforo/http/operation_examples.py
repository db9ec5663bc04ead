"""Examples for the reference of what operators ask a server, and what it says."""

from __future__ import annotations

from aforo.http.examples import AA_1141, Examples

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
            "store": {"status": "healthy", "detail": ""},
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
