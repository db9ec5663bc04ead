"""Which runs a list is of, and where its pages begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from aforo.errors import AforoError, Fault, InvalidRequest, UnknownName, suggestion
from aforo.http import paging
from aforo.store.run import RunState
from aforo.windows import Zone, parse_date, parse_instant

STATUS, METRIC, FROM, TO = "status", "metric", "from", "to"
TOLD: Mapping[str, str] = {
    STATUS: f"Only those in these states, with commas between: {', '.join(RunState)}",
    METRIC: "Only those of this metric",
    FROM: "Only those made since: an instant, or the beginning of a date in UTC",
    TO: "Only those made before this instant, or up to the end of this date in UTC",
    **paging.TOLD,
}
PARAMETERS = tuple(TOLD)
MOST_OF_A_CODE = 128
_UTC = Zone("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsAsked:
    """Some runs, the newest first: made in [start, end), of those after the one `after` names."""

    states: frozenset[RunState]
    metric: str | None
    start: int | None
    end: int | None
    limit: int
    after: tuple[int, str] | None


def asked_of(given: Mapping[str, str]) -> RunsAsked:
    """What the parameters ask for. Raises InvalidRequest, UnknownName."""
    page = paging.page_in(given)
    metric = given.get(METRIC)
    if metric is not None and not (metric.isprintable() and 1 <= len(metric) <= MOST_OF_A_CODE):
        raise _wrong(METRIC, f"wanted the code of a metric, 1 to {MOST_OF_A_CODE} printable characters")
    return RunsAsked(
        states=_states(given.get(STATUS)),
        metric=metric,
        start=_moment(given, FROM, days=0),
        end=_moment(given, TO, days=1),
        limit=page.limit,
        after=None if page.after is None else place_of(page.after),
    )


def place_of(after: str) -> tuple[int, str]:
    """The place of a run that a cursor names: when it was made, and its id. Raises InvalidRequest."""
    moment, _, run_id = after.partition(" ")
    if not (moment.isascii() and moment.isdigit() and len(moment) < 19 and run_id.isprintable()):
        raise no_cursor()
    return int(moment), run_id


def pair_of(after: str | None) -> tuple[str, str] | None:
    """The place in a list by tenant and name that a cursor names. Raises InvalidRequest."""
    if after is None:
        return None
    try:
        tenant, name = msgspec.json.decode(after, type=tuple[str, str])
    except msgspec.MsgspecError as error:
        raise no_cursor() from error
    if not (tenant.isprintable() and name.isprintable()):
        raise no_cursor()
    return tenant, name


def cursor_of_pair(tenant: str, name: str) -> str:
    """The cursor of the page after an entry of such a list."""
    return paging.cursor_of(msgspec.json.encode((tenant, name)).decode())


def no_cursor() -> InvalidRequest:
    return InvalidRequest("the cursor is none of this list", hint="give back nextCursor as it came")


def _states(text: str | None) -> frozenset[RunState]:
    words = [] if text is None else [word.strip().upper() for word in text.split(",")]
    unknown = [word[:40] for word in words if word not in set(RunState)][:20]
    if unknown:
        faults = [Fault(STATUS, "unknown_name", f"there is no state {word!r}") for word in unknown]
        told = "; ".join(fault.message for fault in faults)
        raise UnknownName(
            told, hint=suggestion(unknown[0], [str(state) for state in RunState]), faults=faults
        )
    return frozenset(RunState(word) for word in words)


def _moment(given: Mapping[str, str], name: str, *, days: int) -> int | None:
    """The instant, or the start of a date so many days later."""
    text = given.get(name)
    if text is None:
        return None
    try:
        if len(text) > len("2013-01-31"):
            return parse_instant(text)
        return _UTC.day_start(parse_date(text) + timedelta(days=days))
    except (AforoError, OverflowError) as error:
        told = error.detail if isinstance(error, AforoError) else f"{text!r} is too far ahead"
        raise _wrong(name, told[:200]) from error


def _wrong(name: str, message: str) -> InvalidRequest:
    return InvalidRequest(
        f"{name}: {message}",
        hint="for example ?from=2013-01-01&to=2013-01-31",
        faults=[Fault(name, "wrong_value", message)],
    )
