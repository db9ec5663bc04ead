"""The metrics of a project's module: two questions to the desk, and one reply out of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from aforo.clock import MICROSECONDS
from aforo.packs.projects import STREAM
from aforo.packs.projects.asked import MetricsAsked
from aforo.packs.projects.modules import ANY, columns_of
from aforo.packs.projects.reply import VERSION, KeyCount, Meta, OtherKeys, ProjectMetrics, Sla, Totals
from aforo.packs.together import proof_of
from aforo.questions.answer import Answer
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked, AskedCondition, AskedOrder
from aforo.questions.question import OTHER, PARTIAL, TIME
from aforo.rollups.lag import TARGET_SECONDS, FoldLag, Lag
from aforo.windows import parse_instant

SOURCE = "metricAggregatorWorker"
MOST_KEYS = 500
"""Keys that are told one by one, those that happened most often; others together."""

EVENTS, LAST = "project_events", "project_last_event"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def project_metrics(desk: Desk, lag: FoldLag, asked: MetricsAsked, askers: int = 1) -> ProjectMetrics:
    """The reply with its proof, as it is told to so many. Raises what a question does."""
    begun, now = desk.clock.monotonic(), desk.clock.now()
    zone = desk.tenant_zone(asked.wedding_id)
    days = asked.days(zone, now)
    points, keys = _points(desk, asked, days), _keys(desk, asked, days)
    parts = {"points": points, "breakdown": keys}
    stale = max(part.proof.freshness.stale_seconds for part in parts.values())
    refreshed = now - round(stale * MICROSECONDS)
    listed = [_key(row) for row in keys.rows if not row.get(OTHER)]
    others = [
        OtherKeys(cast(int, row[EVENTS]), _last(row)) for row in keys.rows if row.get(OTHER) and row[EVENTS]
    ]
    more: dict[str, Any] = {"breakdown_other": others[0]} if others else {}
    return ProjectMetrics(
        wedding_id=asked.wedding_id,
        module=asked.module,
        range=str(asked.range),
        group_by=str(asked.group_by),
        points=[_point(row, asked.module) for row in points.rows],
        totals=_totals(points),
        breakdown=sorted(listed, key=lambda each: (-each.count, each.key)),
        refreshed_at=written(refreshed - refreshed % 1000),
        source=SOURCE,
        meta=Meta(VERSION),
        sla=_sla(lag.of(STREAM), stale),
        proof=proof_of(parts, zone, desk.clock.monotonic() - begun, askers),
        **more,
    )


def written(time: int) -> str:
    """An instant as the dashboard writes it, with milliseconds, or microseconds where there are any."""
    digits = "microseconds" if time % 1000 else "milliseconds"
    told = (_EPOCH + timedelta(microseconds=time)).isoformat(timespec=digits)
    return told.replace("+00:00", "Z")


def _sla(lag: Lag, behind: float) -> Sla:
    return Sla(
        target_seconds=TARGET_SECONDS,
        met=not lag.late and behind <= TARGET_SECONDS,
        behind_seconds=round(behind, 3),
        longest_seconds=None if lag.longest_seconds is None else round(lag.longest_seconds, 3),
        commits=lag.commits,
        late=lag.late,
    )


def _points(desk: Desk, asked: MetricsAsked, days: tuple[date, date]) -> Answer:
    """The module's columns by day or week, and the totals of all."""
    metrics = tuple(dict.fromkeys((*columns_of(asked.module).values(), *ANY.values())))
    return desk.ask(_asked(asked, days, metrics=metrics, grain=str(asked.group_by.grain), totals=True))


def _keys(desk: Desk, asked: MetricsAsked, days: tuple[date, date]) -> Answer:
    """How often each event happened, and when it did last."""
    order = (AskedOrder(EVENTS, descending=True),)
    return desk.ask(_asked(asked, days, metrics=(EVENTS, LAST), by=("event",), order=order, limit=MOST_KEYS))


def _asked(asked: MetricsAsked, days: tuple[date, date], **more: Any) -> Asked:
    module = AskedCondition(dimension="module", value=asked.module)
    return Asked(tenant=asked.wedding_id, from_=str(days[0]), to=str(days[1]), where=(module,), **more)


def _point(row: Mapping[str, object], module: str) -> dict[str, Any]:
    cut = {PARTIAL: True} if row.get(PARTIAL) else {}
    columns = {column: row[metric] for column, metric in columns_of(module).items()}
    return {"date": row[TIME], **columns, **cut}


def _totals(points: Answer) -> Totals:
    assert points.totals is not None, "they were asked"
    return Totals(**{name: cast("int | None", points.totals[metric]) for name, metric in ANY.items()})


def _key(row: Mapping[str, object]) -> KeyCount:
    return KeyCount(str(row["event"]), cast(int, row[EVENTS]), _last(row))


def _last(row: Mapping[str, object]) -> str | None:
    last = row[LAST]
    return None if last is None else written(parse_instant(str(last)))
