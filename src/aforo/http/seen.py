"""`POST /v1/seen`: when a value of an entity was seen first and last. The value is in no address."""

from __future__ import annotations

from typing import Literal

from aforo import errors
from aforo.engines.engine import Engine
from aforo.engines.reads import Sight
from aforo.http import examples_of_sets
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.asking import asking
from aforo.http.door import Door
from aforo.http.readings import Readings
from aforo.http.reply import Shape
from aforo.http.value_asked import ValueAsked, decode
from aforo.model.model import Model
from aforo.rollups.value import seen
from aforo.windows import Zone

MAX_BODY_BYTES = 16 * 1_024


class SightReply(Shape, frozen=True):
    """An instant, exact to the event; or where events were purged a date; in the tenant's zone."""

    time: str
    exact_to: Literal["event", "day"]


class SeenReply(Shape, frozen=True):
    """When a value was seen first and last; perhaps earlier than `knownFrom`, if not null."""

    tenant: str
    entity: str
    first: SightReply
    last: SightReply
    known_from: str | None


def seeing(engine: Engine, model: Model, readings: Readings) -> Door:
    """The way in for who asks when a value was seen."""
    return asking(
        "/v1/seen",
        "seen",
        ABOUT,
        decode,
        lambda asked, _caller, _askers: shown(engine, model, asked),
        readings=readings,
        max_body_bytes=MAX_BODY_BYTES,
    )


def shown(engine: Engine, model: Model, asked: ValueAsked) -> SeenReply:
    """What is told of a value. Raises InvalidRequest, UnknownName, NotFound."""
    found = seen(engine, model, asked.tenant, asked.entity, str(asked.value))
    zone = engine.zone(asked.tenant)
    return SeenReply(
        tenant=asked.tenant,
        entity=asked.entity,
        first=_sight(found.first, zone),
        last=_sight(found.last, zone),
        known_from=None if found.known_from is None else zone.rfc3339(found.known_from),
    )


def _sight(sight: Sight, zone: Zone) -> SightReply:
    if sight.of_event:
        return SightReply(time=zone.rfc3339(sight.time), exact_to="event")
    return SightReply(time=zone.date_of(sight.time).isoformat(), exact_to="day")


ABOUT = About(
    tag="Questions",
    summary="Ask when a value was seen",
    description=(
        "When a tenant's events named a value of an entity first and last, such as one visitor. It is exact "
        "to the event where events are kept; where they were purged the days' sets tell, exact to the day. "
        "`knownFrom` is null, or from when on all that came is known: events before it were purged that no "
        "set told of. It reads the numbers of the tenant's events, so it takes longer than a metric."
    ),
    body=(Content("application/json", (ValueAsked,), examples_of_sets.SEEN_ASKED),),
    reply=Content("application/json", (SeenReply,), examples_of_sets.SEEN),
    errors=(
        errors.InvalidRequest,
        *OF_BODIES,
        errors.NotYourTenant,
        errors.NotFound,
        errors.StorageError,
    ),
)
