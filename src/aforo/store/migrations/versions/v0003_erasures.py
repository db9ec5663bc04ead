"""Erasures, and their act in the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BEFORE = (
    *("key_created", "key_revoked", "fold_forced", "access_refused"),
    *("backfill_started", "backfill_paused", "backfill_resumed", "backfill_cancelled"),
)
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
    _audit((*BEFORE, *ADDED))


def downgrade() -> None:
    """Takes the table away, and of the audit what it could not hold before."""
    _audit(BEFORE)
    op.drop_table("erasures")


def _audit(actions: tuple[str, ...]) -> None:
    """The audit anew with these actions: SQLite cannot change a CHECK. Acts keep their numbers."""
    words = ", ".join(f"'{action}'" for action in actions)
    op.drop_index("ix_audit_at", table_name="audit")
    op.rename_table("audit", "audit_before")
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(300), nullable=False),
        sa.Column("address", sa.String(64)),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("detail", sa.String(1000), nullable=False),
        sa.CheckConstraint(f"action IN ({words})", name="ck_audit_action"),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO audit SELECT * FROM audit_before WHERE action IN ({words})")
    op.drop_table("audit_before")
    op.create_index("ix_audit_at", "audit", ["at"])
