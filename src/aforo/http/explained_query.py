"""`POST /v1/query/explain`: an answer with everything that is behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from aforo.http import examples_of_explain
from aforo.http.about import About, Content
from aforo.http.asking import ERRORS, asking
from aforo.http.behind import (
    BehindReply,
    DayFoldReply,
    StateReply,
    events_of,
    folds_of,
    shown_sql,
    states_of,
)
from aforo.http.caller import Caller, KeyScope
from aforo.http.door import Door
from aforo.http.query import CellReply, QueryReply
from aforo.http.readings import Readings
from aforo.http.reply import Shape, plain
from aforo.http.shown import MetricDefinition, definition_of
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked, decode
from aforo.questions.explain import MOST_FOLDS, MOST_SHOWN, MOST_STATES, Raw, RowStates, Told, explain
from aforo.questions.proof import told_to
from aforo.settings import Http
from aforo.windows import Zone


class RowStatesReply(Shape, frozen=True):
    """What the formulas of one row were computed from; `row` says of which time and group it is."""

    row: dict[str, CellReply]
    states: tuple[StateReply, ...]


class ReadReply(Shape, frozen=True):
    """One thing that was read of a stream: `of` is `rows`, or what the proof calls it.

    It told of `rows` times and groups; the states of the first are here.
    """

    of: str
    stream: str
    rows: int
    states: tuple[RowStatesReply, ...]
    sql: tuple[str, ...]


class StreamBehindReply(Shape, frozen=True):
    """The events of a stream that the window holds, for which `where` holds, and the folds of its days.

    Of `days` that were folded the latest are here.
    """

    stream: str
    days: int
    folds: tuple[DayFoldReply, ...]
    events: BehindReply


class ExplainedReply(Shape, frozen=True):
    """An answer, and where it comes from. Its `proof` says which rollups were considered, and why."""

    metrics: tuple[MetricDefinition, ...]
    answer: QueryReply
    reads: tuple[ReadReply, ...]
    behind: tuple[StreamBehindReply, ...]


def explaining(desk: Desk, readings: Readings, limits: Http) -> Door:
    """The way to what is behind an answer."""

    def answer(asked: Asked, caller: Caller, askers: int) -> ExplainedReply:
        # As with a number alone, only who may see events is shown those behind an answer.
        return told(desk.within(caller.budget), asked, askers, events=caller.may(KeyScope.SUPPORT))

    return asking(
        "/v1/query/explain",
        "explainAnswer",
        ABOUT,
        decode,
        answer,
        readings=readings,
        max_body_bytes=limits.max_body_bytes,
    )


def told(desk: Desk, asked: Asked, askers: int, *, events: bool) -> ExplainedReply:
    """What is told of an answer, with events or without. Raises what `explain` raises."""
    found = explain(desk, asked, most_shown=MOST_SHOWN if events else 0)
    zone = found.question.zone
    return ExplainedReply(
        metrics=tuple(definition_of(desk.model, metric) for metric in found.metrics),
        answer=cast(QueryReply, told_to(found.answer, askers).as_json()),
        reads=tuple(_read(each, zone) for each in found.told),
        behind=tuple(_behind(each, zone, events=events) for each in found.raw),
    )


def explained_json(desk: Desk, question: Mapping[str, object]) -> dict[str, object]:
    """The reply with its events as plain mappings and lists, for who holds the data directory."""
    return plain(told(desk, decode(question), 1, events=True))


def _read(read: Told, zone: Zone) -> ReadReply:
    return ReadReply(
        of=read.of,
        stream=read.stream,
        rows=read.rows,
        states=tuple(_states(each, zone) for each in read.states),
        sql=shown_sql(read),
    )


def _states(of: RowStates, zone: Zone) -> RowStatesReply:
    return RowStatesReply(cast(dict[str, CellReply], of.row), states_of(of.states, zone))


def _behind(raw: Raw, zone: Zone, *, events: bool) -> StreamBehindReply:
    return StreamBehindReply(
        stream=raw.stream.name,
        days=raw.folds,
        folds=folds_of(raw, zone),
        events=events_of(raw, zone, events=events),
    )


ABOUT = About(
    tag="Questions",
    summary="Explain an answer",
    description=(
        "The answer to a question of `POST /v1/query`, read anew, with everything behind it: the formulas "
        "and their measures, and for each thing that was read (the rows, what they are compared with, what "
        f"ranked groups, totals) the states of the first {MOST_STATES} times and groups, and the SQL that "
        "was run. Which rollups were considered, and why one was taken, is in the answer's `proof`. Of each "
        f"stream it tells the folds of the window's latest {MOST_FOLDS} days, and how many raw events there "
        f"are for which `where` holds, with up to {MOST_SHOWN} of those that count: to see those behind one "
        "row, ask for it by `where`. They are left out, and the reply says so, unless the key has the scope "
        "`support` or `admin`; nothing is told of more events than the key may read."
    ),
    body=(Content("application/json", (Asked,), examples_of_explain.EXPLAIN_ASKED),),
    reply=Content("application/json", (ExplainedReply,), examples_of_explain.ANSWERS_EXPLAINED),
    errors=ERRORS,
)
