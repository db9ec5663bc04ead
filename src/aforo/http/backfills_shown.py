"""Backfills, and plans of them, as they are shown."""

from __future__ import annotations

import msgspec

from aforo.http.reply import Shape, instant
from aforo.rollups.backfill import Plan, estimated
from aforo.store.backfill import Backfill, BackfillState, Part, Span


class SpanReply(Shape, frozen=True):
    """One tenant's window of whole slots, and what it holds.

    `sealedBefore` is told where more was asked: raw events before it were purged, and their rollups stay.
    """

    tenant: str
    from_: str = msgspec.field(name="from")
    to: str
    slots: int
    events: int
    sealed_before: str | None


class PlanReply(Shape, frozen=True):
    """What a backfill would fold again, and about how many seconds that takes."""

    stream: str
    slots: int
    events: int
    seconds: float
    tenants: tuple[SpanReply, ...]


class PartReply(Shape, frozen=True):
    """One tenant's window, and how far it is done: all from `doneFrom` on."""

    tenant: str
    from_: str = msgspec.field(name="from")
    to: str
    slots: int
    events: int
    sealed_before: str | None
    done_from: str
    slots_done: int
    events_done: int


class BackfillReply(Shape, frozen=True):
    """A backfill. `progress` is the share of the work that is done, by its slots and their events.

    `secondsLeft` is an estimate of the rest of it, without the pauses between batches.
    """

    id: str
    stream: str
    state: BackfillState
    reason: str
    created_by: str
    created_at: str
    changed_at: str
    finished_at: str | None
    slots: int
    slots_done: int
    events: int
    events_done: int
    batches: int
    progress: float
    seconds_left: float | None
    tenants: tuple[PartReply, ...]


class BackfillList(Shape, frozen=True):
    """Backfills, the newest first."""

    backfills: tuple[BackfillReply, ...]
    next_cursor: str | None


def shown(backfill: Backfill, pace: tuple[int, int, float]) -> BackfillReply:
    """A backfill as it is told. It folds what it finds, which may be more than was planned."""
    parts = backfill.parts
    slots_done, events_done = (
        sum(part.slots_done for part in parts),
        sum(part.events_done for part in parts),
    )
    slots = max(slots_done, sum(part.slots for part in parts))
    events = max(events_done, sum(part.events for part in parts))
    done = backfill.state is BackfillState.DONE
    running = backfill.state is BackfillState.RUNNING
    left = estimated(slots - slots_done, events - events_done, pace)
    whole = estimated(slots, events, pace)
    return BackfillReply(
        id=backfill.id,
        stream=backfill.stream,
        state=backfill.state,
        reason=backfill.reason,
        created_by=backfill.created_by,
        created_at=instant(backfill.created_at) or "",
        changed_at=instant(backfill.changed_at) or "",
        finished_at=instant(backfill.finished_at),
        slots=slots,
        slots_done=slots_done,
        events=events,
        events_done=events_done,
        batches=sum(part.batches for part in parts),
        progress=1.0 if done else round(1 - left / whole, 4) if whole else 0.0,
        seconds_left=round(left, 1) if running else None,
        tenants=tuple(_shown_part(part) for part in parts),
    )


def shown_plan(plan: Plan) -> PlanReply:
    """A plan as it is shown."""
    return PlanReply(
        stream=plan.stream,
        slots=sum(span.slots for span in plan.spans),
        events=sum(span.events for span in plan.spans),
        seconds=round(plan.seconds, 1),
        tenants=tuple(_shown_span(span) for span in plan.spans),
    )


def _shown_span(span: Span) -> SpanReply:
    return SpanReply(
        tenant=span.tenant,
        from_=instant(span.start) or "",
        to=instant(span.end) or "",
        slots=span.slots,
        events=span.events,
        sealed_before=instant(span.sealed_before),
    )


def _shown_part(part: Part) -> PartReply:
    return PartReply(
        tenant=part.tenant,
        from_=instant(part.start) or "",
        to=instant(part.end) or "",
        slots=part.slots,
        events=part.events,
        sealed_before=instant(part.sealed_before),
        done_from=instant(part.done_from) or "",
        slots_done=part.slots_done,
        events_done=part.events_done,
    )
