"""Examples of the reference for metrics of projects; a test sends what is sent here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Examples = Mapping[str, Any]

EVENTS: Examples = {
    "A budget that is nearly spent": {
        "weddingId": "w123",
        "module": "finance",
        "event": "budget_over_threshold",
        "payload": {"categoryId": "venue", "percentage": 0.92, "timestamp": "2025-10-14T10:03:22.000Z"},
        "meta": {"source": "performanceMonitor", "version": "1.0.0"},
    },
    "With an id of its own, at the time of its arrival": {
        "weddingId": "w123",
        "module": "emailMetrics",
        "event": "email_bounced",
        "eventId": "mail-8817",
    },
}
TAKEN: Examples = {"Kept": {"accepted": True, "eventId": "mail-8817"}}
_MOMENT = {
    "completeUntil": "2025-10-14T10:05:00+00:00",
    "staleSeconds": 0.0,
    "timezone": "UTC",
    "weekStart": "monday",
    "modelVersion": "cbd6d6a95eae",
}


def _part(rollup: str, rows: int, exact: tuple[str, ...]) -> dict[str, object]:
    """The proof of one of the answers that the reply is made of."""
    return {
        "source": "rollup",
        "rollup": rollup,
        "rollupHash": "5c2b91cfe2d8a1b0",
        "grains": ["day"],
        "rowsRead": rows,
        "considered": [{"rollup": rollup, "chosen": True, "why": "can serve, with 1 dimension, the fewest"}],
        **_MOMENT,
        "exact": dict.fromkeys(exact, True),
        "commit": 3,
        "revision": 2,
        "tookMs": 1.9,
    }


METRICS: Examples = {
    "Finances of two weeks' parts": {
        "weddingId": "w123",
        "module": "finance",
        "range": "7d",
        "groupBy": "weekly",
        "points": [
            {"date": "2025-10-06", "alerts": 2, "transactions": 14, "overBudget": 1, "partial": True},
            {"date": "2025-10-13", "alerts": 1, "transactions": 0, "overBudget": 1, "partial": True},
        ],
        "totals": {"events": 17, "alerts": 3, "errors": 0},
        "breakdown": [
            {"key": "transaction_added", "count": 14, "lastEventAt": "2025-10-12T18:20:00.000Z"},
            {"key": "budget_over_threshold", "count": 2, "lastEventAt": "2025-10-14T10:03:22.000Z"},
            {"key": "price_alert", "count": 1, "lastEventAt": "2025-10-09T07:00:00.000Z"},
        ],
        "refreshedAt": "2025-10-14T10:05:00.000Z",
        "source": "metricAggregatorWorker",
        "meta": {"version": "2025.10.1"},
        "sla": {
            "targetSeconds": 300.0,
            "met": True,
            "behindSeconds": 0.0,
            "longestSeconds": 1.204,
            "commits": 17,
            "late": 0,
        },
        "proof": {
            **_MOMENT,
            "parts": {
                "points": _part("modules", 4, ("project_alerts", "project_transactions")),
                "breakdown": _part("keys", 3, ("project_events", "project_last_event")),
            },
            "tookMs": 6.1,
        },
    }
}
