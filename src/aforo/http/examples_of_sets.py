"""Examples for the reference of who comes back and how far, over the flights of `examples`."""

from __future__ import annotations

from aforo.http.examples import Examples

RETENTION_ASKED: Examples = {
    "Aircraft by the day of their first flight": {
        "tenant": "nyc",
        "metric": "aircraft",
        "from": "2013-01-01",
        "to": "2013-01-02",
        "grain": "day",
    }
}
RETENTION: Examples = {
    "Aircraft by the day of their first flight": {
        "metric": "aircraft",
        "returns": "aircraft",
        "grain": "day",
        "cohorts": [
            {"cohort": "2013-01-01", "partial": False, "size": 3, "returned": [3, 0], "shares": [1.0, 0.0]},
            {"cohort": "2013-01-02", "partial": False, "size": 0, "returned": [0], "shares": [None]},
        ],
        "proof": {
            "source": "rollup",
            "rollup": "network",
            "rollupHash": "bc7742def17ad174",
            "grains": ["day"],
            "rowsRead": 2,
            "considered": [
                {"rollup": "network", "chosen": True, "why": "can serve, with 0 dimensions, the fewest"},
                {"rollup": "carrier", "chosen": False, "why": "can serve, with 1 dimension"},
                {"rollup": "origin", "chosen": False, "why": "can serve, with 1 dimension"},
                {"rollup": "origin_carrier", "chosen": False, "why": "can serve, with 2 dimensions"},
                {"rollup": "route", "chosen": False, "why": "can serve, with 3 dimensions"},
            ],
            "seenBefore": {
                "source": "rollup",
                "rollup": "network",
                "rollupHash": "bc7742def17ad174",
                "grains": ["day"],
                "rowsRead": 0,
            },
            "completeUntil": "2013-01-31T19:00:00-05:00",
            "staleSeconds": 0.0,
            "exact": {"aircraft": True},
            "timezone": "America/New_York",
            "weekStart": "monday",
            "modelVersion": "50ffc29e3977",
            "commit": 2,
            "revision": 1,
            "tookMs": 4.2,
        },
    }
}
FUNNELS_ASKED: Examples = {
    "Destinations served from Newark, and within an hour from LaGuardia": {
        "tenant": "nyc",
        "entity": "destination",
        "stream": "flights",
        "steps": [
            {"name": "from Newark", "where": 'origin = "EWR"'},
            {"where": [{"dimension": "origin", "op": "=", "value": "LGA"}]},
        ],
        "from": "2013-01-01",
        "to": "2013-01-01",
        "within": "1h",
    }
}
FUNNELS: Examples = {
    "Destinations served from Newark, and within an hour from LaGuardia": {
        "entity": "destination",
        "steps": [
            {"step": 1, "name": "from Newark", "count": 1, "share": 1.0, "shareOfPrevious": 1.0},
            {"step": 2, "name": "flights: origin = 'LGA'", "count": 1, "share": 1.0, "shareOfPrevious": 1.0},
        ],
        "proof": {
            "source": "rollup",
            "rollup": "origin",
            "rollupHash": "c629c33e1dc84d52",
            "grains": ["day"],
            "rowsRead": 4,
            "considered": [
                {"rollup": "network", "chosen": False, "why": "is not split by origin"},
                {"rollup": "carrier", "chosen": False, "why": "is not split by origin"},
                {"rollup": "origin", "chosen": True, "why": "can serve, with 1 dimension, the fewest"},
                {"rollup": "origin_carrier", "chosen": False, "why": "can serve, with 2 dimensions"},
                {"rollup": "route", "chosen": False, "why": "can serve, with 3 dimensions"},
            ],
            "alsoRead": [
                {
                    "source": "raw",
                    "reason": "sets of days leave open how far 1 came (each one destination), "
                    "since they tell no order within one",
                    "rowsRead": 2,
                }
            ],
            "completeUntil": "2013-01-31T19:00:00-05:00",
            "staleSeconds": 0.0,
            "exact": {"from Newark": True, "flights: origin = 'LGA'": True},
            "timezone": "America/New_York",
            "weekStart": "monday",
            "modelVersion": "50ffc29e3977",
            "commit": 2,
            "revision": 1,
            "tookMs": 4.2,
            "guard": {
                "rawRowsExpected": 3,
                "rawRowsLimit": 50_000_000,
                "rawBytesExpected": 54,
                "rawBytesLimit": 17_179_869_184,
                "timeLimitSeconds": 30.0,
            },
        },
    }
}
SEEN_ASKED: Examples = {"An aircraft": {"tenant": "nyc", "entity": "aircraft", "value": "N14228"}}
SEEN: Examples = {
    "An aircraft whose first events were purged": {
        "tenant": "nyc",
        "entity": "aircraft",
        "first": {"time": "2013-01-01", "exactTo": "day"},
        "last": {"time": "2013-07-04T10:30:00-04:00", "exactTo": "event"},
        "knownFrom": None,
    }
}
