"""A data directory of an earlier format is brought to this one when it is opened."""

from __future__ import annotations

from pathlib import Path

import duckdb
from tests.engines.gauges import DEFAULT, MODEL

from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.embedded.database import FILE_NAME
from aforo.engines.embedded.schema import FORMAT
from aforo.engines.refused import SamplesAsked

FORMAT_1 = (
    "DROP TABLE outcomes",
    "DROP TABLE refused",
    """
    CREATE TABLE outcomes (
        "commit" BIGINT NOT NULL, arrival_slot TIMESTAMP NOT NULL, stream VARCHAR NOT NULL,
        tenant VARCHAR NOT NULL, outcome VARCHAR NOT NULL, events BIGINT NOT NULL
    )
    """,
    """
    INSERT INTO outcomes VALUES
        (1, '2026-01-01', 'readings', 'river', 'accepted', 3),
        (2, '2026-01-01', 'readings', 'river', 'accepted', 4),
        (2, '2026-01-01', 'readings', '?', 'too_long', 1)
    """,
    "UPDATE meta SET format = 1",
)


def opened(directory: Path) -> EmbeddedEngine:
    engine = EmbeddedEngine(directory, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(MODEL, DEFAULT)
    return engine


def test_counts_of_format_1_stay(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with duckdb.connect(tmp_path / FILE_NAME) as connection:
        for statement in FORMAT_1:
            connection.execute(statement)
    for _ in range(2):
        engine = opened(tmp_path)
        assert engine.statistics().outcomes == {"accepted": 7, "too_long": 1}
        assert engine.refused(SamplesAsked(limit=1)) == ()
        engine.close()
    with duckdb.connect(tmp_path / FILE_NAME) as connection:
        assert connection.execute("SELECT count(*) FROM outcomes").fetchall() == [(2,)]
        assert connection.execute("SELECT format FROM meta").fetchall() == [(FORMAT,)]
