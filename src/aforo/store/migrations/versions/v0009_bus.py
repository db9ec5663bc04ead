"""Messages of the bus that needs no other server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CHANNELS = (
    "queue IN ('metric-run-requests', 'metric-run-started', 'metric-run-heartbeats', "
    "'metric-run-completed', 'projection-updates')"
)


def upgrade() -> None:
    """Makes the tables of messages and of the ids seen of late."""
    _messages()
    op.create_table(
        "bus_dedups",
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("dedup", sa.String(128), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("queue", "dedup", name="pk_bus_dedups"),
        sa.CheckConstraint(CHANNELS, name="ck_bus_dedups_queue"),
    )
    op.create_index("ix_bus_dedups_until", "bus_dedups", ["until"])


def downgrade() -> None:
    """Takes the tables away, and every message in them."""
    op.drop_table("bus_dedups")
    op.drop_table("bus_messages")


def _messages() -> None:
    op.create_table(
        "bus_messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, nullable=False),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("group_id", sa.String(128), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.Column("visible_at", sa.BigInteger, nullable=False),
        sa.Column("receives", sa.Integer, nullable=False),
        sa.Column("receipt", sa.String(64)),
        sa.Column("buried_at", sa.BigInteger),
        sa.Column("reason", sa.String(1000)),
        sa.PrimaryKeyConstraint("id", name="pk_bus_messages"),
        sa.CheckConstraint(CHANNELS, name="ck_bus_messages_queue"),
        sa.CheckConstraint("(buried_at IS NULL) = (reason IS NULL)", name="ck_bus_messages_reason"),
        sa.CheckConstraint("receipt IS NULL OR buried_at IS NULL", name="ck_bus_messages_receipt"),
        sqlite_autoincrement=True,
    )
    live, in_hand = sa.text("buried_at IS NULL"), sa.text("receipt IS NOT NULL")
    for name, columns, where, unique in (
        ("uq_bus_messages_receipt", ["receipt"], None, True),
        ("uq_bus_messages_in_hand", ["queue", "group_id"], in_hand, True),
        ("ix_bus_messages_live", ["queue", "id"], live, False),
        ("ix_bus_messages_group", ["queue", "group_id", "id"], live, False),
    ):
        op.create_index(
            name, "bus_messages", columns, unique=unique, sqlite_where=where, postgresql_where=where
        )
