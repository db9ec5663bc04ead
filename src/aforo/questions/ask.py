"""The way of a question: resolve, plan, guard, read, finish, compare, answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aforo.clock import Clock
from aforo.engines.engine import UNKNOWN, Engine, Seal, Standing, States, StatesRequest
from aforo.errors import NotServable, QuestionTooLarge, UnknownName
from aforo.model.measure import Measure
from aforo.model.metric import Metric
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.questions.answer import NO_DAYS, Answer, Compared, Daily, columns_of, comparison_of, rows_of
from aforo.questions.asked import Asked
from aforo.questions.before import days_passed
from aforo.questions.compare import Counterpart, counterpart
from aforo.questions.finish import accuracy, adds_up, finish
from aforo.questions.plan import Plan, Span, explained, plan
from aforo.questions.proof import Freshness, Proof, Source
from aforo.questions.question import Question
from aforo.questions.resolve import resolve
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import Bucket, Window, Zone


@dataclass(frozen=True, slots=True)
class Side:
    """One window of a question and how it is read."""

    window: Window
    buckets: tuple[Bucket, ...]
    plan: Plan


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
    seal: Seal

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.own,) if self.other is None else (self.own, self.other)


@dataclass(frozen=True, slots=True)
class Read:
    """What the engine gave; `asked_at` is an instant before anything was read."""

    asked_at: int
    standing: Standing
    standing_of_other: Standing | None
    own: States
    other: States | None


class Desk:
    """Answers questions of one model from one engine, from any thread."""

    def __init__(
        self, engine: Engine, model: Model, settings: Settings, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._engine = engine
        self._model = model
        self._settings = settings
        self._clock = clock
        self._telemetry = telemetry

    def ask(self, asked: Asked) -> Answer:
        """The answer with its proof.

        Raises InvalidRequest, UnknownName, QuestionTooLarge, NotServable and TimeLimit.
        """
        begun = self._clock.monotonic()
        question = self.resolve(asked)
        planned, read = self._read_unsealed(question)
        answer = self._answer(planned, read, begun)
        self._telemetry.count("questions_total", source=answer.proof.source.kind)
        self._telemetry.observe("question_seconds", answer.proof.took_seconds)
        return answer

    def explain(self, asked: Asked) -> str:
        """How a question would be answered, in lines for a person; nothing is read."""
        planned = self.plan(self.resolve(asked))
        told = [explained(side.plan) for side in planned.sides]
        return "\n\n".join(
            f"{title}: {text}" for title, text in zip(("question", "comparison"), told, strict=False)
        )

    def resolve(self, asked: Asked) -> Question:
        """The question with every name looked up."""
        tenant_zone = self._tenant_zone(asked.tenant)
        return resolve(asked, self._model, tenant_zone, self._settings, self._clock)

    def plan(self, question: Question) -> Planned:
        """What both windows of the question would be read from."""
        stream = self._model.asked_stream(question.stream)
        metrics = tuple(self._model.metric(name) for name in question.metrics)
        seal = self._engine.seal(question.stream, question.tenant)
        used = dict.fromkeys(name for metric in metrics for name in metric.measures)
        measures = tuple(stream.measures[name] for name in used)

        def side(window: Window, buckets: tuple[Bucket, ...]) -> Side:
            span = Span(window, question.grain, buckets, question.tenant_zone, seal.slots_from)
            return Side(window, buckets, plan(stream, measures, question.by, question.where, span))

        own = side(question.window, question.zone.buckets(question.window, question.grain))
        against = None
        if question.compare is not None:
            against = counterpart(question, question.compare, own.buckets, self._clock.now())
        other = side(against.window, against.buckets) if against is not None and against.buckets else None
        return Planned(question, stream, metrics, measures, own, against, other, seal)

    def _guard(self, planned: Planned) -> None:
        """Refuses to read more raw events than is allowed, over both windows together."""
        raw = [side for side in planned.sides if side.plan.rollup is None]
        if not raw:
            return
        reason, remedy = raw[0].plan.reason, raw[0].plan.remedy
        if planned.stream.ledger:
            dimensions = " and ".join(planned.stream.dimensions())
            raise NotServable(
                f"{reason}, and {planned.stream.name} has no raw events",
                hint=f"ask whole quarter hours, by none or some of {dimensions}",
            )
        self._refuse_sealed(planned, raw)
        limit = self._settings.questions.raw_rows_limit
        if limit == 0:
            raise NotServable(f"{reason}, and raw events may not be read", hint=remedy)
        stream, tenant = planned.stream.name, planned.question.tenant
        rows = sum(self._engine.estimate_raw(stream, tenant, side.window) for side in raw)
        if rows > limit:
            raise QuestionTooLarge(
                f"this question would read about {rows:,} raw events, and it may read {limit:,}: {reason}",
                hint=f"{remedy}, or ask a shorter window, or raise questions.raw_rows_limit",
            )

    @staticmethod
    def _refuse_sealed(planned: Planned, raw: Sequence[Side]) -> None:
        """Nothing can be told of events that were purged, and part of a window is a wrong answer."""
        seal = planned.seal.events_from
        if all(side.window.start >= seal for side in raw):
            return
        since = planned.question.tenant_zone.rfc3339(seal)
        raise NotServable(
            f"{raw[0].plan.reason}, and raw events of {planned.stream.name} before {since} were purged",
            hint=f"{raw[0].plan.remedy}, or ask from {since} on",
        )

    def _read_unsealed(self, question: Question) -> tuple[Planned, Read]:
        """Plans and reads, and does so again where something was purged meanwhile."""
        while True:
            planned = self.plan(question)
            self._guard(planned)
            read = self._read(planned)
            if self._engine.seal(question.stream, question.tenant) == planned.seal:
                return planned, read

    def _read(self, planned: Planned) -> Read:
        # The order is such that the proof never says more than the answer holds. The standing is read before
        # the states: a fold between the two only makes the states fresher than is claimed. An append between
        # the two may bring events that the states do not hold, but they are accepted after `asked_at`, which
        # is the latest instant that completeUntil names; hence it is taken before the standing.
        asked_at = self._clock.now()
        own_standing = self._standing(planned, planned.own)
        other_standing = None if planned.other is None else self._standing(planned, planned.other)
        own = self._states(planned, planned.own)
        other = None if planned.other is None else self._states(planned, planned.other)
        return Read(asked_at, own_standing, other_standing, own, other)

    def _standing(self, planned: Planned, side: Side) -> Standing:
        """How far the side is folded; what waits for a fold does not matter where the events are read."""
        found = self._engine.standing(planned.stream.name, planned.question.tenant, side.window)
        if side.plan.rollup is not None:
            return found
        return Standing(found.commit, None, None, found.revision)

    def _states(self, planned: Planned, side: Side) -> States:
        request = StatesRequest(
            tenant=planned.question.tenant,
            stream=planned.stream,
            rollup=side.plan.rollup,
            measures=planned.measures,
            by=planned.question.by,
            where=planned.question.where,
            segments=side.plan.segments,
            edges=side.plan.edges,
        )
        limit = self._settings.questions.time_limit_seconds
        return self._engine.read_states(request, time_limit_seconds=limit)

    def _answer(self, planned: Planned, read: Read, begun: float) -> Answer:
        question, metrics, stream = planned.question, planned.metrics, planned.stream
        finished = finish(read.own, metrics, stream)
        compared = self._compared(planned, read)
        most_rows = self._settings.questions.max_rows
        return Answer(
            columns=columns_of(question, stream, metrics, planned.own.buckets),
            rows=rows_of(question, planned.own.buckets, finished, compared, most_rows, self._daily(planned)),
            comparison=comparison_of(question, compared),
            proof=self._proof(planned, read, begun),
            sql=read.own.sql + (() if read.other is None else read.other.sql),
        )

    def _daily(self, planned: Planned) -> Daily:
        if not planned.question.daily:
            return NO_DAYS
        told = (metric.name for metric in planned.metrics if adds_up(metric.formula, planned.stream))
        zone, now = planned.question.zone, self._clock.now()
        return Daily(frozenset(told), tuple(days_passed(each, zone, now) for each in planned.own.buckets))

    def _compared(self, planned: Planned, read: Read) -> Compared | None:
        if planned.counterpart is None or planned.question.compare is None:
            return None
        states = States((), dict.fromkeys(_names(planned), ()), 0) if read.other is None else read.other
        finished = finish(states, planned.metrics, planned.stream)
        return Compared(planned.question.compare, planned.counterpart, finished)

    def _proof(self, planned: Planned, read: Read, begun: float) -> Proof:
        other = None
        if planned.other is not None and read.other is not None:
            other = Source.of(planned.other.plan, planned.stream, read.other)
        return Proof(
            source=Source.of(planned.own.plan, planned.stream, read.own),
            comparison=other,
            freshness=Freshness.of(read.standing, read.standing_of_other, read.asked_at),
            exact={metric.name: accuracy(metric) for metric in planned.metrics},
            zone=planned.question.zone,
            sealed_until=_sealed(planned),
            model_version=self._model.version,
            took_seconds=self._clock.monotonic() - begun,
        )

    def _tenant_zone(self, name: str) -> Zone:
        """The tenant's zone as the engine keeps it, whose days the rollups are of; else as it is declared.

        What nobody can be named for is counted in the days of a tenant that only events name.
        """
        tenant = self._engine.tenant(name) or self._model.tenants.get(name)
        if tenant is None and name == UNKNOWN:
            return self._engine.zone(name)
        if tenant is None:
            # Other tenants' names are nobody's business: no hint comes from them.
            raise UnknownName(
                f"there is no tenant named {name!r}", hint="a tenant exists from its first event on"
            )
        return Zone(tenant.timezone, tenant.week_start)


def _sealed(planned: Planned) -> int | None:
    """The seal, where a window of the question begins before it."""
    seal = planned.seal.events_from
    return seal if any(side.window.start < seal for side in planned.sides) else None


def _names(planned: Planned) -> tuple[str, ...]:
    return tuple(measure.name for measure in planned.measures)
