"""How far the upkeep of runs has come in their log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table; a row comes with the first look."""
    op.create_table(
        "run_upkeep",
        sa.Column("work", sa.String(16), nullable=False),
        sa.Column("through", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("work", name="pk_run_upkeep"),
        sa.CheckConstraint("work IN ('leftovers')", name="ck_run_upkeep_work"),
    )


def downgrade() -> None:
    """Takes the table away: the next look begins with the first line."""
    op.drop_table("run_upkeep")
