"""What is behind an answer: its states, what they were read from, and the events and folds they are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aforo.engines.behind import Behind, BehindRequest, DayFolded
from aforo.engines.reads import States
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.questions.answer import Answer
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.questions.cost import RawRead
from aforo.questions.evidence import Part, Parts
from aforo.questions.finish import State, finished_from
from aforo.questions.guard import expected
from aforo.questions.ordering import by_values
from aforo.questions.planned import Planned, Side
from aforo.questions.question import Question
from aforo.questions.reading import Found
from aforo.questions.rows import Row, head_of, when_of

MOST_SHOWN = 20
"""Events that are shown of those behind an answer."""
MOST_STATES = 20
"""Groups and times whose states are told, of each thing that was read."""
MOST_FOLDS = 31
"""Days whose folds are told, the latest."""


@dataclass(frozen=True, slots=True)
class RowStates:
    """What the formulas of a row were computed from; `row` says of which time and group it is."""

    row: Row
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that was read: `of` is `rows`, or what the proof calls it. `rows` counts what it told of."""

    of: str
    stream: str
    states: tuple[RowStates, ...]
    rows: int
    sql: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """The events of a stream that the window holds, for which the conditions of the question hold.

    `why_not` says why no events are told; `behind` is None where the stream keeps none. `folds` counts the
    days, of which the latest are told; there are none where the rows were not read from a rollup.
    """

    stream: Stream
    behind: Behind | None
    why_not: str | None
    folds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """An answer, and where it comes from."""

    question: Question
    answer: Answer
    metrics: tuple[Metric, ...]
    told: tuple[Told, ...]
    raw: tuple[Raw, ...]


def explain(desk: Desk, asked: Asked, *, most_shown: int) -> Explanation:
    """An answer with what is behind it, and at most `most_shown` of the events of each stream.

    Raises UnknownName, InvalidRequest, QuestionTooLarge, NotServable and TimeLimit.
    """
    found = desk.ask_anew(asked)
    question, parts = found.question, found.parts
    known = {metric.name: metric for part in parts.rows for metric in part.planned.metrics}
    return Explanation(
        question=question,
        answer=found.answer,
        metrics=tuple(known[name] for name in question.metrics),
        told=tuple(_told(*each) for each in _read(parts)),
        raw=tuple(_raw(desk, part.planned, most_shown) for part in parts.rows),
    )


def _read(parts: Parts) -> Iterator[tuple[str, Part, Side, Found]]:
    """Everything that was read, by the names that the proof has for it."""
    for part in parts.rows:
        yield "rows", part, part.planned.own, part.read.own
        if part.planned.other is not None and part.read.other is not None:
            yield "comparison", part, part.planned.other, part.read.other
    rankings = zip(("ranking", "rankingComparison"), parts.ranking, strict=False)
    totals = [("totals", part) for part in parts.totals]
    compared = [("totalsComparison", part) for part in parts.totals_compared]
    for of, part in (*rankings, *totals, *compared):
        yield of, part, part.planned.own, part.read.own


def _told(of: str, part: Part, side: Side, found: Found) -> Told:
    planned = part.planned
    states = found.told(planned.metrics)
    return Told(
        of=of,
        stream=part.stream,
        states=tuple(_states(planned, side, states, at) for at in _first(planned.question, states)),
        rows=max(1, len(states.keys)),
        sql=found.sql,
    )


def _first(question: Question, states: States) -> Sequence[int | None]:
    """The places of what is told first: by time, then as groups stand in an answer. None is of nothing."""
    groups = {group for _, group in states.keys}
    in_order = by_values(groups) if question.kept is None else [*question.kept, ()]
    rank = {group: at for at, group in enumerate(in_order)}
    places = sorted(range(len(states.keys)), key=lambda at: (states.keys[at][0], rank[states.keys[at][1]]))
    return places[:MOST_STATES] or (None,)


def _states(planned: Planned, side: Side, states: States, at: int | None) -> RowStates:
    told, question = finished_from(states, planned.metrics, planned.stream, at), planned.question
    if at is None:
        return RowStates({}, told)
    bucket, group = states.keys[at]
    return RowStates({**when_of(question, side.buckets[bucket]), **head_of(question, group)}, told)


def _raw(desk: Desk, planned: Planned, most_shown: int) -> Raw:
    stream, question = planned.stream, planned.question
    if stream.ledger:
        no_events = f"{stream.name} keeps no events: its counts are all there is"
        return Raw(stream=stream, behind=None, why_not=no_events, folds=0)
    limits = desk.settings.questions
    cost = RawRead.of(stream, question.window, planned.own.plan, planned.measures, question.where)
    would = expected([cost], question.tenant, desk.engine, limits)
    few = (
        would.raw_rows_expected <= would.raw_rows_limit and would.raw_bytes_expected <= would.raw_bytes_limit
    )
    why_not = None if few else f"to look at the events behind it would read {would}: ask a shorter window"
    measures = planned.measures if few else ()
    wanted = BehindRequest(question.tenant, stream, measures, question.window, most_shown, question.where)
    found = desk.engine.read_behind(wanted, time_limit_seconds=limits.time_limit_seconds)
    folds: tuple[DayFolded, ...] = () if planned.own.plan.rollup is None else found.folds
    behind = replace(found, folds=folds[-MOST_FOLDS:])
    return Raw(stream=stream, behind=behind, why_not=why_not, folds=len(folds))
