"""The summary of a site: a few questions to the desk, and one reply out of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, cast

from aforo.packs.together import complete_until, proof_of, require_pack
from aforo.packs.web.asked import SummaryAsked
from aforo.packs.web.reply import (
    Count,
    Days,
    FreshnessSaid,
    IngestSaid,
    Rate,
    Summary,
    SummaryMetrics,
    TrendDay,
)
from aforo.questions.answer import Answer
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.questions.compare import delta
from aforo.questions.question import TIME
from aforo.windows import Zone, parse_instant

PACK = "web"
EVENTS, LEADS = "web_events", "web_leads"
NO_SOURCE = "unknown"

Number = int | float | None


@dataclass(frozen=True, slots=True)
class Parts:
    """The answers that a summary is made of; `traffic` and `leads` are compared where that is asked."""

    traffic: Answer
    days: Answer
    sources: Answer
    leads: Answer
    lead_days: Answer
    ingest: Answer

    def each(self) -> Mapping[str, Answer]:
        """Every answer by its name in the reply."""
        return {_camel(part.name): getattr(self, part.name) for part in fields(self)}


def summary(desk: Desk, asked: SummaryAsked, askers: int = 1) -> Summary:
    """The summary with its proof, told to so many; of the default property also before its first event.

    Raises what a question does, and NotServable where the pack is not there.
    """
    begun, now = desk.clock.monotonic(), desk.clock.now()
    require_pack(desk.model, PACK, (EVENTS, LEADS))
    desk = desk.expecting(desk.settings.web.default_property)
    zone = desk.tenant_zone(asked.property_id)
    first, last = asked.days(zone, now)
    parts = _parts(desk, asked, first, last)
    return Summary(
        ok=True,
        window=Days(str(first), str(last)),
        compare_to=_compared_days(parts.traffic, zone),
        freshness=_freshness(complete_until(parts.each()), zone, now),
        metrics=_metrics(parts),
        ingest=_ingest(parts),
        trend=_trend(parts),
        proof=_proof(parts, zone, desk.clock.monotonic() - begun, askers),
    )


def _parts(desk: Desk, asked: SummaryAsked, first: date, last: date) -> Parts:
    def ask(*metrics: str, compared: bool = False, **more: Any) -> Answer:
        against = str(asked.compare) if compared and asked.compare is not None else None
        question = Asked(
            tenant=asked.property_id,
            metrics=metrics,
            from_=str(first),
            to=str(last),
            compare=against,
            **more,
        )
        return desk.ask(question)

    return Parts(
        traffic=ask(
            "web_visitors",
            "web_returning_share",
            "web_page_views",
            "web_form_completion_rate",
            "web_landing_conversion_rate",
            "web_ttfb_p95",
            compared=True,
        ),
        days=ask("web_visitors", "web_page_views", grain="day"),
        sources=ask("web_page_views", by=("traffic_source",)),
        leads=ask("web_new_leads", "web_time_to_first_capture", compared=True),
        lead_days=ask("web_new_leads", grain="day"),
        ingest=ask("ingest_accepted", "ingest_refused", where=f"stream in ('{EVENTS}', '{LEADS}')"),
    )


def _metrics(parts: Parts) -> SummaryMetrics:
    traffic, leads = parts.traffic.rows[0], parts.leads.rows[0]

    def count(row: Mapping[str, object], name: str) -> Count:
        return Count(_whole(row[name]), cast(float | None, row.get(f"{name}_delta")))

    def rate(row: Mapping[str, object], name: str) -> Rate:
        return Rate(cast(float | None, row[name]), cast(float | None, row.get(f"{name}_delta")))

    def captured(suffix: str) -> float | None:
        return _share(leads.get(f"web_new_leads{suffix}"), traffic.get(f"web_visitors{suffix}"))

    capture = captured("")
    return SummaryMetrics(
        unique_visitors=count(traffic, "web_visitors"),
        returning_visitors_pct=rate(traffic, "web_returning_share"),
        total_page_views=count(traffic, "web_page_views"),
        lead_capture_rate=Rate(capture, delta(capture, captured("_compared"))),
        form_completion_rate=rate(traffic, "web_form_completion_rate"),
        landing_page_conversion_rate=rate(traffic, "web_landing_conversion_rate"),
        avg_time_to_first_capture_hrs=rate(leads, "web_time_to_first_capture"),
        traffic_source_mix=_mix(parts.sources),
    )


def _mix(sources: Answer) -> dict[str, float]:
    """Each source's share of the page views, the largest first; those without a source are `unknown`."""
    views: dict[str, int] = {}
    for row in sources.rows:
        name = str(row["traffic_source"] or NO_SOURCE)
        views[name] = views.get(name, 0) + _whole(row["web_page_views"])
    total = sum(views.values())
    ranked = sorted(views.items(), key=lambda each: (-each[1], each[0]))
    return {name: count / total for name, count in ranked if count}


def _ingest(parts: Parts) -> IngestSaid:
    row, ttfb = parts.ingest.rows[0], parts.traffic.rows[0]["web_ttfb_p95"]
    accepted, rejected = _whole(row["ingest_accepted"]), _whole(row["ingest_refused"])
    return IngestSaid(
        success_pct=_share(accepted, accepted + rejected),
        p95_ttfb_ms=None if ttfb is None else round(cast(float, ttfb)),
        total_events_accepted=accepted,
        total_events_rejected=rejected,
    )


def _trend(parts: Parts) -> list[TrendDay]:
    return [
        TrendDay(
            day=str(day[TIME]),
            unique_visitors=_whole(day["web_visitors"]),
            page_views=_whole(day["web_page_views"]),
            new_leads=_whole(leads["web_new_leads"]),
        )
        for day, leads in zip(parts.days.rows, parts.lead_days.rows, strict=True)
    ]


def _compared_days(traffic: Answer, zone: Zone) -> Days | None:
    """The other window's days; where it was cut like an unfinished one, up to the day it was cut in."""
    if traffic.comparison is None:
        return None
    start, end = (parse_instant(str(traffic.comparison[edge])) for edge in ("from", "to"))
    return Days(str(zone.date_of(start)), str(zone.date_of(max(start, end - 1))))


def _freshness(complete: int, zone: Zone, now: int) -> FreshnessSaid:
    through = zone.date_of(complete) - timedelta(days=1)
    lag = zone.date_of(now) - through
    # Whole seconds of UTC with Z, as the contract writes them.
    generated = Zone("UTC").rfc3339(now - now % 1_000_000).removesuffix("+00:00") + "Z"
    return FreshnessSaid(str(through), lag.days, generated)


def _proof(parts: Parts, zone: Zone, took_seconds: float, askers: int) -> dict[str, Any]:
    """What holds for all parts, how exact each number is, and the proof of every answer."""
    compared = parts.traffic.comparison
    return {
        **proof_of(parts.each(), zone, took_seconds, askers),
        "exact": {
            **dict.fromkeys(SummaryMetrics.__struct_encode_fields__, True),
            "p95TtfbMs": parts.traffic.proof.exact["web_ttfb_p95"],
        },
        **({} if compared is None else {"comparison": dict(compared)}),
    }


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


def _whole(value: object) -> int:
    return cast(int, value) or 0


def _share(part: object, whole: object) -> float | None:
    return cast(float, part) / cast(float, whole) if whole and part is not None else None
