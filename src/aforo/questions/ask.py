"""The way of a question: resolve, plan, guard, read, finish, compare, answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from aforo.clock import Clock
from aforo.engines.appends import UNKNOWN
from aforo.engines.engine import Engine
from aforo.engines.keeping import Seal
from aforo.engines.reads import Standing, States, StatesRequest
from aforo.errors import NotServable, QuestionTooLarge, RollupReplaced, UnknownName
from aforo.model.measure import Measure
from aforo.model.metric import Metric
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.questions.answer import NO_DAYS, Answer, Compared, Daily, columns_of, comparison_of, rows_of
from aforo.questions.aside import as_served
from aforo.questions.asked import Asked
from aforo.questions.before import days_passed
from aforo.questions.compare import Counterpart, counterpart
from aforo.questions.finish import accuracy, adds_up, finish
from aforo.questions.plan import Plan, Span, explained, plan
from aforo.questions.proof import Freshness, Proof, Source
from aforo.questions.question import Question
from aforo.questions.resolve import resolve
from aforo.questions.sighting import Past, past_of, sighted, told
from aforo.questions.unmeasured import late_rollups, measured_from, without
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import Bucket, Window, Zone


@dataclass(frozen=True, slots=True)
class Side:
    """One window of a question and how it is read; `past` where it asks who was seen before."""

    window: Window
    buckets: tuple[Bucket, ...]
    plan: Plan
    past: Past | None
    measured_from: Mapping[str, int]  # of metrics that were not measured when the window began

    @property
    def reads(self) -> tuple[tuple[Window, Plan], ...]:
        """Everything that is read for it."""
        own = (self.window, self.plan)
        return (own,) if self.past is None else (own, (self.past.window, self.past.plan))


@dataclass(frozen=True, slots=True)
class Planned:
    """A question with what it is answered from; `other` is there where its counterpart holds any time."""

    question: Question
    stream: Stream
    metrics: tuple[Metric, ...]
    measures: tuple[Measure, ...]
    own: Side
    counterpart: Counterpart | None
    other: Side | None
    sets: tuple[str, ...]  # measures whose sets are wanted themselves
    seal: Seal

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.own,) if self.other is None else (self.own, self.other)


@dataclass(frozen=True, slots=True)
class Found:
    """What the engine gave for a side, and for the time before it."""

    states: States
    past: States | None

    @property
    def sql(self) -> tuple[str, ...]:
        return self.states.sql + (() if self.past is None else self.past.sql)

    def told(self, metrics: Sequence[Metric]) -> States:
        """The states with how many are new and return in place of the sets that tell it."""
        return self.states if self.past is None else told(self.states, self.past, sighted(metrics))


@dataclass(frozen=True, slots=True)
class Read:
    """What the engine gave; `asked_at` is an instant before anything was read."""

    asked_at: int
    standing: Standing
    standing_of_other: Standing | None
    own: Found
    other: Found | None


class Desk:
    """Answers questions of one model from one engine, from any thread."""

    def __init__(
        self, engine: Engine, model: Model, settings: Settings, clock: Clock, telemetry: Telemetry
    ) -> None:
        self.engine = engine
        self.model = model
        self.settings = settings
        self.clock = clock
        self._telemetry = telemetry

    def ask(self, asked: Asked) -> Answer:
        """The answer with its proof.

        Raises InvalidRequest, UnknownName, QuestionTooLarge, NotServable and TimeLimit.
        """
        begun = self.clock.monotonic()
        question = self.resolve(asked)
        planned, read = self.read(question)
        answer = self._answer(planned, read, begun)
        self.answered(answer.proof)
        return answer

    def explain(self, asked: Asked) -> str:
        """How a question would be answered, in lines for a person; nothing is read."""
        planned = self.plan(self.resolve(asked))
        told = ["\nseen before: ".join(explained(plan) for _, plan in side.reads) for side in planned.sides]
        return "\n\n".join(
            f"{title}: {text}" for title, text in zip(("question", "comparison"), told, strict=False)
        )

    def served(self, stream: str) -> Stream:
        """A stream with the rollups that may be read now."""
        return as_served(self.model.asked_stream(stream), self.engine.builds(stream))

    def resolve(self, asked: Asked) -> Question:
        """The question with every name looked up."""
        tenant_zone = self.tenant_zone(asked.tenant)
        return resolve(asked, self.model, tenant_zone, self.settings, self.clock)

    def plan(self, question: Question, sets: tuple[str, ...] = (), seen: tuple[str, ...] = ()) -> Planned:
        """What both windows of the question would be read from.

        `sets` are distinct measures whose sets are wanted themselves, `seen` those of which it matters whom
        they saw before, beside what the metrics ask.
        """
        stream = self.served(question.stream)
        metrics = tuple(self.model.metric(name) for name in question.metrics)
        seal = self.engine.seal(question.stream, question.tenant)
        days_wait = self.engine.days_wait(question.stream, question.tenant)
        births = self.engine.births(question.stream, question.tenant)
        used = dict.fromkeys(name for metric in metrics for name in metric.measures)
        measures = tuple(stream.measures[name] for name in used)
        seen = tuple(dict.fromkeys((*seen, *(leaf.measure for leaf in sighted(metrics)))))

        def side(window: Window, buckets: tuple[Bucket, ...]) -> Side:
            late = late_rollups(births, measures, window.start)
            zone = question.tenant_zone
            span = Span(window, question.grain, buckets, zone, seal.slots_from, days_wait, late)
            own = plan(stream, measures, question.by, question.where, span)
            past = past_of(stream, seen, span)
            return Side(window, buckets, own, past, measured_from(metrics, own, past, births))

        own = side(question.window, question.zone.buckets(question.window, question.grain))
        against = None
        if question.compare is not None:
            against = counterpart(question, question.compare, own.buckets, self.clock.now())
        other = side(against.window, against.buckets) if against is not None and against.buckets else None
        return Planned(question, stream, metrics, measures, own, against, other, sets, seal)

    def _guard(self, planned: Planned) -> None:
        """Refuses to read more raw events than is allowed, over both windows together."""
        reads = [read for side in planned.sides for read in side.reads]
        raw = [(window, plan) for window, plan in reads if plan.rollup is None]
        if not raw:
            return
        reason, remedy = raw[0][1].reason, raw[0][1].remedy
        if planned.stream.ledger:
            dimensions = " and ".join(planned.stream.dimensions())
            raise NotServable(
                f"{reason}, and {planned.stream.name} has no raw events",
                hint=f"ask whole quarter hours, by none or some of {dimensions}",
            )
        self._refuse_sealed(planned, raw)
        stream, tenant = planned.stream.name, planned.question.tenant
        rows = sum(self.engine.estimate_raw(stream, tenant, window) for window, _ in raw)
        few_enough_raw(rows, self.settings.questions.raw_rows_limit, reason, remedy)

    @staticmethod
    def _refuse_sealed(planned: Planned, raw: Sequence[tuple[Window, Plan]]) -> None:
        """Nothing can be told of events that were purged, and part of a window is a wrong answer."""
        _, first = raw[0]
        start = min(window.start for window, _ in raw)
        zone, stream = planned.question.tenant_zone, planned.stream.name
        none_sealed(start, planned.seal, stream, zone, first.reason, first.remedy)

    def _refuse_unmeasured(self, planned: Planned, names: Collection[str]) -> None:
        """A set that begins within the time it is read for tells of nobody who was there before."""
        births = self.engine.births(planned.question.stream, planned.question.tenant)
        reads = [read for side in planned.sides for read in side.reads] if births else []
        for window, read in reads:
            begins = births.get(read.rollup.name, {}) if read.rollup is not None else {}
            for name in sorted(set(names) & begins.keys()):
                if begins[name] > window.start:
                    since = planned.question.tenant_zone.rfc3339(begins[name])
                    raise NotServable(
                        f"{name} is kept from {since} on: what came before was purged before it was declared",
                        hint="ask a measure that was kept before, or wait until its time is long enough",
                    )

    def read(
        self, question: Question, sets: tuple[str, ...] = (), seen: tuple[str, ...] = ()
    ) -> tuple[Planned, Read]:
        """Plans and reads, and does so again where something was purged or swapped in meanwhile.

        Raises QuestionTooLarge, NotServable and TimeLimit.
        """
        while True:
            planned = self.plan(question, sets, seen)
            self._guard(planned)
            self._refuse_unmeasured(planned, {*sets, *seen})
            try:
                read = self._read(planned)
            except RollupReplaced:
                continue  # what was being built serves now, and is read the next time
            if self.engine.seal(question.stream, question.tenant) == planned.seal:
                return planned, read

    def _read(self, planned: Planned) -> Read:
        # The order is such that the proof never says more than the answer holds. The standing is read before
        # the states: a fold between the two only makes the states fresher than is claimed. An append between
        # the two may bring events that the states do not hold, but they are accepted after `asked_at`, which
        # is the latest instant that completeUntil names; hence it is taken before the standing.
        asked_at = self.clock.now()
        own_standing = self._standing(planned, planned.own)
        other_standing = None if planned.other is None else self._standing(planned, planned.other)
        own = self._found(planned, planned.own)
        other = None if planned.other is None else self._found(planned, planned.other)
        return Read(asked_at, own_standing, other_standing, own, other)

    def _standing(self, planned: Planned, side: Side) -> Standing:
        """How far the side is folded; what waits for a fold does not matter where the events are read.

        Of a derived stream it does: its events themselves may wait to be derived.
        """
        folded = [window for window, plan in side.reads if plan.rollup is not None]
        window = _hull(folded or [side.window])
        found = self.engine.standing(planned.stream.name, planned.question.tenant, window)
        if folded or planned.stream.derivation is not None:
            return found
        return Standing(found.commit, None, None, found.revision)

    def _found(self, planned: Planned, side: Side) -> Found:
        limit = self.settings.questions.time_limit_seconds
        names = () if side.past is None else tuple(measure.name for measure in side.past.measures)
        own = StatesRequest(
            tenant=planned.question.tenant,
            stream=planned.stream,
            rollup=side.plan.rollup,
            measures=planned.measures,
            by=planned.question.by,
            where=planned.question.where,
            segments=side.plan.segments,
            edges=side.plan.edges,
            sets=(*names, *planned.sets),
        )
        states = self.engine.read_states(own, time_limit_seconds=limit)
        if side.past is None:
            return Found(states, None)
        past = replace(
            own,
            rollup=side.past.plan.rollup,
            measures=side.past.measures,
            by=(),
            where=(),
            segments=side.past.plan.segments,
            edges=side.past.plan.edges,
            sets=names,
        )
        return Found(states, self.engine.read_states(past, time_limit_seconds=limit))

    def _answer(self, planned: Planned, read: Read, begun: float) -> Answer:
        question, metrics, stream = planned.question, planned.metrics, planned.stream
        finished = finish(read.own.told(metrics), metrics, stream)
        finished = without(finished, metrics, planned.own.buckets, planned.own.measured_from)
        compared = self._compared(planned, read)
        most_rows = self.settings.questions.max_rows
        return Answer(
            columns=columns_of(question, stream, metrics, planned.own.buckets),
            rows=rows_of(question, planned.own.buckets, finished, compared, most_rows, self._daily(planned)),
            comparison=comparison_of(question, compared),
            proof=self.proof(planned, read, begun),
            sql=read.own.sql + (() if read.other is None else read.other.sql),
        )

    def _daily(self, planned: Planned) -> Daily:
        if not planned.question.daily:
            return NO_DAYS
        told = (metric.name for metric in planned.metrics if adds_up(metric.formula, planned.stream))
        zone, now = planned.question.zone, self.clock.now()
        return Daily(frozenset(told), tuple(days_passed(each, zone, now) for each in planned.own.buckets))

    def _compared(self, planned: Planned, read: Read) -> Compared | None:
        if planned.counterpart is None or planned.question.compare is None:
            return None
        states = _none_of(planned) if read.other is None else read.other.told(planned.metrics)
        finished = finish(states, planned.metrics, planned.stream)
        if planned.other is not None:
            begins = planned.other.measured_from
            finished = without(finished, planned.metrics, planned.other.buckets, begins)
        return Compared(planned.question.compare, planned.counterpart, finished)

    def proof(self, planned: Planned, read: Read, begun: float) -> Proof:
        """The evidence of what was read; `begun` is the clock's when it was asked."""
        other = None
        if planned.other is not None and read.other is not None:
            other = _source(planned.other, planned.stream, read.other)
        return Proof(
            source=_source(planned.own, planned.stream, read.own),
            comparison=other,
            freshness=Freshness.of(read.standing, read.standing_of_other, read.asked_at),
            exact={metric.name: accuracy(metric) for metric in planned.metrics},
            zone=planned.question.zone,
            sealed_until=_sealed(planned),
            unmeasured_until=_unmeasured(planned),
            model_version=self.model.version,
            took_seconds=self.clock.monotonic() - begun,
        )

    def answered(self, proof: Proof) -> None:
        """Counts an answer."""
        self._telemetry.count("questions_total", source=proof.source.kind)
        self._telemetry.observe("question_seconds", proof.took_seconds)

    def tenant_zone(self, name: str) -> Zone:
        """The tenant's zone as the engine keeps it, whose days the rollups are of; else as it is declared.

        What nobody can be named for is counted in the days of a tenant that only events name.
        """
        tenant = self.engine.tenant(name) or self.model.tenants.get(name)
        if tenant is None and name == UNKNOWN:
            return self.engine.zone(name)
        if tenant is None:
            # Other tenants' names are nobody's business: no hint comes from them.
            raise UnknownName(
                f"there is no tenant named {name!r}", hint="a tenant exists from its first event on"
            )
        return Zone(tenant.timezone, tenant.week_start)


