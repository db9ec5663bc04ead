"""A backfill: windows of a stream that are folded again, tenant by tenant, and how far that has come."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class BackfillState(StrEnum):
    """Where a backfill stands; the last three are for good."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


MOVES: Mapping[BackfillState, frozenset[BackfillState]] = MappingProxyType(
    {
        BackfillState.RUNNING: frozenset(
            {BackfillState.PAUSED, BackfillState.DONE, BackfillState.CANCELLED, BackfillState.FAILED}
        ),
        BackfillState.PAUSED: frozenset({BackfillState.RUNNING, BackfillState.CANCELLED}),
        BackfillState.DONE: frozenset(),
        BackfillState.CANCELLED: frozenset(),
        BackfillState.FAILED: frozenset(),
    }
)
"""Into which states a backfill may go from each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is wanted for one tenant: whole slots, and what they held when they were counted.

    Instants in microseconds. `sealed_before` is where raw events begin, if more was wanted than there is.
    """

    tenant: str
    start: int
    end: int
    slots: int
    events: int
    sealed_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Slots that were marked and are not answered yet; the first begins at `start`."""

    start: int
    slots: int
    events: int
    commit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Span):
    """One tenant's share of a backfill: all from `done_from` on is answered, `batch` is under way."""

    done_from: int
    slots_done: int
    events_done: int
    batches: int
    seconds: float
    batch: Batch | None

    @property
    def finished(self) -> bool:
        """Whether nothing is left of the window."""
        return self.done_from <= self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """One backfill with its tenants' parts in the order they are worked on; `reason` tells why it failed."""

    id: str
    stream: str
    state: BackfillState
    created_by: str
    created_at: int
    changed_at: int
    finished_at: int | None
    reason: str
    parts: tuple[Part, ...]

    @property
    def part(self) -> Part | None:
        """The part that is worked on, None where all are finished."""
        return next((part for part in self.parts if not part.finished), None)


def new_id() -> str:
    """The name by which a backfill is spoken of."""
    return "bf_" + secrets.token_hex(8)
