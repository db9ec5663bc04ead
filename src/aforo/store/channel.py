"""The channels: by what names messages of runs are sent and received."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """Every topic and queue there is."""

    METRIC_RUN_REQUESTS = "metric-run-requests"
    METRIC_RUN_STARTED = "metric-run-started"
    METRIC_RUN_HEARTBEATS = "metric-run-heartbeats"
    METRIC_RUN_COMPLETED = "metric-run-completed"
    PROJECTION_UPDATES = "projection-updates"
