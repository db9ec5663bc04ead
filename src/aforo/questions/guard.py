"""What is refused before anything is read: too many raw events, purged ones, sets that begin too late."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aforo.engines.engine import Engine
from aforo.engines.keeping import Seal
from aforo.errors import NotServable, QuestionTooLarge
from aforo.questions.cost import RawRead, raw_cost, raw_reads
from aforo.questions.planned import Planned
from aforo.questions.proof import Guarded, Turn
from aforo.settings import Questions
from aforo.windows import Zone


@dataclass(frozen=True, slots=True)
class Budget:
    """Raw events, and bytes of them, that one question of somebody may read; None is as the settings say.

    `turn` is there where only so many questions of theirs may be under way; it makes no other budget of it.
    """

    raw_rows: int | None = None
    raw_bytes: int | None = None
    turn: Turn | None = field(default=None, compare=False)

    def within(self, settings: Questions) -> Questions:
        """The settings with these limits in place of theirs."""
        return replace(
            settings,
            raw_rows_limit=settings.raw_rows_limit if self.raw_rows is None else self.raw_rows,
            raw_bytes_limit=settings.raw_bytes_limit if self.raw_bytes is None else self.raw_bytes,
        )


def guarded(plans: Sequence[Planned], engine: Engine, limits: Questions) -> Guarded | None:
    """Refuses to read more raw events than may be, over all windows of all plans together.

    Gives how many are expected beside what is allowed; None where none are read.

    Raises NotServable and QuestionTooLarge.
    """
    reads = [(planned, read) for planned in plans for read in raw_reads(planned)]
    if not reads:
        return None
    for planned in plans:
        _refuse_unkept(planned, [read for of, read in reads if of is planned])
    found, why = [read for _, read in reads], reads[0][1].plan
    return few_enough_raw(expected(found, plans[0].question.tenant, engine, limits), why.reason, why.remedy)


def expected(reads: Iterable[RawRead], tenant: str, engine: Engine, limits: Questions) -> Guarded:
    """What reading raw events would cost, beside what it may."""
    cost = raw_cost(reads, tenant, engine)
    return Guarded(
        raw_rows_expected=cost.rows,
        raw_rows_limit=limits.raw_rows_limit,
        raw_bytes_expected=cost.bytes,
        raw_bytes_limit=limits.raw_bytes_limit,
        time_limit_seconds=limits.time_limit_seconds,
    )


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


def few_enough_raw(told: Guarded, reason: str, remedy: str) -> Guarded:
    """Raises NotServable where no events may be read, and QuestionTooLarge where these are too many."""
    if not told.raw_rows_limit or not told.raw_bytes_limit:
        raise NotServable(f"{reason}, and raw events may not be read", hint=remedy)
    if told.raw_rows_expected > told.raw_rows_limit:
        raise _too_large(told, reason, f"{remedy}, or ask a shorter window", "raw_rows_limit")
    if told.raw_bytes_expected > told.raw_bytes_limit:
        raise _too_large(
            told, reason, f"{remedy}, or ask a shorter window or fewer fields", "raw_bytes_limit"
        )
    return told


def _too_large(told: Guarded, reason: str, remedy: str, limit: str) -> QuestionTooLarge:
    return QuestionTooLarge(
        f"this question would read {told}: {reason}",
        hint=f"{remedy}, or raise questions.{limit} or the key's own",
    )


def _refuse_unkept(planned: Planned, raw: Sequence[RawRead]) -> None:
    """Nothing can be told of events that are not kept, and part of a window is a wrong answer."""
    if not raw:
        return
    reason, remedy = raw[0].plan.reason, raw[0].plan.remedy
    if planned.stream.ledger:
        dimensions = " and ".join(planned.stream.dimensions())
        raise NotServable(
            f"{reason}, and {planned.stream.name} has no raw events",
            hint=f"ask whole quarter hours, by none or some of {dimensions}",
        )
    start = min(read.window.start for read in raw)
    zone, stream = planned.question.tenant_zone, planned.stream.name
    none_sealed(start, planned.seal, stream, zone, reason, remedy)
