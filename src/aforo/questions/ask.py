"""The way of a question: resolve, plan, guard, read, finish, compare, answer."""

from __future__ import annotations

from aforo.clock import Clock
from aforo.engines.appends import UNKNOWN
from aforo.engines.engine import Engine
from aforo.errors import RollupReplaced, UnknownName
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.questions.answer import NO_DAYS, Answer, Compared, Daily, columns_of, comparison_of, rows_of
from aforo.questions.aside import as_served
from aforo.questions.asked import Asked
from aforo.questions.before import days_passed
from aforo.questions.evidence import evidence
from aforo.questions.finish import adds_up, finish
from aforo.questions.guard import refuse_raw, refuse_unmeasured
from aforo.questions.plan import explained
from aforo.questions.planned import Planned, planned
from aforo.questions.proof import Proof
from aforo.questions.question import Question
from aforo.questions.reading import Read, none_of, read
from aforo.questions.resolve import resolve
from aforo.questions.unmeasured import without
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import Zone


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
        """What both windows of the question would be read from; see `planned`."""
        metrics = tuple(self.model.metric(name) for name in question.metrics)
        stream, now = self.served(question.stream), self.clock.now()
        return planned(question, stream, metrics, self.engine, now, sets, seen)

    def read(
        self, question: Question, sets: tuple[str, ...] = (), seen: tuple[str, ...] = ()
    ) -> tuple[Planned, Read]:
        """Plans and reads, and does so again where something was purged or swapped in meanwhile.

        Raises QuestionTooLarge, NotServable and TimeLimit.
        """
        limits = self.settings.questions
        while True:
            planned = self.plan(question, sets, seen)
            refuse_raw(planned, self.engine, limits.raw_rows_limit)
            refuse_unmeasured(planned, self.engine, {*sets, *seen})
            try:
                found = read(planned, self.engine, self.clock, limits.time_limit_seconds)
            except RollupReplaced:
                continue  # what was being built serves now, and is read the next time
            if self.engine.seal(question.stream, question.tenant) == planned.seal:
                return planned, found

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
        states = none_of(planned) if read.other is None else read.other.told(planned.metrics)
        finished = finish(states, planned.metrics, planned.stream)
        if planned.other is not None:
            begins = planned.other.measured_from
            finished = without(finished, planned.metrics, planned.other.buckets, begins)
        return Compared(planned.question.compare, planned.counterpart, finished)

    def proof(self, planned: Planned, read: Read, begun: float) -> Proof:
        """The evidence of what was read; `begun` is the clock's when it was asked."""
        return evidence(planned, read, self.model.version, self.clock.monotonic() - begun)

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
