"""Datasets, metrics and runs with all that moves them, and their acts in the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aforo.store.migrations.acts import audit_takes
from aforo.store.migrations.versions import v0005_drift_checks

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BEFORE = (*v0005_drift_checks.BEFORE, *v0005_drift_checks.ADDED)
ADDED = ("catalog_changed", "run_asked", "run_cancelled", "messages_redriven")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables, and has the audit take more acts."""
    op.create_table(
        "consumed",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_consumed"),
    )
    op.create_index("ix_consumed_at", "consumed", ["at"], unique=False)
    op.create_table(
        "datasets",
        sa.Column("id", sa.String(300), nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("prefix", sa.String(2000), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("kind IN ('outside', 'metric', 'rollup')", name="ck_datasets_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
    )
    op.create_index("ix_datasets_tenant", "datasets", ["tenant"], unique=False)
    op.create_table(
        "event_log",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("metric_code", sa.String(128)),
        sa.Column("run_id", sa.String(40)),
        sa.Column("attempt", sa.Integer),
        sa.Column("dataset_id", sa.String(300)),
        sa.Column("update_id", ROW_ID),
        sa.Column("detail", sa.String(1000), nullable=False),
        sa.CheckConstraint(
            "kind IN ('update_taken', 'update_older', 'update_unused', 'update_joined', "
            "'update_noted', 'run_waits', 'run_requested', 'run_started', 'run_succeeded', "
            "'run_failed', 'run_lost', 'run_cancelled', 'run_expired', 'run_absorbed', "
            "'message_stale')",
            name="ck_event_log_kind",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_event_log"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_log_metric", "event_log", ["tenant", "metric_code", "id"], unique=False)
    op.create_index("ix_event_log_run", "event_log", ["run_id", "id"], unique=False)
    op.create_table(
        "metrics",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("code", sa.String(128), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("expression_type", sa.String(16), nullable=False),
        sa.Column("expression", sa.Text, nullable=False),
        sa.Column("unit", sa.String(128)),
        sa.Column("required_days", sa.Integer),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "expression_type IN ('arithmetic', 'ratio', 'growth', 'rolling', 'resample', 'weighted_sum')",
            name="ck_metrics_expression_type",
        ),
        sa.CheckConstraint("required_days >= 1", name="ck_metrics_required_days"),
        sa.PrimaryKeyConstraint("id", name="pk_metrics"),
        sa.UniqueConstraint("tenant", "code", name="uq_metrics_tenant"),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("code", sa.String(128), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("unit", sa.String(128)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("tenant", "code", name="uq_series_tenant"),
    )
    op.create_table(
        "dataset_series",
        sa.Column("series_id", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.String(300), nullable=False),
        sa.Column("column", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name="fk_dataset_series_series_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_dataset_series_dataset_id"),
        sa.PrimaryKeyConstraint("series_id", name="pk_dataset_series"),
    )
    op.create_index("ix_dataset_series_dataset_id", "dataset_series", ["dataset_id"], unique=False)
    op.create_table(
        "dataset_updates",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("dataset_id", sa.String(300), nullable=False),
        sa.Column("event_key", sa.String(200), nullable=False),
        sa.Column("manifest_uri", sa.String(2000), nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("row_count", sa.BigInteger),
        sa.Column("series", sa.Text),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("tenant", "event_key", name="uq_dataset_updates_tenant"),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_dataset_updates_dataset_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_updates"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_dataset_updates_newest", "dataset_updates", ["dataset_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "metric_dependencies",
        sa.Column("metric_id", sa.Integer, nullable=False),
        sa.Column("series_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["metric_id"], ["metrics.id"], name="fk_metric_dependencies_metric_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name="fk_metric_dependencies_series_id"),
        sa.PrimaryKeyConstraint("metric_id", "series_id", name="pk_metric_dependencies"),
    )
    op.create_index("ix_metric_dependencies_series_id", "metric_dependencies", ["series_id"], unique=False)
    op.create_table(
        "metric_runs",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("metric_id", sa.Integer, nullable=False),
        sa.Column("metric_code", sa.String(128), nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("moved_from", sa.String(16)),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("follow_up", sa.Boolean, nullable=False),
        sa.Column("triggered_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("not_before", sa.BigInteger),
        sa.Column("requested_at", sa.BigInteger),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("worker", sa.String(200)),
        sa.Column("manifest_uri", sa.String(2000)),
        sa.Column("row_count", sa.BigInteger),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error_message", sa.String(1000)),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("created_by", sa.String(300), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "state IN ('PENDING', 'REQUESTED', 'RUNNING', 'LOST', 'SUCCEEDED', 'FAILED', "
            "'CANCELLED', 'EXPIRED')",
            name="ck_metric_runs_state",
        ),
        sa.CheckConstraint(
            "cause IN ('update', 'follow_up', 'by_hand', 'rerun')", name="ck_metric_runs_cause"
        ),
        sa.CheckConstraint(
            "(moved_from IS NULL AND state = 'PENDING') OR (moved_from = 'PENDING' AND state IN "
            "('REQUESTED', 'CANCELLED', 'EXPIRED')) OR (moved_from = 'REQUESTED' AND state IN "
            "('RUNNING', 'LOST', 'SUCCEEDED', 'FAILED', 'CANCELLED')) OR (moved_from = 'RUNNING' "
            "AND state IN ('LOST', 'SUCCEEDED', 'FAILED', 'CANCELLED')) OR (moved_from = 'LOST' "
            "AND state IN ('REQUESTED', 'FAILED', 'CANCELLED'))",
            name="ck_metric_runs_move",
        ),
        sa.CheckConstraint(
            "(state IN ('PENDING', 'EXPIRED') AND attempt = 0) OR attempt >= 1 OR state = 'CANCELLED'",
            name="ck_metric_runs_attempt",
        ),
        sa.CheckConstraint(
            "(finished_at IS NOT NULL) = (state IN ('SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'))",
            name="ck_metric_runs_finished",
        ),
        sa.CheckConstraint("(not_before IS NOT NULL) = (state = 'LOST')", name="ck_metric_runs_lost"),
        sa.CheckConstraint(
            "expires_at IS NULL OR state IN ('PENDING', 'EXPIRED')", name="ck_metric_runs_expires"
        ),
        sa.ForeignKeyConstraint(["metric_id"], ["metrics.id"], name="fk_metric_runs_metric_id"),
        sa.PrimaryKeyConstraint("id", name="pk_metric_runs"),
    )
    op.create_index("ix_metric_runs_created_at", "metric_runs", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_metric_runs_expires_at",
        "metric_runs",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'PENDING'"),
        postgresql_where=sa.text("state = 'PENDING'"),
    )
    op.create_index("ix_metric_runs_metric", "metric_runs", ["metric_id", "created_at"], unique=False)
    op.create_index(
        "ix_metric_runs_not_before",
        "metric_runs",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("state = 'LOST'"),
        postgresql_where=sa.text("state = 'LOST'"),
    )
    op.create_index(
        "uq_metric_runs_going",
        "metric_runs",
        ["tenant", "metric_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('RUNNING', 'LOST')"),
        postgresql_where=sa.text("state IN ('RUNNING', 'LOST')"),
    )
    op.create_index(
        "uq_metric_runs_waiting",
        "metric_runs",
        ["tenant", "metric_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('PENDING', 'REQUESTED')"),
        postgresql_where=sa.text("state IN ('PENDING', 'REQUESTED')"),
    )
    op.create_table(
        "metric_run_pending_datasets",
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("dataset_id", sa.String(300), nullable=False),
        sa.Column("needed_since", sa.BigInteger),
        sa.ForeignKeyConstraint(
            ["run_id"], ["metric_runs.id"], name="fk_metric_run_pending_datasets_run_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_metric_run_pending_datasets_dataset_id"
        ),
        sa.PrimaryKeyConstraint("run_id", "dataset_id", name="pk_metric_run_pending_datasets"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("group", sa.String(300), nullable=False),
        sa.Column("dedup", sa.String(100), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'overtaken', 'dead')", name="ck_outbox_state"),
        sa.UniqueConstraint("topic", "dedup", name="uq_outbox_topic"),
        sa.ForeignKeyConstraint(["run_id"], ["metric_runs.id"], name="fk_outbox_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_due_at",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "run_dataset_updates",
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("dataset_id", sa.String(300), nullable=False),
        sa.Column("update_id", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["metric_runs.id"], name="fk_run_dataset_updates_run_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_run_dataset_updates_dataset_id"),
        sa.ForeignKeyConstraint(
            ["update_id"], ["dataset_updates.id"], name="fk_run_dataset_updates_update_id"
        ),
        sa.PrimaryKeyConstraint("run_id", "dataset_id", name="pk_run_dataset_updates"),
    )
    op.create_table(
        "run_leases",
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("heard_at", sa.BigInteger),
        sa.Column("progress", sa.Float),
        sa.CheckConstraint("progress >= 0 AND progress <= 1", name="ck_run_leases_progress"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["metric_runs.id"], name="fk_run_leases_run_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_leases"),
    )
    op.create_index("ix_run_leases_until", "run_leases", ["until"], unique=False)
    audit_takes((*BEFORE, *ADDED))


def downgrade() -> None:
    """Takes the tables away, and of the audit what it could not hold before."""
    audit_takes(BEFORE)
    for table in TABLES:
        op.drop_table(table)


TABLES = (
    "run_leases",
    "run_dataset_updates",
    "outbox",
    "metric_run_pending_datasets",
    "metric_runs",
    "metric_dependencies",
    "dataset_updates",
    "dataset_series",
    "series",
    "metrics",
    "event_log",
    "datasets",
    "consumed",
)
"""What refers to others goes first."""
