"""From what was read to an answer: finished, joined over streams, compared, put in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from aforo.engines.reads import Split, States
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.questions.answer import Answer, columns_of, comparison_of
from aforo.questions.before import days_passed
from aforo.questions.compare import Counterpart, delta
from aforo.questions.evidence import Part, Parts
from aforo.questions.finish import Finished, Value, adds_up, finish, joined
from aforo.questions.ordering import Rank, ranked
from aforo.questions.parts import has_compared_totals, totals
from aforo.questions.planned import Side
from aforo.questions.proof import Proof
from aforo.questions.question import COMPARED, Question
from aforo.questions.reading import none_of
from aforo.questions.rows import NO_DAYS, Compared, Daily, Row, number_of, rows_of
from aforo.questions.unmeasured import without
from aforo.windows import Bucket


def told(question: Question, parts: Parts, proof: Proof, most_rows: int, now: int) -> Answer:
    """The answer to a question of which everything was read.

    Raises QuestionTooLarge where it would have more than `most_rows` rows.
    """
    streams = {part.stream: part.planned.stream for part in parts.rows}
    known = {metric.name: metric for part in parts.rows for metric in part.planned.metrics}
    metrics = [known[name] for name in question.metrics]
    buckets, compared = parts.rows[0].planned.own.buckets, _compared(question, parts.rows)
    finished = _finished(question, [_own(part) for part in parts.rows])
    daily = _daily(question, metrics, streams, buckets, now)
    rows = rows_of(question, buckets, finished, compared, most_rows, daily)
    return Answer(
        columns=columns_of(question, streams, metrics, buckets),
        rows=rows,
        totals=_totals(question, parts, rows, compared, daily) if question.totals else None,
        comparison=comparison_of(question, compared),
        proof=proof,
        sql=tuple(text for part in parts.all for text in part.read.sql),
    )


def kept_groups(rank: Rank, parts: Sequence[Part], limit: int) -> tuple[Split, ...]:
    """The first groups by their rank over the window, which the first part tells; the other's is the second.

    Where the other window is not needed for the rank, groups that only it has come after those of the window.
    """
    windows = [_finished(part.planned.question, [_own(part)]) for part in parts]
    groups = [[group for _, group in each.values] for each in windows]
    if rank.needs_other:
        every = dict.fromkeys(group for found in groups for group in found)
        values = {group: _rank_value(rank, group, windows) for group in every}
        return tuple(ranked(values, descending=rank.descending))[:limit]
    kept: dict[Split, None] = {}
    for found, window in zip(groups, windows, strict=True):
        own = {group: window.at(0, group)[0] for group in found}
        kept |= dict.fromkeys(ranked(own, descending=rank.descending))
    return tuple(kept)[:limit]


def _rank_value(rank: Rank, group: Split, windows: Sequence[Finished]) -> Value:
    """What a row of the whole window would say of a group in the column of the rank."""
    own, other = windows[0].at(0, group)[0], windows[1].at(0, group)[0] if len(windows) > 1 else None
    return other if rank.suffix == COMPARED else delta(number_of(own), number_of(other))


_Taken: TypeAlias = tuple[Part, Side | None, States]


def _own(part: Part) -> _Taken:
    return part, part.planned.own, part.read.own.told(part.planned.metrics)


def _other(part: Part) -> _Taken:
    other = part.read.other
    states = none_of(part.planned) if other is None else other.told(part.planned.metrics)
    return part, part.planned.other, states


def _finished(question: Question, taken: Sequence[_Taken]) -> Finished:
    """The values of a window over all streams, null where a metric was not measured yet."""
    found = [
        (part.planned.question.metrics, finish(states, part.planned.metrics, part.planned.stream))
        for part, _, states in taken
    ]
    sides = [side for _, side, _ in taken if side is not None]
    begins = {name: at for side in sides for name, at in side.measured_from.items()}
    buckets = sides[0].buckets if sides else ()
    return without(joined(found, question.metrics), question.metrics, buckets, begins)


def _compared(question: Question, parts: Sequence[Part]) -> Compared | None:
    against = parts[0].planned.counterpart
    if question.compare is None or against is None:
        return None
    return Compared(question.compare, against, _finished(question, [_other(part) for part in parts]))


def _daily(
    question: Question,
    metrics: Sequence[Metric],
    streams: Mapping[str, Stream],
    buckets: Sequence[Bucket],
    now: int,
) -> Daily:
    if not question.daily:
        return NO_DAYS
    adding = (metric.name for metric in metrics if adds_up(metric.formula, streams[metric.stream]))
    return Daily(frozenset(adding), tuple(days_passed(each, question.zone, now) for each in buckets))


def _totals(
    question: Question, parts: Parts, rows: Sequence[Row], compared: Compared | None, daily: Daily
) -> Row:
    """The metrics of everything, from states that were merged over everything; never from rows."""
    if not parts.totals:
        return rows[0]  # what was asked is neither cut nor split, and its row is all there is
    buckets = parts.totals[0].planned.own.buckets
    finished = _finished(question, [_own(part) for part in parts.totals])
    against = None
    if compared is not None and has_compared_totals(question):
        there = parts.totals_compared
        whole = compared.counterpart
        others = there[0].planned.own.buckets if there else ()
        pairs = (0,) if there else (None,)
        against = Compared(
            compared.comparison,
            Counterpart(whole.window, others, pairs, whole.cut),
            _finished(question, [_own(part) for part in there]) if there else finished,
        )
    compare = None if against is None else question.compare
    whole_question = replace(totals(question, question.window), compare=compare)
    (row,) = rows_of(whole_question, buckets, finished, against, 1, Daily(daily.metrics, (sum(daily.days),)))
    return row
