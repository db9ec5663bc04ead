"""The smaller questions that one is answered by: of each stream, for its ranking, and for its totals."""

from __future__ import annotations

from dataclasses import replace

from aforo.model.model import Model
from aforo.questions.comparison import Against
from aforo.questions.ordering import rank_of
from aforo.questions.question import Question
from aforo.windows import Grain, Window


def by_stream(question: Question, model: Model) -> tuple[Question, ...]:
    """The question once for each stream that it asks metrics of, in the order of the metrics."""
    of = {name: model.metric(name).stream for name in question.metrics}
    return tuple(
        replace(question, stream=stream, metrics=tuple(name for name in of if of[name] == stream))
        for stream in dict.fromkeys(of.values())
    )


def ranking(question: Question, window: Window, model: Model) -> Question:
    """The metric that groups are ranked by, over a whole window."""
    metric = rank_of(question.order, question.metrics).metric
    whole = _whole(question, window)
    return replace(whole, stream=model.metric(metric).stream, metrics=(metric,), by=question.by)


def has_totals_of_its_own(question: Question) -> bool:
    """Whether totals are asked that the rows do not hold as they are."""
    return question.totals and (bool(question.by) or question.grain is not Grain.TOTAL)


def has_compared_totals(question: Question) -> bool:
    """Whether totals are compared: the buckets before each bucket may overlap, and are no whole."""
    return question.compare is not None and question.compare.against is not Against.BEFORE


def totals(question: Question, window: Window) -> Question:
    """The same metrics of everything in a window, neither cut nor split."""
    return _whole(question, window)


def _whole(question: Question, window: Window) -> Question:
    return replace(
        question,
        window=window,
        grain=Grain.TOTAL,
        by=(),
        compare=None,
        order=(),
        limit=None,
        totals=False,
        kept=None,
    )
