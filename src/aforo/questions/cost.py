"""What reading raw events would cost: how many, and how many bytes of them, as far as can be told before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aforo.engines.engine import Engine
from aforo.model.condition import Condition
from aforo.model.measure import Measure, MeasureKind
from aforo.model.stream import Stream
from aforo.questions.plan import Plan
from aforo.questions.planned import Planned
from aforo.windows import Window

ORDINAL_BYTES = 4
"""Of an entity its number is read, and not its value."""


@dataclass(frozen=True, slots=True)
class RawCost:
    """So many raw events, and so many bytes of the fields of theirs that are read, before any compression."""

    rows: int
    bytes: int

    def __add__(self, other: RawCost) -> RawCost:
        return RawCost(self.rows + other.rows, self.bytes + other.bytes)


FREE = RawCost(0, 0)


@dataclass(frozen=True, slots=True)
class RawRead:
    """A stream's events of a window, read once: some of their fields, and the numbers of some entities."""

    stream: str
    window: Window
    fields: frozenset[str]
    entities: frozenset[str]
    plan: Plan  # which says why

    @classmethod
    def of(
        cls,
        stream: Stream,
        window: Window,
        plan: Plan,
        measures: Iterable[Measure],
        conditions: Iterable[Condition] = (),
        by: Iterable[str] = (),
    ) -> RawRead:
        """What measures of events for which conditions hold, and a split of them, must be told of each."""
        fields = {*by, *(each.field for each in conditions)}
        entities: set[str] = set()
        for measure in measures:
            fields |= {each.field for each in measure.where}
            measured = stream.measured(measure)
            if measure.kind is MeasureKind.DISTINCT:
                entities.add(f"{measure.entity}.{measure.field}")
            elif measured is not None and measured.name in stream.fields:
                fields.add(measured.name)  # its time is read anyway
        return cls(stream.name, window, frozenset(fields), frozenset(entities), plan)


def raw_reads(planned: Planned) -> Iterator[RawRead]:
    """Everything of a plan that is read from events."""
    question, stream = planned.question, planned.stream
    for side in planned.sides:
        past = side.past
        if side.plan.rollup is None:
            sets = () if past is None else past.measures
            measures = (*planned.measures, *sets)
            yield RawRead.of(stream, side.window, side.plan, measures, question.where, question.by)
        if past is not None and past.plan.rollup is None:
            yield RawRead.of(stream, past.window, past.plan, past.measures)


def raw_cost(reads: Iterable[RawRead], tenant: str, engine: Engine) -> RawCost:
    """What all of them cost together."""
    return sum((_cost(each, tenant, engine) for each in reads), FREE)


def _cost(read: RawRead, tenant: str, engine: Engine) -> RawCost:
    rows = engine.estimate_raw(read.stream, tenant, read.window)
    if not rows:
        return FREE
    each = engine.event_bytes(read.stream, tenant, read.window, read.fields)
    return RawCost(rows, round(rows * (each + ORDINAL_BYTES * len(read.entities))))
