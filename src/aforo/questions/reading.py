"""What the engine gives for a planned question, read in such an order that the proof claims no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aforo.clock import Clock
from aforo.engines.engine import Engine
from aforo.engines.reads import Standing, States, StatesRequest
from aforo.model.metric import Metric
from aforo.questions.planned import Planned, Side
from aforo.questions.sighting import sighted, told
from aforo.windows import Window


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
    standings: tuple[Standing, ...]  # the own window's first
    own: Found
    other: Found | None

    @property
    def sql(self) -> tuple[str, ...]:
        return self.own.sql + (() if self.other is None else self.other.sql)


def read(
    planned: Planned,
    engine: Engine,
    clock: Clock,
    time_limit_seconds: float,
    most_keys: int | None = None,
    *,
    at_hand: bool = True,
) -> Read:
    """The states of both windows, and how far they are folded; without `at_hand` nothing is told from memory.

    Raises TimeLimit, RollupReplaced, and QuestionTooLarge for more than `most_keys` groups and buckets.
    """
    # The order is such that the proof never says more than the answer holds. The standing is read before
    # the states: a fold between the two only makes the states fresher than is claimed. An append between
    # the two may bring events that the states do not hold, but they are accepted after `asked_at`, which
    # is the latest instant that completeUntil names; hence it is taken before the standing.
    asked_at = clock.now()
    standings = tuple(standing_of(planned, side, engine) for side in planned.sides)
    own = _found(planned, planned.own, engine, time_limit_seconds, most_keys, at_hand)
    other = None
    if planned.other is not None:
        other = _found(planned, planned.other, engine, time_limit_seconds, None, at_hand)
    return Read(asked_at, standings, own, other)


def none_of(planned: Planned) -> States:
    """What there is of a window that holds no time."""
    names = [measure.name for measure in planned.measures]
    seen = [leaf.column for leaf in sighted(planned.metrics)]
    return States((), dict.fromkeys((*names, *seen), ()), 0)


def standing_of(planned: Planned, side: Side, engine: Engine) -> Standing:
    """How far the side is folded; what waits for a fold does not matter where the events are read.

    Of a derived stream it does: its events themselves may wait to be derived.
    """
    folded = [window for window, plan in side.reads if plan.rollup is not None]
    window = _hull(folded or [side.window])
    found = engine.standing(planned.stream.name, planned.question.tenant, window)
    if folded or planned.stream.derivation is not None:
        return found
    return Standing(found.commit, None, None, found.revision)


def _found(
    planned: Planned, side: Side, engine: Engine, limit: float, most_keys: int | None, at_hand: bool
) -> Found:
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
        kept=planned.question.kept,
        most_keys=most_keys,
        at_hand=at_hand,
    )
    states = engine.read_states(own, time_limit_seconds=limit)
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
        kept=None,
        most_keys=None,
    )
    return Found(states, _with_window(engine.read_states(past, time_limit_seconds=limit), states, side))


def _with_window(past: States, own: States, side: Side) -> States:
    """What came before each bucket, where only what came before the window was read for it."""
    assert side.past is not None
    if len(side.past.plan.edges) == len(side.buckets):
        return past
    keys = tuple((bucket + 1, split) for bucket, split in own.keys)
    values = {name: (*values, *own.values[name]) for name, values in past.values.items()}
    return replace(past, keys=past.keys + keys, values=values)


def _hull(windows: Sequence[Window]) -> Window:
    return Window(min(each.start for each in windows), max(each.end for each in windows))
