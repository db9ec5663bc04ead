"""The tables of datasets, metrics and runs; what is promised of runs is held here by constraints."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from aforo.store.metadata import ACTOR_LENGTH, DETAIL_LENGTH, metadata, one_of
from aforo.store.run import (
    ENDED,
    GOING,
    MOVES,
    WAITING,
    Cause,
    DatasetKind,
    ExpressionType,
    LogKind,
    OutboxState,
    RunState,
    UpkeepWork,
)

ROW_ID = BigInteger().with_variant(Integer, "sqlite")
"""Numbers that are given for as long as there is a store; SQLite counts only its own kind."""

CODE_LENGTH, NAME_LENGTH, URI_LENGTH, DATASET_LENGTH = 128, 200, 2_000, 300
"""Characters of codes, of names for people, of the URI of a version, and of the id of a dataset."""


def words(values: frozenset[RunState]) -> str:
    """The states as SQL lists them, in the order they are declared."""
    return ", ".join(f"'{value}'" for value in RunState if value in values)


def moves() -> str:
    """The condition that the move a row has made last is one of the table of moves."""
    allowed = " OR ".join(
        f"(moved_from = '{state}' AND state IN ({words(onward)}))"
        for state, onward in MOVES.items()
        if onward
    )
    return f"(moved_from IS NULL AND state = '{RunState.PENDING}') OR {allowed}"


metrics = Table(
    "metrics",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant", String(128), nullable=False),
    Column("code", String(CODE_LENGTH), nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("expression_type", String(16), nullable=False),
    Column("expression", Text, nullable=False),  # JSON
    Column("unit", String(CODE_LENGTH)),
    Column("required_days", Integer),  # null: versions of any age
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    one_of("expression_type", ExpressionType),
    CheckConstraint("required_days >= 1", name="required_days"),
    UniqueConstraint("tenant", "code"),
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", String(DATASET_LENGTH), primary_key=True),
    Column("tenant", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("prefix", String(URI_LENGTH), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    one_of("kind", DatasetKind),
    Index(None, "tenant"),
)

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant", String(128), nullable=False),
    Column("code", String(CODE_LENGTH), nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("unit", String(CODE_LENGTH)),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    UniqueConstraint("tenant", "code"),
)

dataset_series = Table(
    "dataset_series",
    metadata,
    Column("series_id", Integer, ForeignKey("series.id", ondelete="CASCADE"), primary_key=True),
    Column("dataset_id", String(DATASET_LENGTH), ForeignKey("datasets.id"), nullable=False),
    Column("column", String(CODE_LENGTH), nullable=False),  # of the dataset's files
    Index(None, "dataset_id"),
)

metric_dependencies = Table(
    "metric_dependencies",
    metadata,
    Column("metric_id", Integer, ForeignKey("metrics.id", ondelete="CASCADE"), primary_key=True),
    Column("series_id", Integer, ForeignKey("series.id"), primary_key=True),
    Index(None, "series_id"),
)

dataset_updates = Table(
    "dataset_updates",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("tenant", String(128), nullable=False),
    Column("dataset_id", String(DATASET_LENGTH), ForeignKey("datasets.id"), nullable=False),
    Column("event_key", String(200), nullable=False),
    Column("manifest_uri", String(URI_LENGTH), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("row_count", BigInteger),
    Column("series", Text),  # JSON, as it was told
    Column("received_at", BigInteger, nullable=False),
    UniqueConstraint("tenant", "event_key"),  # an update is taken once
    Index("ix_dataset_updates_newest", "dataset_id", "updated_at", "id"),
    sqlite_autoincrement=True,
)

metric_runs = Table(
    "metric_runs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("tenant", String(128), nullable=False),
    Column("metric_id", Integer, ForeignKey("metrics.id"), nullable=False),
    Column("metric_code", String(CODE_LENGTH), nullable=False),
    Column("cause", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("moved_from", String(16)),  # null: it was made
    Column("attempt", Integer, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("follow_up", Boolean, nullable=False),
    Column("triggered_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("not_before", BigInteger),
    Column("requested_at", BigInteger),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("worker", String(200)),
    Column("manifest_uri", String(URI_LENGTH)),
    Column("row_count", BigInteger),
    Column("error_code", String(64)),
    Column("error_message", String(DETAIL_LENGTH)),
    Column("reason", String(DETAIL_LENGTH), nullable=False),
    Column("created_by", String(ACTOR_LENGTH), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    one_of("state", RunState),
    one_of("cause", Cause),
    CheckConstraint(moves(), name="move"),
    CheckConstraint(
        "(state IN ('PENDING', 'EXPIRED') AND attempt = 0) OR attempt >= 1 OR state = 'CANCELLED'",
        name="attempt",
    ),
    CheckConstraint(f"(finished_at IS NOT NULL) = (state IN ({words(ENDED)}))", name="finished"),
    CheckConstraint("(not_before IS NOT NULL) = (state = 'LOST')", name="lost"),
    CheckConstraint("expires_at IS NULL OR state IN ('PENDING', 'EXPIRED')", name="expires"),
    # One that waits and one that goes on, however many processes there are.
    Index(
        "uq_metric_runs_waiting",
        "tenant",
        "metric_id",
        unique=True,
        sqlite_where=text(f"state IN ({words(WAITING)})"),
        postgresql_where=text(f"state IN ({words(WAITING)})"),
    ),
    Index(
        "uq_metric_runs_going",
        "tenant",
        "metric_id",
        unique=True,
        sqlite_where=text(f"state IN ({words(GOING)})"),
        postgresql_where=text(f"state IN ({words(GOING)})"),
    ),
    Index(
        "ix_metric_runs_expires_at",
        "expires_at",
        sqlite_where=text("state = 'PENDING'"),
        postgresql_where=text("state = 'PENDING'"),
    ),
    Index(
        "ix_metric_runs_not_before",
        "not_before",
        sqlite_where=text("state = 'LOST'"),
        postgresql_where=text("state = 'LOST'"),
    ),
    Index("ix_metric_runs_created_at", "created_at", "id"),
    Index("ix_metric_runs_metric", "metric_id", "created_at"),
)

metric_run_pending_datasets = Table(
    "metric_run_pending_datasets",
    metadata,
    Column("run_id", String(40), ForeignKey("metric_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("dataset_id", String(DATASET_LENGTH), ForeignKey("datasets.id"), primary_key=True),
    Column("needed_since", BigInteger),  # the oldest version that would do; null: any
)

# In the words of the indexes, which are not found where the states are values of a statement.
IS_WAITING = text(f"metric_runs.state IN ({words(WAITING)})")
IS_GOING = text(f"metric_runs.state IN ({words(GOING)})")

run_dataset_updates = Table(
    "run_dataset_updates",
    metadata,
    Column("run_id", String(40), ForeignKey("metric_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("dataset_id", String(DATASET_LENGTH), ForeignKey("datasets.id"), primary_key=True),
    Column("update_id", ROW_ID, ForeignKey("dataset_updates.id"), nullable=False),
)

run_leases = Table(
    "run_leases",
    metadata,
    Column("run_id", String(40), ForeignKey("metric_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("heard_at", BigInteger),
    Column("progress", Float),
    CheckConstraint("progress >= 0 AND progress <= 1", name="progress"),
    Index(None, "until"),
)

event_log = Table(
    "event_log",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("tenant", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("metric_code", String(CODE_LENGTH)),
    Column("run_id", String(40)),
    Column("attempt", Integer),
    Column("dataset_id", String(DATASET_LENGTH)),
    Column("update_id", ROW_ID),
    Column("detail", String(DETAIL_LENGTH), nullable=False),
    one_of("kind", LogKind),
    Index("ix_event_log_metric", "tenant", "metric_code", "id"),
    Index("ix_event_log_run", "run_id", "id"),
    sqlite_autoincrement=True,
)

run_upkeep = Table(
    "run_upkeep",
    metadata,
    Column("work", String(16), primary_key=True),
    Column("through", ROW_ID, nullable=False),  # the last line of the log that was dealt with
    one_of("work", UpkeepWork),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("tenant", String(128), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("group", String(300), nullable=False),
    Column("dedup", String(100), nullable=False),
    Column("run_id", String(40), ForeignKey("metric_runs.id", ondelete="CASCADE"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),  # of those that wait: not to be sent before, nor claimed
    Column("created_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("reason", String(DETAIL_LENGTH), nullable=False),
    one_of("state", OutboxState),
    UniqueConstraint("topic", "dedup"),
    Index(
        "ix_outbox_due_at",
        "due_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    sqlite_autoincrement=True,
)

consumed = Table(
    "consumed",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Index(None, "at"),
)
