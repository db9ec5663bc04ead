"""The act in the audit that kept answers were cleared."""

from __future__ import annotations

from aforo.store.migrations.acts import audit_takes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEFORE = (
    *("key_created", "key_revoked", "fold_forced", "access_refused"),
    *("backfill_started", "backfill_paused", "backfill_resumed", "backfill_cancelled"),
    "erasure_requested",
)
ADDED = ("cache_cleared",)


def upgrade() -> None:
    """Has the audit take one more act."""
    audit_takes((*BEFORE, *ADDED))


def downgrade() -> None:
    """Takes of the audit what it could not hold before."""
    audit_takes(BEFORE)
