"""Checks for drift in the audit by their own name; those before stay as they were written down."""

from __future__ import annotations

from aforo.store.migrations.acts import audit_takes
from aforo.store.migrations.versions import v0004_cache

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BEFORE = (*v0004_cache.BEFORE, *v0004_cache.ADDED)
ADDED = ("drift_checked",)


def upgrade() -> None:
    """Has the audit take one more act."""
    audit_takes((*BEFORE, *ADDED))


def downgrade() -> None:
    """Takes away of the audit what it could not hold before."""
    audit_takes(BEFORE)
