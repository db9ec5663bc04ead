"""The sets of a funnel's steps: who was at each, and what that is read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pyroaring import BitMap

from aforo.engines.folds import Period
from aforo.engines.keeping import Seal
from aforo.engines.reads import Segment, Standing, States, StatesRequest
from aforo.model.condition import Condition
from aforo.model.measure import Measure, MeasureKind
from aforo.model.stream import Entity, Stream
from aforo.questions.ask import Desk
from aforo.questions.cost import RawRead
from aforo.questions.funnel_asked import FunnelQuestion, Step
from aforo.questions.guard import expected, few_enough_raw, none_late, none_sealed
from aforo.questions.plan import Plan, Span, plan
from aforo.questions.proof import Guarded, Source
from aforo.questions.unmeasured import late_rollups
from aforo.windows import Grain, Window

Seals = Mapping[str, Seal]


@dataclass(frozen=True, slots=True)
class StepSet:
    """The set of a step: a distinct measure under conditions, and what it is read from."""

    step: Step
    measure: Measure
    where: tuple[Condition, ...]
    plan: Plan


@dataclass(frozen=True, slots=True)
class FunnelRead:
    """The counts, what they were read from, and how far all of that was folded."""

    counts: tuple[int, ...]
    source: Source
    standings: tuple[Standing, ...]
    guarded: Guarded | None = None


@dataclass(slots=True)
class _Read:
    plan: Plan
    stream: Stream
    rows: int
    periods: set[Period]


@dataclass(slots=True)
class Sources:
    """What was read so far, each rollup and each stream's events once; the first read leads the proof."""

    _read: dict[tuple[str, str | None], _Read] = field(default_factory=dict)

    def took(self, plan: Plan, stream: Stream, rows: int, periods: Sequence[Period] = ()) -> None:
        """Adds rows of the plan's rollup, or of the stream's events."""
        key = (stream.name, None if plan.rollup is None else plan.rollup.name)
        read = self._read.setdefault(key, _Read(plan, stream, 0, set()))
        read.rows += rows
        read.periods |= set(periods)

    def told(self) -> Source:
        """The source of the proof, with all that was read beside it."""
        several = len({stream for stream, _ in self._read}) > 1
        first, *others = (
            replace(_source(each), stream=each.stream.name if several else "") for each in self._read.values()
        )
        return replace(first, also_read=tuple(others))


def set_of(
    desk: Desk, step: Step, question: FunnelQuestion, seal: Seal, grain: Grain, window: Window
) -> StepSet:
    """From a rollup where a distinct measure of the entity means the step, else from the events.

    Raises NotServable where the only such measure began to be kept within the window, after a purge.
    """
    # Slots are placed by whoever reads them: to plan them their thousands of edges are not needed.
    buckets = () if grain is Grain.SLOT else question.tenant_zone.buckets(window, grain)
    births = desk.engine.births(step.stream.name, question.tenant)
    days_wait = desk.engine.days_wait(step.stream.name, question.tenant)
    bare = _each(step.entity)
    tried: list[tuple[tuple[bool, int], StepSet]] = []
    for measure, where in (*_meant_by(step), (bare, step.where)):
        late = late_rollups(births, (measure,), window.start)
        span = Span(window, grain, buckets, question.tenant_zone, seal.slots_from, days_wait, late)
        found = StepSet(step, measure, where, plan(step.stream, (measure,), (), where, span))
        rollup = found.plan.rollup
        rank = (False, 0) if rollup is None else (rollup.name in late, len(rollup.dimensions))
        tried.append((rank, found))
    able = [(rank, each) for rank, each in tried if each.plan.rollup is not None]
    best = min(able, key=lambda one: one[0])[1] if able else tried[0][1]
    if best.plan.rollup is not None:
        begins = births.get(best.plan.rollup.name, {})
        none_late((best.measure.name,), begins, window.start, question.tenant_zone)
    return best


def read_sets(
    desk: Desk,
    tenant: str,
    each: StepSet,
    sources: Sources,
    segments: tuple[Segment, ...] | None = None,
    edges: tuple[int, ...] | None = None,
) -> dict[int, BitMap]:
    """The step's set in each bucket that has anyone; of the plan's own segments where none are named."""
    found = desk.engine.read_states(
        StatesRequest(
            tenant=tenant,
            stream=each.step.stream,
            rollup=each.plan.rollup,
            measures=(each.measure,),
            by=(),
            where=each.where,
            segments=each.plan.segments if segments is None else segments,
            edges=each.plan.edges if edges is None else edges,
            sets=(each.measure.name,),
        ),
        time_limit_seconds=desk.settings.questions.time_limit_seconds,
    )
    sources.took(each.plan, each.step.stream, found.rows_read, found.periods)
    sets = found.values[each.measure.name]
    return {
        bucket: here for (bucket, _), here in zip(found.keys, sets, strict=True) if isinstance(here, BitMap)
    }


def standing(desk: Desk, question: FunnelQuestion, each: StepSet) -> Standing:
    """How far a step's stream is folded, as far as that matters to what is read."""
    found = desk.engine.standing(each.step.stream.name, question.tenant, question.window)
    return found if each.plan.rollup is not None else unbound(found, each.step.stream)


def unbound(found: Standing, stream: Stream) -> Standing:
    """What waits for a fold does not matter where the events are read, but those of some wait themselves."""
    if stream.derivation is not None:
        return found
    return Standing(found.commit, None, None, found.revision)


def guard(
    desk: Desk, question: FunnelQuestion, seals: Seals, reads: Sequence[RawRead], reason: str, remedy: str
) -> Guarded:
    """Refuses to read raw events that were purged, and more than is allowed; else tells what is expected."""
    for read in reads:
        none_sealed(read.window.start, seals[read.stream], read.stream, question.tenant_zone, reason, remedy)
    told = expected(reads, question.tenant, desk.engine, desk.settings.questions)
    return few_enough_raw(told, reason, remedy)


def events_read(question: FunnelQuestion, window: Window, why: Plan) -> list[RawRead]:
    """The events of all steps, each stream's read once."""
    steps: dict[str, list[Step]] = {}
    for step in question.steps:
        steps.setdefault(step.stream.name, []).append(step)
    return [
        RawRead.of(
            of[0].stream, window, why, (_each(of[0].entity),), [each for step in of for each in step.where]
        )
        for of in steps.values()
    ]


def _source(read: _Read) -> Source:
    periods = tuple(period for period in Period if period in read.periods)
    return Source.of(read.plan, read.stream, States((), {}, read.rows, periods=periods))


def _each(entity: Entity) -> Measure:
    """Whoever has any event."""
    return Measure(
        name=f"each {entity.name}", kind=MeasureKind.DISTINCT, entity=entity.name, field=entity.field
    )


def _meant_by(step: Step) -> Iterator[tuple[Measure, tuple[Condition, ...]]]:
    """Declared measures of the entity, with the conditions that are left to ask for the step."""
    for measure in step.stream.measures.values():
        if measure.kind is not MeasureKind.DISTINCT or measure.entity != step.entity.name:
            continue
        if set(measure.where) <= set(step.where):
            yield measure, tuple(each for each in step.where if each not in measure.where)
