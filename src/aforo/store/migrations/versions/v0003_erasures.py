"""Erasures, and their act in the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aforo.store.migrations.acts import audit_takes
from aforo.store.migrations.versions import v0002_backfills

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BEFORE = (*v0002_backfills.BEFORE, *v0002_backfills.ADDED)
ADDED = ("erasure_requested",)


def upgrade() -> None:
    """Makes the table, and has the audit take one more act."""
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("entity", sa.String(128), nullable=False),
        sa.Column("value", sa.String(1024)),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(300), nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("slots", sa.BigInteger, nullable=False),
        sa.Column("commit", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
        sa.CheckConstraint("state IN ('requested', 'unnamed', 'removed', 'done')", name="ck_erasures_state"),
        sa.CheckConstraint("(value IS NULL) = (state <> 'requested')", name="ck_erasures_value"),
    )
    op.create_index("ix_erasures_requested_at", "erasures", ["requested_at"])
    audit_takes((*BEFORE, *ADDED))


def downgrade() -> None:
    """Takes the table away, and of the audit what it could not hold before."""
    audit_takes(BEFORE)
    op.drop_table("erasures")
