"""`aforo seen`: when somebody was seen first and last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from aforo.cli.erase import Entity, Tenant, Value, said
from aforo.cli.output import write
from aforo.cli.session import Session

COLUMNS = ("tenant", "entity", "first", "firstExactTo", "last", "lastExactTo", "knownFrom")


def seen(context: typer.Context, tenant: Tenant, entity: Entity, value: Value) -> None:
    """Tell when a value of an entity was seen first and last, and how exactly that is known."""
    session: Session = context.obj
    with session.reaching() as reached:
        reply: Mapping[str, Any] = reached.seen({"tenant": tenant, "entity": entity, "value": said(value)})
    row = {
        **reply,
        "first": reply["first"]["time"],
        "firstExactTo": reply["first"]["exactTo"],
        "last": reply["last"]["time"],
        "lastExactTo": reply["last"]["exactTo"],
    }
    write(reply, session.format, COLUMNS, [row])
