"""Backfills with their tenants' parts, and their acts in the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aforo.store.migrations.acts import audit_takes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BEFORE = ("key_created", "key_revoked", "fold_forced", "access_refused")
ADDED = ("backfill_started", "backfill_paused", "backfill_resumed", "backfill_cancelled")


def upgrade() -> None:
    """Makes the tables, and has the audit take more acts."""
    op.create_table(
        "backfills",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("stream", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_by", sa.String(300), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backfills"),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'done', 'cancelled', 'failed')", name="ck_backfills_state"
        ),
    )
    _parts()
    audit_takes((*BEFORE, *ADDED))


def downgrade() -> None:
    """Takes the tables away, and of the audit what it could not hold before."""
    audit_takes(BEFORE)
    op.drop_table("backfill_parts")
    op.drop_table("backfills")


def _parts() -> None:
    op.create_table(
        "backfill_parts",
        sa.Column("backfill_id", sa.String(40), nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("stream", sa.String(128), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("running", sa.Boolean, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("slots", sa.BigInteger, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("sealed_before", sa.BigInteger),
        sa.Column("done_from", sa.BigInteger, nullable=False),
        sa.Column("slots_done", sa.BigInteger, nullable=False),
        sa.Column("events_done", sa.BigInteger, nullable=False),
        sa.Column("batches", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("batch_start", sa.BigInteger),
        sa.Column("batch_slots", sa.BigInteger),
        sa.Column("batch_events", sa.BigInteger),
        sa.Column("batch_commit", sa.BigInteger),
        sa.PrimaryKeyConstraint("backfill_id", "tenant", name="pk_backfill_parts"),
        sa.ForeignKeyConstraint(
            ["backfill_id"],
            ["backfills.id"],
            name="fk_backfill_parts_backfill_id",
            ondelete="CASCADE",
        ),
    )
    running = sa.text("running")
    op.create_index(
        "uq_backfill_parts_running",
        "backfill_parts",
        ["stream", "tenant"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
