"""How what is behind a number is shown: its states, its folds, and its events to those who may see them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from textwrap import dedent

from aforo.http.reply import Shape, instant
from aforo.questions.explain import Raw, Told
from aforo.questions.finish import Instant, State
from aforo.questions.rows import split_cell
from aforo.states.histogram import Histogram
from aforo.windows import Zone

WITHHELD = "raw events are shown to keys with the scope support or admin"


class HistogramReply(Shape, frozen=True):
    """Of a kept histogram: how many values it holds, and the exact least and greatest."""

    count: int
    minimum: float | None
    maximum: float | None


class StateReply(Shape, frozen=True):
    """What the formula was computed from: a measure, `new(measure)` or `returning(measure)`.

    A count, sum, least or greatest value as it is, a time as text; of a set its size.
    """

    name: str
    state: str | int | float | HistogramReply | None


class DayFoldReply(Shape, frozen=True):
    """A day that the number was folded in, and how often it changed (`revision`).

    `commit` is what its last fold read as of, at `foldedAt`; null where no fold has told of it yet.
    """

    day: str
    revision: int
    commit: int | None
    folded_at: str | None


class SampledEvent(Shape, frozen=True):
    """An event as it is kept, and the commit it came with."""

    id: str
    time: str
    commit: int
    fields: dict[str, str | int | float | bool | None]


class BehindReply(Shape, frozen=True):
    """Of `kept` events of the window `counted` give something to the answer; `sample` shows some of those.

    What is not told is null, and `withheld` says why.
    """

    kept: int | None
    counted: int | None
    sample: tuple[SampledEvent, ...] | None
    withheld: str | None


def states_of(states: Mapping[str, State], zone: Zone) -> tuple[StateReply, ...]:
    """What formulas were computed from."""
    return tuple(StateReply(name, _state(state, zone)) for name, state in states.items())


def shown_sql(told: Told) -> tuple[str, ...]:
    """What was run, each text from its first line's margin on."""
    return tuple(dedent(text).strip() for text in told.sql)


def folds_of(raw: Raw, zone: Zone) -> tuple[DayFoldReply, ...]:
    """The days by their dates."""
    folds = () if raw.behind is None else raw.behind.folds
    return tuple(
        DayFoldReply(zone.date_of(each.day).isoformat(), each.revision, each.commit, instant(each.folded_at))
        for each in folds
    )


def events_of(raw: Raw, zone: Zone, *, events: bool) -> BehindReply:
    """How many events there are, and some of them where `events` may be seen."""
    behind = raw.behind
    if behind is None or raw.why_not is not None:
        return BehindReply(None, None, None, raw.why_not)
    sample = tuple(
        SampledEvent(
            id=each.id,
            time=zone.rfc3339(each.time),
            commit=each.commit,
            fields={name: split_cell(value, zone) for name, value in each.fields.items()},
        )
        for each in behind.shown
    )
    return BehindReply(
        kept=behind.events,
        counted=behind.given,
        sample=sample if events else None,
        withheld=None if events else WITHHELD,
    )


def _state(state: State, zone: Zone) -> str | int | float | HistogramReply | None:
    match state:
        case Histogram():
            return HistogramReply(state.total, state.minimum, state.maximum)
        case Instant():
            return zone.rfc3339(state)
        case Fraction():
            return int(state) if state.denominator == 1 else float(state)
        case _:
            return state