def _sealed(planned: Planned) -> int | None:
    """The seal, where anything is read of the time before it."""
    seal = planned.seal.events_from
    starts = [window.start for side in planned.sides for window, _ in side.reads]
    return seal if any(start < seal for start in starts) else None


def _unmeasured(planned: Planned) -> dict[str, int]:
    """Up to when each metric is null, for those that were not measured when a window began."""
    found: dict[str, int] = {}
    for side in planned.sides:
        for name, begins in side.measured_from.items():
            found[name] = max(begins, found.get(name, 0))
    return found


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
            hint=f"{remedy}, or ask a shorter window, or raise questions.raw_rows_limit",
        )


def _hull(windows: Sequence[Window]) -> Window:
    return Window(min(each.start for each in windows), max(each.end for each in windows))


def _source(side: Side, stream: Stream, found: Found) -> Source:
    before = None
    if side.past is not None and found.past is not None:
        before = Source.of(side.past.plan, stream, found.past)
    return Source.of(side.plan, stream, found.states, before)


def _none_of(planned: Planned) -> States:
    """What there is of a window that holds no time."""
    names = [measure.name for measure in planned.measures]
    seen = [leaf.column for leaf in sighted(planned.metrics)]
    return States((), dict.fromkeys((*names, *seen), ()), 0)
