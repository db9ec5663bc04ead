"""The closed list of acts that the audit takes, as migrations lengthen it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_audit(actions: tuple[str, ...]) -> None:
    """The audit, which takes these actions."""
    words = ", ".join(f"'{action}'" for action in actions)
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
    op.create_index("ix_audit_at", "audit", ["at"])


def audit_takes(actions: tuple[str, ...]) -> None:
    """The audit anew with these actions: SQLite cannot change a CHECK. Acts keep their numbers."""
    words = ", ".join(f"'{action}'" for action in actions)
    op.drop_index("ix_audit_at", table_name="audit")
    op.rename_table("audit", "audit_before")
    create_audit(actions)
    op.execute(f"INSERT INTO audit SELECT * FROM audit_before WHERE action IN ({words})")
    op.drop_table("audit_before")
