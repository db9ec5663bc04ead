"""A funnel as it comes from outside, and with every name looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import msgspec

from aforo.errors import InvalidRequest, UnknownName
from aforo.model.condition import Condition, text_of
from aforo.model.model import Model
from aforo.model.stream import Entity, Stream
from aforo.questions.asked import Asked, AskedCondition
from aforo.questions.asked import decoded as decoded_as
from aforo.questions.faults import Faults
from aforo.questions.resolve import conditions_of, window_of, zone_of
from aforo.windows import DAY, HOUR, Window, Zone

MOST_STEPS = 8


class FunnelStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step: the events of a stream for which all of `where` holds; the funnel's own stream by default."""

    name: str | None = None
    stream: str | None = None
    where: str | tuple[AskedCondition, ...] = ()


class FunnelAsked(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}
):
    """The body of a funnel: how many of an entity came how far through up to 8 steps, inside the window.

    Every step is later than the one before it, and no later than `within` after the first (`30m`, `24h`,
    `7d`; a day has 24 hours); anywhen in the window where it is not said. With `ordered` false it is enough
    to have made all the steps, in any order, which kept sets can tell, and `within` cannot be said.
    """

    tenant: str
    entity: str
    steps: tuple[FunnelStep, ...]
    stream: str | None = None
    from_: str | None = None
    to: str | None = None
    within: str | None = None
    ordered: bool = True
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step with its names looked up."""

    name: str
    stream: Stream
    entity: Entity
    where: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelQuestion:
    """A funnel whose every word is known; `within` is microseconds, None for no limit but the window."""

    tenant: str
    steps: tuple[Step, ...]
    window: Window
    within: int | None
    ordered: bool
    zone: Zone
    tenant_zone: Zone


def decode(body: object) -> FunnelAsked:
    """The funnel in a decoded JSON body; InvalidRequest names every parameter that nobody knows."""
    return decoded_as(body, FunnelAsked, _SHAPE)


_SHAPE = (
    'for example {"tenant": "nyc", "entity": "plane", "stream": "flights", '
    '"steps": [{"where": "origin = \\"JFK\\""}, {"where": "origin = \\"LGA\\""}], "within": "7d"}'
)


def resolve(asked: FunnelAsked, model: Model, tenant_zone: Zone, now: int) -> FunnelQuestion:
    """The funnel that is asked; every fault in it is told at once, names with the nearest right one."""
    faults = Faults()
    zone = faults.taken("timezone", lambda: zone_of(asked.timezone, tenant_zone)) or tenant_zone
    dates = Asked(tenant=asked.tenant, metrics=(), from_=asked.from_, to=asked.to)
    window = window_of(dates, zone, now, faults)
    within = faults.taken("within", lambda: _within(asked))
    faults.taken("steps", lambda: _few_enough(asked))
    shared = None
    if asked.stream is not None or any(step.stream is None for step in asked.steps):
        shared = faults.taken("stream", lambda: _stream(asked.stream, model))
    steps = [_step(at, step, asked.entity, shared, model, faults) for at, step in enumerate(asked.steps)]
    for name in dict.fromkeys(step.stream or asked.stream or "" for step in asked.steps):
        if name in model.streams:
            faults.taken("entity", partial(_check_entity, model.streams[name], asked.entity))
    faults.raise_if_any()
    assert window is not None, "what is no window is a fault"
    return FunnelQuestion(
        tenant=asked.tenant,
        steps=tuple(step for step in steps if step is not None),
        window=window,
        within=within,
        ordered=asked.ordered,
        zone=zone,
        tenant_zone=tenant_zone,
    )


def _step(
    at: int, step: FunnelStep, entity_name: str, shared: Stream | None, model: Model, faults: Faults
) -> Step | None:
    """The step, of the stream that all share where it names none of its own."""
    place, stream = f"steps[{at}]", shared
    if step.stream is not None:
        stream = faults.taken(f"{place}.stream", lambda: _stream(step.stream, model))
    where = conditions_of(step.where, () if stream is None else (stream,), faults, f"{place}.where")
    if stream is None:
        return None
    entity = stream.entities.get(entity_name)
    return None if entity is None else Step(step.name or _named(stream, where), stream, entity, where)


def _stream(name: str | None, model: Model) -> Stream:
    if name is None:
        raise InvalidRequest(
            "it is not said of which stream the step's events are",
            hint="say 'stream' once for all steps, or in each; there are " + ", ".join(model.streams),
        )
    return model.stream(name)


def _check_entity(stream: Stream, name: str) -> None:
    if name not in stream.entities:
        raise UnknownName.of(f"entity of {stream.name}", name, stream.entities)


def _named(stream: Stream, where: tuple[Condition, ...]) -> str:
    return f"{stream.name}: {text_of(where)}" if where else stream.name


def _few_enough(asked: FunnelAsked) -> None:
    if not 1 <= len(asked.steps) <= MOST_STEPS:
        raise InvalidRequest(
            f"{len(asked.steps)} steps came, and a funnel has 1 to {MOST_STEPS}",
            hint="leave out the steps between that matter least"
            if asked.steps
            else 'for example "steps": [{}]',
        )


_UNITS: Mapping[str, int] = MappingProxyType(
    {"s": 1_000_000, "m": 60_000_000, "h": HOUR, "d": DAY, "w": 7 * DAY}
)


def _within(asked: FunnelAsked) -> int | None:
    if asked.within is None:
        return None
    if not asked.ordered:
        raise InvalidRequest(
            "steps in any order have no time from the first to the last",
            hint="leave out 'within', or ask for ordered steps",
        )
    read = re.fullmatch(r"([1-9]\d{0,6})\s*([smhdw])", asked.within.strip())
    if read is None:
        raise InvalidRequest(f"{asked.within!r} is no length of time", hint="write 90s, 30m, 24h, 7d or 2w")
    return int(read[1]) * _UNITS[read[2]]
