"""The reply of a project's metrics, name for name as its dashboard reads them."""

from __future__ import annotations

from typing import Any

import msgspec

VERSION = "2025.10.1"
"""Of the reply's shape; a dashboard that knows another falls back to what it has."""


class Said(msgspec.Struct, frozen=True, rename="camel"):
    """What the parts of the reply are made of: fields in camel case."""


class KeyCount(Said, frozen=True):
    """How often something happened, and when it did last; null where that was not measured yet."""

    key: str
    count: int
    last_event_at: str | None


class OtherKeys(Said, frozen=True):
    """What the keys that happened least often have together."""

    count: int
    last_event_at: str | None


class Totals(Said, frozen=True):
    """Of the whole range; null where something was not measured yet."""

    events: int | None
    alerts: int | None
    errors: int | None


class Sla(Said, frozen=True):
    """What is promised from an event to these numbers, and what was measured, in seconds.

    `behindSeconds` is for how long the oldest event of the project has waited until now. The others are of
    all projects since the server began: how many commits were folded, how many late, the longest wait.
    """

    target_seconds: float
    met: bool
    behind_seconds: float
    longest_seconds: float | None
    commits: int
    late: int


class Meta(Said, frozen=True):
    """The version of this reply's shape."""

    version: str


class ProjectMetrics(Said, frozen=True):
    """A module of a project. A point has its day, or its week's first, as `date`, and the module's columns.

    Everything that was accepted before `refreshedAt` is counted. A week that the range cuts says `partial`.
    """

    wedding_id: str
    module: str
    range: str
    group_by: str
    points: list[dict[str, Any]]
    totals: Totals
    breakdown: list[KeyCount]
    refreshed_at: str
    source: str
    meta: Meta
    sla: Sla
    proof: dict[str, Any]
    breakdown_other: OtherKeys | msgspec.UnsetType = msgspec.UNSET
