"""The way of a question: resolve, plan, guard, read, finish, compare, answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aforo.clock import Clock
from aforo.engines.appends import UNKNOWN
from aforo.engines.engine import Engine
from aforo.errors import RollupReplaced, UnknownName
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.questions.answer import Answer
from aforo.questions.aside import as_served
from aforo.questions.asked import Asked
from aforo.questions.cache import Cache, Wanted
from aforo.questions.evidence import Part, Parts, evidence
from aforo.questions.ground import Ground
from aforo.questions.guard import Budget, guarded, refuse_unmeasured
from aforo.questions.kept import ANSWERS, Anew, Form, K, T
from aforo.questions.needed import parts_of, plans_of
from aforo.questions.parts import by_stream
from aforo.questions.planned import Keeping, Planned, planned
from aforo.questions.plans import PlanAsked, Plans
from aforo.questions.proof import Guarded, Proof, Turn
from aforo.questions.question import Question
from aforo.questions.reading import Read, read
from aforo.questions.resolve import resolve
from aforo.questions.telling import told
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import Zone


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with the question as it was understood, and everything that was read for it."""

    question: Question
    parts: Parts
    answer: Answer


class Desk:
    """Answers questions of one model from one engine, from any thread, and keeps the answers in a cache."""

    def __init__(
        self,
        engine: Engine,
        model: Model,
        settings: Settings,
        clock: Clock,
        telemetry: Telemetry,
        cache: Cache | None = None,
        expected: frozenset[str] = frozenset(),
        *,
        turn: Turn | None = None,
        at_hand: bool = True,
        plans: Plans | None = None,
    ) -> None:
        self.engine = engine
        self.model = model
        self.settings = settings
        self.clock = clock
        self.cache = cache
        self._telemetry = telemetry
        self._expected = expected
        self._turn = turn
        self._at_hand = at_hand
        self._plans = plans or Plans()

    def within(self, budget: Budget) -> Desk:
        """The desk with other limits of raw events for each question, and the turn that one has."""
        own = budget.within(self.settings.questions)
        if own == self.settings.questions and budget.turn is None:
            return self
        return self._but(settings=replace(self.settings, questions=own), turn=budget.turn)

    def expecting(self, tenant: str) -> Desk:
        """The desk for which a tenant is there before its first event: there is nothing of it yet."""
        return self._but(expected=self._expected | {tenant})

    def anew(self) -> Desk:
        """The desk that reads what it tells: nothing is kept, and nothing comes from the engine's memory."""
        own = self._but()
        own.cache, own._at_hand = None, False
        return own

    def _but(
        self,
        settings: Settings | None = None,
        expected: frozenset[str] | None = None,
        turn: Turn | None = None,
    ) -> Desk:
        return Desk(
            self.engine,
            self.model,
            settings or self.settings,
            self.clock,
            self._telemetry,
            self.cache,
            self._expected if expected is None else expected,
            turn=turn or self._turn,
            at_hand=self._at_hand,
            plans=self._plans,
        )

    def ask(self, asked: Asked) -> Answer:
        """The answer with its proof.

        Raises InvalidRequest, UnknownName, QuestionTooLarge, NotServable and TimeLimit.
        """
        begun = self.clock.monotonic()
        question, asked_at = self.resolve(asked), self.clock.now()
        plans = plans_of(self, question)
        allowed = guarded(plans, self.engine, self.settings.questions)
        if self.cache is None:
            answer = self._computed(question, plans, begun).answer
        else:
            rows = len(by_stream(question, self.model))
            ground = Ground.of(plans, rows, self.engine, asked_at)
            wanted, anew = (
                ground.wanted(question, self.model.version),
                Anew(question.zone, ground.freshness, begun),
            )
            answer = self.remembered(
                ANSWERS, wanted, anew, lambda: self._computed(question, plans, begun).answer
            )
        self.answered(answer.proof)
        return replace(answer, proof=self.limited(answer.proof, allowed))

    def ask_anew(self, asked: Asked) -> Answered:
        """The same with everything that was read for it, read now and by SQL. Raises the same."""
        begun, desk = self.clock.monotonic(), self.anew()
        question = desk.resolve(asked)
        plans = plans_of(desk, question)
        allowed = guarded(plans, self.engine, self.settings.questions)
        found = desk._computed(question, plans, begun)
        self.answered(found.answer.proof)
        proof = self.limited(found.answer.proof, allowed)
        return replace(found, answer=replace(found.answer, proof=proof))

    def remembered(self, form: Form[T, K], wanted: Wanted, anew: Anew, compute: Callable[[], T]) -> T:
        """The answer that is kept, as it stands now; else what `compute` reads, once for all who ask."""
        if self.cache is None:
            return compute()
        computed: list[T] = []

        def kept_now() -> K:
            read_at = self.clock.now()
            computed.append(compute())
            return form.keep(computed[0], read_at)

        kept = self.cache.get_or_compute(wanted, kept_now, form.unpack)
        if computed:
            return computed[0]
        took = self.clock.monotonic() - anew.begun
        return form.tell(kept, kept.proof.told(anew.zone, anew.freshness, self.clock.now(), took))

    def _computed(self, question: Question, plans: Sequence[Planned], begun: float) -> Answered:
        """The question as it was answered, which knows the groups that a limit keeps."""
        parts = parts_of(self, question, {each.question: each for each in plans})
        kept = parts.rows[0].planned.question.kept
        proof = evidence(question, parts, self.model.version, self.clock.monotonic() - begun)
        most_rows = self.settings.questions.max_rows
        question = replace(question, kept=kept)
        return Answered(question, parts, told(question, parts, proof, most_rows, self.clock.now()))

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
        builds, now = self.engine.builds(question.stream), self.clock.now()
        stream = as_served(self.model.asked_stream(question.stream), builds)
        keeping = Keeping.of(self.engine, question.stream, question.tenant)

        def made() -> Planned:
            return planned(question, stream, metrics, keeping, now, sets, seen)

        asked = PlanAsked(question, sets, seen)
        return made() if builds else self._plans.found_or_made(asked, keeping, now, made)

    def read(
        self,
        question: Question,
        sets: tuple[str, ...] = (),
        seen: tuple[str, ...] = (),
        most_keys: int | None = None,
        planned: Planned | None = None,
    ) -> Part:
        """Plans and reads, and does so again where something was purged or swapped in meanwhile.

        A plan that was guarded before is read first. Raises QuestionTooLarge, NotServable and TimeLimit.
        """
        allowed = None
        while True:
            if planned is None:
                planned, allowed = self.guarded(question, sets, seen)
            if (found := self._read_once(planned, most_keys)) is not None:
                return Part(planned, found, allowed)
            planned = None

    def guarded(
        self, question: Question, sets: tuple[str, ...] = (), seen: tuple[str, ...] = ()
    ) -> tuple[Planned, Guarded | None]:
        """A plan that nothing speaks against, and what it is expected to cost where raw events are read."""
        planned = self.plan(question, sets, seen)
        allowed = guarded([planned], self.engine, self.settings.questions)
        refuse_unmeasured(planned, self.engine, {*sets, *seen})
        return planned, allowed

    def _read_once(self, planned: Planned, most_keys: int | None) -> Read | None:
        """What the plan gives; None where something was purged or swapped in since it was made."""
        question, limit = planned.question, self.settings.questions.time_limit_seconds
        try:
            found = read(planned, self.engine, self.clock, limit, most_keys, at_hand=self._at_hand)
        except RollupReplaced:
            return None  # what was being built serves now, and is read the next time
        return found if self.engine.seal(question.stream, question.tenant) == planned.seal else None

    def proof(self, part: Part, begun: float) -> Proof:
        """The evidence of what was read; `begun` is the clock's when it was asked."""
        took = self.clock.monotonic() - begun
        proof = evidence(part.planned.question, Parts((part,)), self.model.version, took)
        return replace(proof, guarded=part.guarded)

    def limited(self, proof: Proof, allowed: Guarded | None) -> Proof:
        """The proof with the limits that the question was held to."""
        return replace(proof, guarded=allowed, turn=self._turn)

    def answered(self, proof: Proof) -> None:
        """Counts an answer."""
        self._telemetry.count("questions_total", source=proof.source.kind)
        self._telemetry.observe("question_seconds", proof.took_seconds)

    def tenant_zone(self, name: str) -> Zone:
        """The tenant's zone as the engine keeps it, whose days the rollups are of; else as it is declared.

        What nobody can be named for is counted in the days of a tenant that only events name, and so is one
        that is expected.
        """
        tenant = self.engine.tenant(name) or self.model.tenants.get(name)
        if tenant is None and (name == UNKNOWN or name in self._expected):
            return self.engine.zone(name)
        if tenant is None:
            # Other tenants' names are nobody's business: no hint comes from them.
            raise UnknownName(
                f"there is no tenant named {name!r}", hint="a tenant exists from its first event on"
            )
        return Zone(tenant.timezone, tenant.week_start)
