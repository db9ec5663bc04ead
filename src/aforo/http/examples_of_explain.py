"""Examples for the reference of what is behind numbers and answers, over the flights of `examples`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aforo.http.examples import AA_1141, DEFINITIONS, UA_1545, UA_1714, Examples


def _kept(flight: Mapping[str, Any]) -> dict[str, Any]:
    fields = flight["fields"]
    id_ = f"2013-01-01T10:00:00Z|{fields['carrier']}|{fields['flight']}|{fields['origin']}"
    return {"id": id_, "time": flight["time"], "commit": 1, "fields": fields}


EXPLAINED: Examples = {
    "Miles of a day": {
        "metric": DEFINITIONS["Miles, shortened"],
        "tenant": "nyc",
        "day": "2013-01-01",
        "value": 3905,
        "states": [{"name": "miles", "state": 3905}],
        "sql": [
            (
                "-- Counts, sums and extremes, merged by bucket and split.\n"
                'SELECT __bucket, sum("__m_d865e2c8641c2cc9") AS "__m_d865e2c8641c2cc9", count(*) AS __rows '
                'FROM (SELECT 0 AS __bucket, r."__m_d865e2c8641c2cc9" FROM "rollup_bc7742def17ad174_day" AS '
                "r WHERE r.tenant = $p0 AND r.start >= $p1::TIMESTAMP AND r.start < $p2::TIMESTAMP) AS rows "
                "GROUP BY ALL"
            )
        ],
        "folds": [
            {
                "day": "2013-01-01",
                "revision": 1,
                "commit": 1,
                "foldedAt": "2013-01-31T23:59:58.104000+00:00",
            }
        ],
        "events": {
            "kept": 3,
            "counted": 3,
            "sample": [_kept(UA_1714), _kept(UA_1545), _kept(AA_1141)],
            "withheld": None,
        },
        "proof": {
            "source": "rollup",
            "rollup": "network",
            "rollupHash": "bc7742def17ad174",
            "grains": ["day"],
            "rowsRead": 1,
            "considered": [
                {"rollup": "network", "chosen": True, "why": "can serve, with 0 dimensions, the fewest"},
                {"rollup": "carrier", "chosen": False, "why": "can serve, with 1 dimension"},
                {"rollup": "origin", "chosen": False, "why": "can serve, with 1 dimension"},
                {"rollup": "origin_carrier", "chosen": False, "why": "can serve, with 2 dimensions"},
                {"rollup": "route", "chosen": False, "why": "can serve, with 3 dimensions"},
            ],
            "completeUntil": "2013-01-31T19:00:00-05:00",
            "staleSeconds": 0.0,
            "exact": {"distance_total": True},
            "timezone": "America/New_York",
            "weekStart": "monday",
            "modelVersion": "50ffc29e3977",
            "commit": 1,
            "revision": 1,
            "tookMs": 2.1,
        },
    }
}
_MILES_OF_A_DAY = EXPLAINED["Miles of a day"]
EXPLAIN_ASKED: Examples = {
    "Miles of a day": {
        "tenant": "nyc",
        "metrics": ["distance_total"],
        "from": "2013-01-01",
        "to": "2013-01-01",
    }
}
ANSWERS_EXPLAINED: Examples = {
    "Miles of a day": {
        "metrics": [_MILES_OF_A_DAY["metric"]],
        "answer": {
            "columns": [{"name": "distance_total", "type": "integer", "unit": "miles"}],
            "rows": [{"distance_total": _MILES_OF_A_DAY["value"]}],
            "totals": None,
            "comparison": None,
            "proof": _MILES_OF_A_DAY["proof"],
        },
        "reads": [
            {
                "of": "rows",
                "stream": "flights",
                "rows": 1,
                "states": [{"row": {}, "states": _MILES_OF_A_DAY["states"]}],
                "sql": _MILES_OF_A_DAY["sql"],
            }
        ],
        "behind": [
            {
                "stream": "flights",
                "days": 1,
                "folds": _MILES_OF_A_DAY["folds"],
                "events": _MILES_OF_A_DAY["events"],
            }
        ],
    }
}
