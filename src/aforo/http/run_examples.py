"""Examples of runs for the reference: the share of consumption in a product, read from one dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Examples = Mapping[str, Any]

_MANIFEST = "file:///srv/macro/2009-q3.json"
_UPDATED = "2009-10-30T08:00:00+00:00"
_RESULT = (
    "file:///srv/aforo-data/results/economy/CONSUMPTION_SHARE/run_5d2f0c9a1b7e4f36/1/manifest-4c1f0b2e.json"
)
_SERIES = {"tenant": "economy", "unit": "usd", "datasetId": "macro"}
_GDP = {**_SERIES, "code": "GDP", "name": "Gross domestic product", "column": "realgdp"}
_CONS = {**_SERIES, "code": "CONSUMPTION", "name": "Consumption", "column": "realcons"}
_EXPRESSION = {"numerator": {"series": "CONSUMPTION"}, "denominator": {"series": "GDP"}}
_SHARE = {
    "tenant": "economy",
    "code": "CONSUMPTION_SHARE",
    "name": "Consumption in the product",
    "expressionType": "ratio",
    "expressionJson": _EXPRESSION,
    "unit": None,
    "requiredDays": 92,
    "version": 1,
    "reads": ["CONSUMPTION", "GDP"],
    "createdAt": "2009-10-01T08:00:00+00:00",
    "changedAt": "2009-10-01T08:00:00+00:00",
}
_REQUESTED = {
    "id": "run_5d2f0c9a1b7e4f36",
    "tenant": "economy",
    "metric": "CONSUMPTION_SHARE",
    "state": "REQUESTED",
    "cause": "update",
    "attempt": 1,
    "pinned": False,
    "followUp": False,
    "triggeredAt": _UPDATED,
    "createdAt": "2009-10-30T08:00:01+00:00",
    "createdBy": "",
    "requestedAt": "2009-10-30T08:00:01+00:00",
    "startedAt": None,
    "finishedAt": None,
    "expiresAt": None,
    "notBefore": None,
    "worker": None,
    "manifestUri": None,
    "rowCount": None,
    "error": None,
    "reason": "",
}
_SUCCEEDED = {
    **_REQUESTED,
    "state": "SUCCEEDED",
    "startedAt": "2009-10-30T08:00:02+00:00",
    "finishedAt": "2009-10-30T08:00:03+00:00",
    "worker": "calculator:4711",
    "manifestUri": _RESULT,
    "rowCount": 203,
}
_CANCELLED = {
    **_REQUESTED,
    "state": "CANCELLED",
    "finishedAt": "2009-10-30T08:00:02+00:00",
    "reason": "by operator (key_5d2f0c9a1b7e4f36)",
}
_BY_HAND = {**_REQUESTED, "cause": "by_hand", "createdBy": "operator (key_5d2f0c9a1b7e4f36)"}
_AGAIN = {**_BY_HAND, "id": "run_8e1f0a9b7c6d5e4f", "cause": "rerun", "pinned": True}
_VERSION = {"datasetId": "macro", "updateId": "17", "manifestUri": _MANIFEST, "updatedAt": _UPDATED}
_LINE = {
    "id": "41",
    "at": "2009-10-30T08:00:01+00:00",
    "kind": "run_requested",
    "metric": "CONSUMPTION_SHARE",
    "runId": "run_5d2f0c9a1b7e4f36",
    "attempt": 1,
    "datasetId": None,
    "updateId": None,
    "detail": "macro#17",
}
_DONE = {**_LINE, "id": "43", "at": "2009-10-30T08:00:03+00:00", "kind": "run_succeeded", "detail": ""}
_MACRO = {
    "id": "macro",
    "tenant": "economy",
    "kind": "outside",
    "name": "United States, by quarters",
    "prefix": "file:///srv/macro/",
    "newest": _VERSION,
    "createdAt": "2009-10-01T08:00:00+00:00",
    "changedAt": "2009-10-01T08:00:00+00:00",
}
_UPDATE = {
    "updateId": "17",
    "manifestUri": _MANIFEST,
    "updatedAt": _UPDATED,
    "receivedAt": "2009-10-30T08:00:01+00:00",
    "eventKey": "macro-2009-q3",
    "rowCount": 203,
}

DEFINITIONS_ASKED: Examples = {
    "A dataset and a metric": {
        "datasets": [
            {
                "id": "macro",
                "name": "United States, by quarters",
                "prefix": "file:///srv/macro/",
                "series": [
                    {"code": "GDP", "unit": "usd", "column": "realgdp"},
                    {"code": "CONSUMPTION", "unit": "usd", "column": "realcons"},
                ],
            }
        ],
        "metrics": [
            {
                "code": "CONSUMPTION_SHARE",
                "name": "Consumption in the product",
                "expressionType": "ratio",
                "expressionJson": _EXPRESSION,
                "requiredDays": 92,
            }
        ],
    }
}
DEFINED: Examples = {"Defined": {"tenant": "economy", "datasets": 1, "series": 2, "metrics": 1}}
UPDATES_ASKED: Examples = {
    "A new version": {
        "eventId": "macro-2009-q3",
        "manifestUri": _MANIFEST,
        "updatedAt": "2009-10-30T08:00:00Z",
        "rowCount": 203,
    }
}
REACTIONS: Examples = {
    "A run": {"updateId": "17", "repeated": False, "older": False, "runs": [_REQUESTED]},
    "Known already": {"updateId": "17", "repeated": True, "older": False, "runs": []},
}
DATASET_LISTS: Examples = {"One": {"datasets": [_MACRO], "nextCursor": None}}
WHOLE_DATASETS: Examples = {
    "With a version": {"dataset": _MACRO, "series": [_CONS, _GDP], "versions": [_UPDATE]}
}
SERIES_LISTS: Examples = {"Two": {"series": [_CONS, _GDP], "nextCursor": None}}
MEASURED: Examples = {
    "Flights": {
        "datasetId": "rollup:flights:nyc",
        "column": "flights",
        "unit": "flights",
        "dates": ["2013-01-01", "2013-01-02"],
        "values": [842.0, 943.0],
    }
}
METRIC_LISTS: Examples = {"One": {"metrics": [_SHARE], "nextCursor": None}}
METRICS: Examples = {"A ratio": _SHARE}
WHYS: Examples = {
    "It has run": {
        "metric": _SHARE,
        "verdict": "nothing waits; the last run, run_5d2f0c9a1b7e4f36, has SUCCEEDED",
        "ready": True,
        "series": [_CONS, _GDP],
        "versions": [_VERSION],
        "missing": [],
        "waiting": None,
        "going": None,
        "last": [_SUCCEEDED],
        "log": [_DONE, _LINE],
    }
}
LINEAGES: Examples = {
    "A ratio": {
        "tenant": "economy",
        "code": "CONSUMPTION_SHARE",
        "madeFrom": [
            {"code": "CONSUMPTION", "isMetric": False, "datasetId": "macro"},
            {"code": "GDP", "isMetric": False, "datasetId": "macro"},
        ],
        "usedBy": [],
    }
}
RUN_LISTS: Examples = {"One that is over": {"runs": [_SUCCEEDED], "nextCursor": None}}
WHOLE_RUNS: Examples = {
    "Over": {"run": _SUCCEEDED, "versions": [_VERSION], "missing": [], "lease": None},
    "Under way": {
        "run": _REQUESTED,
        "versions": [_VERSION],
        "missing": [],
        "lease": {"until": "2009-10-30T08:05:01+00:00", "heardAt": None, "progress": None},
    },
}
RUN_LOGS: Examples = {"From its request on": {"log": [_LINE, _DONE], "nextCursor": None}}
CANCELLED_RUNS: Examples = {"Cancelled": _CANCELLED}
RUNS_BY_HAND: Examples = {"Requested": _BY_HAND}
RUNS_AGAIN: Examples = {"Requested": _AGAIN}
QUEUE_LISTS: Examples = {
    "All at rest but one": {
        "queues": [
            {"name": "outbox", "waiting": 0, "inHand": 0, "buried": 0},
            {"name": "metric-run-requests", "waiting": 2, "inHand": 1, "buried": 0},
            {"name": "metric-run-started", "waiting": 0, "inHand": 0, "buried": 0},
            {"name": "metric-run-heartbeats", "waiting": 0, "inHand": 0, "buried": 0},
            {"name": "metric-run-completed", "waiting": 0, "inHand": 0, "buried": 0},
            {"name": "projection-updates", "waiting": 0, "inHand": 0, "buried": 1},
        ]
    }
}
BURIED_LISTS: Examples = {
    "A message that is none": {
        "name": "projection-updates",
        "buried": [{"reason": "the message is no JSON", "body": "macro was updated"}],
    }
}
REDRIVEN: Examples = {"One": {"name": "projection-updates", "redriven": 1}}
