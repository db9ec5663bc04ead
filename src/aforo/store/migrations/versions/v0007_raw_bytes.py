"""How many bytes of raw events one question with a key may read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; the keys that are there keep the setting's limit."""
    op.add_column("keys", sa.Column("raw_bytes", sa.BigInteger))


def downgrade() -> None:
    """Takes the column away: all keys have the setting's limit."""
    op.drop_column("keys", "raw_bytes")
