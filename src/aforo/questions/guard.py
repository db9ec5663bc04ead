"""What is refused before anything is read: too many raw events, purged ones, sets that begin too late."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from aforo.engines.engine import Engine
from aforo.engines.keeping import Seal
from aforo.errors import NotServable, QuestionTooLarge
from aforo.questions.plan import Plan
from aforo.questions.planned import Planned
from aforo.windows import Window, Zone


def refuse_raw(plans: Sequence[Planned], engine: Engine, limit: int) -> int | None:
    """Refuses to read more raw events than `limit`, over all windows of all plans together.

    Gives how many that are, as far as can be told before; None where none are read.

    Raises NotServable and QuestionTooLarge.
    """
    raw = [
        (planned, window, plan) for planned in plans for window, plan in planned.reads if plan.rollup is None
    ]
    if not raw:
        return None
    for planned in plans:
        _refuse_unkept(planned, [(window, plan) for of, window, plan in raw if of is planned])
    rows = sum(
        engine.estimate_raw(planned.stream.name, planned.question.tenant, window)
        for planned, window, _ in raw
    )
    few_enough_raw(rows, limit, raw[0][2].reason, raw[0][2].remedy)
    return rows


def refuse_unmeasured(planned: Planned, engine: Engine, names: Collection[str]) -> None:
    """A set that begins within the time it is read for tells of nobody who was there before.

    Raises NotServable.
    """
    births = engine.births(planned.question.stream, planned.question.tenant)
    for window, read in planned.reads if births else ():
        begins = births.get(read.rollup.name, {}) if read.rollup is not None else {}
        none_late(names, begins, window.start, planned.question.tenant_zone)


def none_late(names: Collection[str], begins: Mapping[str, int], start: int, zone: Zone) -> None:
    """Raises NotServable where a set begins later than it is read from; `begins` is by measure."""
    for name in sorted(set(names) & begins.keys()):
        if begins[name] > start:
            since = zone.rfc3339(begins[name])
            raise NotServable(
                f"{name} is kept from {since} on: what came before was purged before it was declared",
                hint="ask a measure that was kept before, or wait until its time is long enough",
            )


def none_sealed(start: int, seal: Seal, stream: str, zone: Zone, reason: str, remedy: str) -> None:
    """Raises NotServable where raw events would be read from a time before the seal."""
    if start >= seal.events_from:
        return
    since = zone.rfc3339(seal.events_from)
    raise NotServable(
        f"{reason}, and raw events of {stream} before {since} were purged",
        hint=f"{remedy}, or ask from {since} on",
    )


def few_enough_raw(rows: int, limit: int, reason: str, remedy: str) -> None:
    """Raises NotServable where no events may be read, and QuestionTooLarge where these are too many."""
    if limit == 0:
        raise NotServable(f"{reason}, and raw events may not be read", hint=remedy)
    if rows > limit:
        raise QuestionTooLarge(
            f"this question would read about {rows:,} raw events, and it may read {limit:,}: {reason}",
            hint=f"{remedy}, or ask a shorter window, or raise questions.raw_rows_limit or the key's own",
        )


def _refuse_unkept(planned: Planned, raw: Sequence[tuple[Window, Plan]]) -> None:
    """Nothing can be told of events that are not kept, and part of a window is a wrong answer."""
    if not raw:
        return
    reason, remedy = raw[0][1].reason, raw[0][1].remedy
    if planned.stream.ledger:
        dimensions = " and ".join(planned.stream.dimensions())
        raise NotServable(
            f"{reason}, and {planned.stream.name} has no raw events",
            hint=f"ask whole quarter hours, by none or some of {dimensions}",
        )
    start = min(window.start for window, _ in raw)
    zone, stream = planned.question.tenant_zone, planned.stream.name
    none_sealed(start, planned.seal, stream, zone, reason, remedy)
