"""An act that is kept in the audit: who did what to what, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """Every act there is."""

    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    FOLD_FORCED = "fold_forced"
    ACCESS_REFUSED = "access_refused"  # somebody was turned away from an admin route
    BACKFILL_STARTED = "backfill_started"
    BACKFILL_PAUSED = "backfill_paused"
    BACKFILL_RESUMED = "backfill_resumed"
    BACKFILL_CANCELLED = "backfill_cancelled"
    ERASURE_REQUESTED = "erasure_requested"
    CACHE_CLEARED = "cache_cleared"
    DRIFT_CHECKED = "drift_checked"
    CATALOG_CHANGED = "catalog_changed"  # series, datasets and metrics of runs
    RUN_ASKED = "run_asked"
    RUN_CANCELLED = "run_cancelled"
    MESSAGES_REDRIVEN = "messages_redriven"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by the name of the key or way in, and the network address where there is one."""

    name: str
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One row of the audit; `at` in microseconds, `id` grows with each."""

    id: int
    at: int
    action: Action
    actor: Actor
    subject: str
    detail: str
