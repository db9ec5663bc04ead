"""What a backfill would fold again: windows of slots by tenant, what they hold, how long it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from aforo.engines.engine import Engine
from aforo.errors import InvalidRequest, UnknownName, together
from aforo.model.model import Model
from aforo.store.backfill import Span
from aforo.windows import (
    EARLIEST,
    LATEST,
    SLOT,
    Window,
    Zone,
    parse_date,
    parse_instant,
    window_of_dates,
)

# Before any backfill has run here: what a small machine does, the folder's own work beside it.
FIRST_EVENTS_PER_SECOND = 150_000
FIRST_SLOTS_PER_SECOND = 10_000

MOST_TOLD = 20  # names of nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants folded again. Dates are both included, of two instants the last is not.

    Without `tenants` it is everyone's who has events; without `from_` a number of days up to `to`, without
    `to` all up to now.
    """

    stream: str
    tenants: tuple[str, ...] | None = None
    from_: str | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The windows that would be folded again, and the seconds that would take by what is known.

    A window without slots is one that reaches into what was purged, and holds nothing after it.
    """

    stream: str
    spans: tuple[Span, ...]
    seconds: float


def plan(
    engine: Engine,
    model: Model,
    wanted: Wanted,
    *,
    now: int,
    default_days: int,
    pace: tuple[int, int, float],
    busy_share: float,
) -> Plan:
    """The plan of what is wanted; nothing is changed. `pace`: slots, events and seconds of earlier ones.

    Raises InvalidRequest, UnknownName.
    """
    if model.asked_stream(wanted.stream).ledger:
        raise InvalidRequest(
            f"{wanted.stream} is what the server counts itself, and is never folded",
            hint=f"name a declared stream: {', '.join(model.streams)}",
        )
    spans = tuple(
        _span(engine, wanted, tenant, now=now, default_days=default_days)
        for tenant in _tenants(engine, model, wanted)
    )
    slots, events = sum(span.slots for span in spans), sum(span.events for span in spans)
    return Plan(
        stream=wanted.stream,
        spans=tuple(span for span in spans if span.slots or span.sealed_before is not None),
        seconds=estimated(slots, events, pace) / busy_share,
    )


def estimated(slots: int, events: int, pace: tuple[int, int, float]) -> float:
    """Seconds of folding, from how long earlier backfills took for what they folded."""
    slots_before, events_before, seconds_before = pace
    known = _guessed(slots_before, events_before)
    return _guessed(slots, events) * (seconds_before / known if known and seconds_before else 1.0)


def window_of(wanted: Wanted, zone: Zone, *, now: int, default_days: int) -> Window:
    """The whole slots that are wanted, in a tenant's own days. Raises InvalidRequest."""
    end = now + 1 if wanted.to is None else _read(wanted.to, zone).end
    if wanted.from_ is None:
        start = zone.day_start(zone.date_of(end - 1) - timedelta(days=default_days - 1))
    else:
        start = _read(wanted.from_, zone).start
    if not EARLIEST <= start <= LATEST or not EARLIEST <= end <= LATEST:
        raise InvalidRequest("the window reaches beyond the years 1973 to 2999, for which times are kept")
    if start >= end:
        told = [f"{name} {text}" for name, text in (("from", wanted.from_), ("to", wanted.to)) if text]
        raise InvalidRequest(
            f"the window is empty or ends before it begins: {', '.join(told)}",
            hint="dates are both included; of two instants the last is excluded",
        )
    return Window(start - start % SLOT, end + -end % SLOT)


def _guessed(slots: int, events: int) -> float:
    return events / FIRST_EVENTS_PER_SECOND + slots / FIRST_SLOTS_PER_SECOND


def _tenants(engine: Engine, model: Model, wanted: Wanted) -> Iterable[str]:
    if wanted.tenants is None:
        return engine.tenants_of(wanted.stream)
    known = engine.tenants_of(wanted.stream)
    unknown = [
        (f"tenants[{at}]", UnknownName.of("tenant", name[:100], known))
        for at, name in enumerate(wanted.tenants)
        if engine.tenant(name) is None and name not in model.tenants
    ]
    if unknown:
        raise together(unknown[:MOST_TOLD])
    return dict.fromkeys(wanted.tenants)


def _span(engine: Engine, wanted: Wanted, tenant: str, *, now: int, default_days: int) -> Span:
    window = window_of(wanted, engine.zone(tenant), now=now, default_days=default_days)
    kept_from = engine.seal(wanted.stream, tenant).events_from
    if kept_from <= window.start:
        return _spanned(engine, wanted.stream, tenant, window, None)
    rest = Window(min(kept_from, window.end), window.end)
    return _spanned(engine, wanted.stream, tenant, rest, kept_from)


def _spanned(engine: Engine, stream: str, tenant: str, window: Window, sealed_before: int | None) -> Span:
    held = engine.held(stream, tenant, window)
    return Span(
        tenant=tenant,
        start=window.start,
        end=window.end,
        slots=held.slots,
        events=held.events,
        sealed_before=sealed_before,
    )


def moment(text: str) -> int | date:
    """The instant or the date that is written. Raises InvalidRequest."""
    return parse_instant(text) if "T" in text.upper() or ":" in text else parse_date(text)


def _read(text: str, zone: Zone) -> Window:
    """The local day of a date, or the window of no length at an instant."""
    read = moment(text)
    return Window(read, read) if isinstance(read, int) else window_of_dates(read, read, zone)
