"""One value of an entity, as a person or an operator names it: whether it can be, and when it was seen."""

from __future__ import annotations

from aforo.engines.engine import Engine
from aforo.engines.reads import Seen
from aforo.errors import InvalidRequest, NotFound, UnknownName, together
from aforo.model.model import Model

LONGEST_VALUE = 1_024  # characters


def check(engine: Engine, model: Model, tenant: str, entity: str, value: str) -> None:
    """Whether it can be a value of events. Raises InvalidRequest, UnknownName; none shows the value."""
    entities = {name for stream in model.streams.values() for name in stream.entities}
    met: list[tuple[str, InvalidRequest]] = []
    if entity not in entities:
        met.append(("entity", UnknownName.of("entity", entity[:100], entities)))
    if engine.tenant(tenant) is None:
        told, hint = f"there is no tenant named {tenant[:100]!r}", "a tenant exists from its first event on"
        met.append(("tenant", UnknownName(told, hint=hint)))
    if not 1 <= len(value) <= LONGEST_VALUE:
        told, hint = (
            f"came {len(value)} characters, wanted 1 to {LONGEST_VALUE}",
            "give it as the events have it",
        )
        met.append(("value", InvalidRequest(told, hint=hint)))
    if met:
        raise together(met)


def seen(engine: Engine, model: Model, tenant: str, entity: str, value: str) -> Seen:
    """When it was seen first and last. Raises InvalidRequest, UnknownName, NotFound; none shows the value."""
    check(engine, model, tenant, entity, value)
    found = engine.seen(tenant, entity, value)
    if found is None:
        raise NotFound(
            f"nothing that is kept of {tenant[:100]!r} has this value of {entity}",
            hint="give the value as the events have it, to the letter",
        )
    return found
