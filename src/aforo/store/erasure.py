"""An erasure as it is kept: whose value of which entity is to go, and how far that has come."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum


class ErasureState(StrEnum):
    """Where an erasure stands; each step may be done again."""

    REQUESTED = "requested"  # durable, and nothing else yet: the only state in which the value is kept
    UNNAMED = "unnamed"  # the value has no number and stands in no refused event and no split
    REMOVED = "removed"  # its events are deleted, and the slots they were in wait for a fold
    DONE = "done"  # the rollups are those of the events that are left


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One erasure; times in microseconds. `digest` is the value's keyed hash.

    Once it is removed, what was marked up to `commit` waits for a fold.
    """

    id: str
    tenant: str
    entity: str
    value: str | None = field(repr=False)
    digest: str
    state: ErasureState
    requested_by: str
    requested_at: int
    changed_at: int
    finished_at: int | None
    events: int
    slots: int
    commit: int | None


def new_id() -> str:
    """An id that nobody has."""
    return f"era_{secrets.token_hex(12)}"
