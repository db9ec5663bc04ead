"""The closed list of acts that the audit takes, as migrations lengthen it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_audit(actions: tuple[str, ...]) -> None:
    """The audit, which takes these actions."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(300), nullable=False),
        sa.Column("address", sa.String(64)),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("detail", sa.String(1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.CheckConstraint(_one_of(actions), name="ck_audit_action"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def audit_takes(actions: tuple[str, ...]) -> None:
    """The audit takes these actions from now on, and loses the acts of others. Acts keep their numbers."""
    taken = _one_of(actions)
    if op.get_context().dialect.name == "sqlite":
        _made_anew(actions)
        return
    op.drop_constraint("ck_audit_action", "audit", type_="check")
    op.execute(f"DELETE FROM audit WHERE NOT {taken}")
    op.create_check_constraint("ck_audit_action", "audit", taken)


def _made_anew(actions: tuple[str, ...]) -> None:
    """SQLite cannot change a CHECK."""
    op.drop_index("ix_audit_at", table_name="audit")
    op.rename_table("audit", "audit_before")
    create_audit(actions)
    op.execute(f"INSERT INTO audit SELECT * FROM audit_before WHERE {_one_of(actions)}")
    op.drop_table("audit_before")


def _one_of(actions: tuple[str, ...]) -> str:
    words = ", ".join(f"'{action}'" for action in actions)
    return f"action IN ({words})"
