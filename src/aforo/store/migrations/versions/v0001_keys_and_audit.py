"""Keys with who owns them and what they open, and the audit of what was done with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aforo.store.migrations.acts import create_audit

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "principals",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_principals"),
        sa.CheckConstraint("kind IN ('user', 'team', 'organisation')", name="ck_principals_kind"),
        sa.UniqueConstraint("kind", "name", name="uq_principals_kind"),
    )
    _keys()
    _of_keys("key_scopes", "scope", 16, words="'ingest', 'read', 'define', 'operate', 'support', 'admin'")
    _of_keys("key_tenants", "tenant", 128)
    _of_keys("key_origins", "origin", 300)
    create_audit(("key_created", "key_revoked", "fold_forced", "access_refused"))


def downgrade() -> None:
    """Takes the tables away, with all that is in them."""
    for table in ("audit", "key_origins", "key_tenants", "key_scopes", "keys", "principals"):
        op.drop_table(table)


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("principal_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("all_tenants", sa.Boolean, nullable=False),
        sa.Column("requests_per_second", sa.Float),
        sa.Column("burst_requests", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("last_used_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.CheckConstraint("kind IN ('secret', 'public')", name="ck_keys_kind"),
        sa.CheckConstraint("length(hash) = 64", name="ck_keys_hash"),
        sa.CheckConstraint("requests_per_second >= 0 AND burst_requests >= 1", name="ck_keys_limits"),
        sa.CheckConstraint("kind <> 'public' OR NOT all_tenants", name="ck_keys_public"),
        sa.UniqueConstraint("hash", name="uq_keys_hash"),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name="fk_keys_principal_id"),
    )


def _of_keys(table: str, column: str, length: int, words: str = "") -> None:
    checks = [sa.CheckConstraint(f"{column} IN ({words})", name=f"ck_{table}_{column}")] if words else []
    op.create_table(
        table,
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column(column, sa.String(length), nullable=False),
        sa.PrimaryKeyConstraint("key_id", column, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=f"fk_{table}_key_id", ondelete="CASCADE"),
        *checks,
    )
