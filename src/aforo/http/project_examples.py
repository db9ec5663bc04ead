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
