"""The reply of the summary, name for name as the dashboards of sites read it."""

from __future__ import annotations

from typing import Any

import msgspec


class Said(msgspec.Struct, frozen=True, rename="camel"):
    """What the parts of the reply are made of: fields in camel case."""


class Days(Said, frozen=True):
    """A window: its first and its last day, both included."""

    from_: str = msgspec.field(name="from")
    to: str


class FreshnessSaid(Said, frozen=True):
    """The last day that is wholly counted, and how many days before today it is; 1 is as fresh as can be."""

    rolled_up_through: str
    lag_days: int
    generated_at: str


class Count(Said, frozen=True):
    """A number of things, and its relative change; null without a comparison, or where that is zero."""

    value: int
    delta: float | None


class Rate(Said, frozen=True):
    """A share or a mean, null of nothing; and its relative change, null without one or where that is zero."""

    value: float | None
    delta: float | None


class SummaryMetrics(Said, frozen=True):
    """The metrics of the whole window; shares are of 1. The mix is by page views."""

    unique_visitors: Count
    returning_visitors_pct: Rate
    total_page_views: Count
    lead_capture_rate: Rate
    form_completion_rate: Rate
    landing_page_conversion_rate: Rate
    avg_time_to_first_capture_hrs: Rate
    traffic_source_mix: dict[str, float]


class IngestSaid(Said, frozen=True):
    """What arrived in the window, whatever time its events bear; and how fast pages began to come."""

    success_pct: float | None
    p95_ttfb_ms: int | None
    total_events_accepted: int
    total_events_rejected: int


class TrendDay(Said, frozen=True):
    """One day of the window."""

    day: str
    unique_visitors: int
    page_views: int
    new_leads: int


class Summary(Said, frozen=True):
    """The summary of a window. `compareTo` is null where nothing is compared."""

    ok: bool
    window: Days
    compare_to: Days | None
    freshness: FreshnessSaid
    metrics: SummaryMetrics
    ingest: IngestSaid
    trend: list[TrendDay]
    proof: dict[str, Any]
