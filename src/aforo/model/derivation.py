"""How the events of a derived stream follow from one entity's events of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aforo.model.condition import Condition

DEFAULT_GAP_MINUTES = 30


class DerivationKind(StrEnum):
    """What one derived event is."""

    SESSIONS = "sessions"  # a run of an entity's events, within one day of the tenant
    FIRSTS = "firsts"  # the earliest event of an entity


class TakeKind(StrEnum):
    """What a derived event says of the events that it is made of."""

    FIRST = "first"  # a field of the earliest
    LAST = "last"  # a field of the latest
    COUNT = "count"
    DURATION = "duration"  # seconds from the earliest to the latest


TAKES = {
    DerivationKind.SESSIONS: tuple(TakeKind),
    DerivationKind.FIRSTS: (TakeKind.FIRST,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """What a field of a derived stream holds; `field` is the source's, `where` is only for a count."""

    kind: TakeKind
    field: str | None = None
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """From which events of a stream, by which entity of it, and what each field takes of them.

    The entity and its `field` are carried over, and stand in the derived stream under the same names. A
    session ends `gap_minutes` after its last event, or at the tenant's midnight.
    """

    kind: DerivationKind
    source: str
    entity: str
    field: str
    gap_minutes: int = DEFAULT_GAP_MINUTES
    where: tuple[Condition, ...] = ()
    takes: Mapping[str, Take]
