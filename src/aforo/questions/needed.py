"""Everything that a question needs: planned before anything is read, then read one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from aforo.engines.reads import Split
from aforo.model.model import Model
from aforo.questions.evidence import Part, Parts
from aforo.questions.ordering import rank_of
from aforo.questions.parts import by_stream, has_compared_totals, has_totals_of_its_own, ranking, totals
from aforo.questions.planned import Planned
from aforo.questions.question import Question
from aforo.questions.telling import kept_groups
from aforo.settings import Settings
from aforo.windows import Window

Plans = Mapping[Question, Planned]


class Reader(Protocol):
    """Plans a question of one stream and reads it, as a desk does."""

    model: Model
    settings: Settings

    def plan(self, question: Question) -> Planned: ...

    def read(
        self, question: Question, *, most_keys: int | None = None, planned: Planned | None = None
    ) -> Part: ...


def plans_of(reader: Reader, question: Question) -> tuple[Planned, ...]:
    """The plan of everything that would be read: of the rows, the ranking, and the totals.

    Where the other window is read for too few groups alone, that is of what the rows are compared with.
    """
    asked = by_stream(question, reader.model)
    plans = [reader.plan(part) for part in asked]
    if question.limit is not None:
        plans += map(reader.plan, rankings(question, plans[0], reader.model))
    if has_totals_of_its_own(question):
        other = compared_window(question, plans[0])
        windows = (question.window, *(() if other is None else (other,)))
        plans += [reader.plan(totals(part, window)) for part in asked for window in windows]
    return tuple(plans)


def parts_of(reader: Reader, question: Question, plans: Plans) -> Parts:
    """Everything that the question needs, read one after the other.

    Rows and totals are of two moments where events are folded in between; the proof tells of the earlier.
    """
    asked = by_stream(question, reader.model)
    first: tuple[Part, ...] = ()
    if question.limit is not None:
        first, kept = _ranked(reader, question, question.limit, plans)
        asked = tuple(replace(part, kept=kept) for part in asked)
    most_rows = reader.settings.questions.max_rows
    rows = tuple(_part(reader, part, plans, most_rows) for part in asked)
    if not has_totals_of_its_own(question):
        return Parts(rows, first)
    other = compared_window(question, rows[0].planned)
    return Parts(
        rows,
        first,
        tuple(_part(reader, totals(part, part.window), plans) for part in asked),
        tuple(_part(reader, totals(part, other), plans) for part in asked) if other is not None else (),
    )


def rankings(question: Question, rows: Planned, model: Model) -> tuple[Question, ...]:
    """What is surely read to rank groups: of the window, and of the other where the rank is of it."""
    own = ranking(question, question.window, model)
    if not rank_of(question.order, question.metrics).needs_other or rows.counterpart is None:
        return (own,)
    other = rows.counterpart.window
    return (own, ranking(question, other, model)) if other.length else (own,)


def compared_window(question: Question, planned: Planned) -> Window | None:
    """The other window as a whole, where it holds any time and totals of it can be told."""
    if planned.counterpart is None or not planned.counterpart.window.length:
        return None
    return planned.counterpart.window if has_compared_totals(question) else None


def _part(reader: Reader, question: Question, plans: Plans, most_keys: int | None = None) -> Part:
    """The question read by its plan, which was guarded when it was made; else by a new one."""
    first = plans.get(replace(question, kept=None))  # which groups are kept changes no plan
    planned = None if first is None else replace(first, question=question)
    return reader.read(question, most_keys=most_keys, planned=planned)


def _ranked(
    reader: Reader, question: Question, limit: int, plans: Plans
) -> tuple[tuple[Part, ...], tuple[Split, ...]]:
    """The groups that the limit keeps, best first, and what told them.

    The other window is read where the rank is of it, or where the question's own has too few groups.
    """
    rank, other = rank_of(question.order, question.metrics), _other_window(reader, question, plans)
    parts = [_part(reader, ranking(question, question.window, reader.model), plans)]
    if other is not None and (rank.needs_other or len(kept_groups(rank, parts, limit)) < limit):
        parts.append(_part(reader, ranking(question, other, reader.model), plans))
    return tuple(parts), kept_groups(rank, parts, limit)


def _other_window(reader: Reader, question: Question, plans: Plans) -> Window | None:
    """What the rows are compared with as a whole, where that holds any time."""
    first = by_stream(question, reader.model)[0]
    against = (plans.get(first) or reader.plan(first)).counterpart
    return None if against is None or not against.window.length else against.window
