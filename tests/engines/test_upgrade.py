"""A data directory of an earlier format is brought to this one when it is opened."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType
from pyroaring import BitMap
from tests.engines.conftest import Opens
from tests.engines.gauges import DEFAULT, MODEL, NOON, READINGS, Bench, Sent, fold_once, some_readings

from aforo.engines.behind import BehindRequest
from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.embedded.database import FILE_NAME
from aforo.engines.embedded.layout import RollupLayout, quoted
from aforo.engines.embedded.schema import FORMAT
from aforo.engines.folds import Period, Places
from aforo.engines.refused import SamplesAsked
from aforo.windows import DAY, SLOT, Window

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


LAYOUTS = [
    RollupLayout.of(stream, rollup) for stream in MODEL.streams.values() for rollup in stream.rollups.values()
]


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


def members(sets: pa.Array) -> pa.Array:
    return pa.array([list(accumulate(gaps)) for gaps in sets.to_pylist()], pa.list_(pa.uint32()))


def serialised(sets: pa.Array) -> pa.Array:
    whole = [BitMap(accumulate(gaps)).serialize() for gaps in sets.to_pylist()]
    return pa.array(whole, pa.binary())


def as_format_3(file: duckdb.DuckDBPyConnection, layout: RollupLayout, period: Period) -> None:
    """Puts the sets and histograms of a rollup's period into tables of their own."""
    table, split = layout.table(period), ", ".join(("tenant", "start", *layout.dimensions))
    parts = {
        "sums": [", ".join((split, *(column.name for column in layout.columns)))],
        "buckets": [
            f"{split}, '{each.key}' AS __measure, {each.keys} AS __keys, {each.counts} AS __counts"
            for each in layout.histograms
        ],
        "sets": [
            f"{split}, '{each.key}' AS __measure, serialised({each.input}) AS __ordinals"
            for each in layout.distincts
        ],
    }
    for part, selects in parts.items():
        whole = " UNION ALL ".join(f"SELECT {each} FROM {table}" for each in selects)
        there = {"sums": "true", "buckets": "len(__keys) > 0", "sets": "octet_length(__ordinals) > 8"}
        if whole:
            name = quoted(f"{table.strip(chr(34))}_{part}")
            file.execute(f"CREATE TABLE {name} AS SELECT * FROM ({whole}) WHERE {there[part]}")
    file.execute(f"DROP TABLE {table}")


def as_format_6(file: duckdb.DuckDBPyConnection) -> None:
    """Has every set tell its members instead of the gaps between them."""
    file.create_function("members", members, ["UINTEGER[]"], "UINTEGER[]", type=PythonUDFType.ARROW)
    for layout in LAYOUTS:
        for table in map(layout.table, layout.periods):
            for each in layout.distincts:
                file.execute(f"UPDATE {table} SET {each.input} = members({each.input})")
    file.execute("UPDATE meta SET format = 6")


def test_rollups_of_format_3_stay(opens: Opens, tmp_path: Path) -> None:
    bench = Bench(opens())
    bench.send(*some_readings(60), *some_readings(20, tenant="hills"))
    bench.fold()
    bench.engine.close()
    with duckdb.connect(tmp_path / "data" / FILE_NAME) as file:
        file.create_function("serialised", serialised, ["UINTEGER[]"], "BLOB", type=PythonUDFType.ARROW)
        for layout in LAYOUTS:
            for period in layout.periods:
                as_format_3(file, layout, period)
        file.execute("UPDATE meta SET format = 3")
    bench.engine = opens()
    assert bench.engine.dirty_slots() == 0
    for tenant in ("river", "hills"):
        bench.check_everything(tenant)
    bench.send(Sent(id="late", time=NOON, fields={"station": "north", "gate": 1, "probe": "p9"}))
    bench.fold()
    bench.check_everything()
    bench.engine.close()
    with duckdb.connect(tmp_path / "data" / FILE_NAME) as file:
        left = file.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%_sums'"
        ).fetchall()
        assert left == []


def test_days_of_format_5_keep_their_revisions_and_tell_of_no_fold(
    bench: Bench, opens: Opens, tmp_path: Path
) -> None:
    bench.send(*some_readings(20))
    bench.fold()
    bench.engine.close()
    with duckdb.connect(tmp_path / "data" / FILE_NAME) as file:
        as_format_6(file)
        for column in ("commit", "folded_at"):
            file.execute(f'ALTER TABLE revisions DROP COLUMN "{column}"')
        file.execute("UPDATE meta SET format = 5")
    bench.engine = opens()
    window = Window(NOON - 4 * DAY, NOON + 4 * DAY)
    asked = BehindRequest("river", READINGS, (READINGS.measures["all_readings"],), window, 0)
    folds = bench.engine.read_behind(asked, time_limit_seconds=60).folds
    assert {(each.revision, each.commit, each.folded_at) for each in folds} == {(1, None, None)}
    bench.send(Sent(id="late"))
    bench.fold()
    [fold] = [each for each in bench.engine.read_behind(asked, time_limit_seconds=60).folds if each.commit]
    assert (fold.revision, fold.commit) == (2, 2)
    bench.check_everything()


def test_sets_of_format_6_stay(bench: Bench, opens: Opens, tmp_path: Path) -> None:
    bench.send(*some_readings(60), *some_readings(20, tenant="hills"))
    bench.fold()
    bench.engine.close()
    with duckdb.connect(tmp_path / "data" / FILE_NAME) as file:
        as_format_6(file)
    for _ in range(2):
        bench.engine = opens()
        assert bench.engine.dirty_slots() == 0
        for tenant in ("river", "hills"):
            bench.check_everything(tenant)
        bench.engine.close()
    bench.engine = opens()
    bench.send(Sent(id="late", time=NOON, fields={"station": "north", "gate": 1, "probe": "p9"}))
    bench.fold()
    bench.check_everything()


def test_slots_held_by_format_7_are_settled(bench: Bench, opens: Opens, tmp_path: Path) -> None:
    """Nobody knows whether anything was merged into them."""
    bench.send(*some_readings(10, around=NOON + SLOT // 2, spread=SLOT // 2), arrival=NOON)
    bench.fold()
    bench.engine.close()
    with duckdb.connect(tmp_path / "data" / FILE_NAME) as file:
        file.execute("ALTER TABLE held DROP COLUMN merged")
        file.execute("UPDATE meta SET format = 7")
    bench.engine = opens()
    bench.send(Sent(id="later", time=NOON + 2 * SLOT), arrival=NOON + 2 * SLOT)
    fold_once(bench.engine)
    claim = bench.engine.claim(10)
    assert claim is not None
    assert claim.settling
    assert claim.slots == Places.of({"river": [NOON]})
