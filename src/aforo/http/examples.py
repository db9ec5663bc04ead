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
