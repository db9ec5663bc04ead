"""The embedded engine's statements, word by word: what changes in them is seen and read.

With WRITE_GOLDEN=1 in the environment the files are written, and their diff is then read.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from pyroaring import BitMap
from tests.engines.gauges import DEFAULT, MODEL, NOON, READINGS, Sent, ask, stream_rows

from aforo.engines.appends import Append
from aforo.engines.embedded import folding, modelling, paths, recognising, replacing
from aforo.engines.embedded.database import Cursor, Database
from aforo.engines.embedded.hashes import Hashes
from aforo.engines.embedded.journal import Journal
from aforo.engines.embedded.landing import Landing
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.marks import Marks
from aforo.engines.embedded.merging import merge_days
from aforo.engines.embedded.ordinals import Ordinals
from aforo.engines.embedded.pending import Pending
from aforo.engines.embedded.period_building import Finished, Work, writes_of
from aforo.engines.embedded.reading import Reading
from aforo.engines.embedded.record import Record, RecordRows
from aforo.engines.folds import Claim, Period, Places
from aforo.engines.outcomes import outcomes_of
from aforo.engines.reads import PathsRequest, Segment, StatesRequest
from aforo.engines.refused import SampleLimits
from aforo.model.condition import parse
from aforo.windows import DAY, SLOT, Grain, Window, Zone

GOLDEN = Path(__file__).parent / "golden"
RIVER = Zone("America/New_York")
HASHES = Hashes(Path("nowhere"))
ALL = Window(NOON - 3 * DAY, NOON + 3 * DAY)
SENT = [
    Sent(id="1", fields={"station": "north", "level": 1.5, "probe": "p"}),
    Sent(id="2", time=NOON + SLOT, untimed=True, fields={"flow": 3, "wet": True, "crew": 1}),
]


@dataclass
class Heard:
    """A cursor of the engine, and every statement that it is given with its values."""

    cursor: Cursor
    statements: list[str] = field(default_factory=list)

    def execute(self, sql: str, parameters: object = None) -> Cursor:
        self.hear(sql, parameters)
        return self.cursor.execute(sql, parameters or {})

    def executemany(self, sql: str, rows: list[object]) -> Cursor:
        self.hear(sql, rows)
        return self.cursor.executemany(sql, rows)

    def sql(self, sql: str, *, params: object = None) -> object:
        self.hear(sql, params)
        return self.cursor.sql(sql, params=params) if params else self.cursor.sql(sql)

    def register(self, name: str, table: object) -> None:
        self.cursor.register(name, table)

    def unregister(self, name: str) -> None:
        self.cursor.unregister(name)

    def hear(self, sql: str, given: object) -> None:
        values = given.items() if isinstance(given, dict) else enumerate(cast(list[object], given or []))
        notes = [f"-- {name} = {value}" for name, value in values]
        # A text within a text brings its own indentation along; what is compared is what is said.
        text = "\n".join(line.rstrip() for line in textwrap.dedent(sql).strip().splitlines())
        self.statements.append("\n".join([text + ";", *notes]))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path, memory_mb=128, threads=1)
    database.write(lambda cursor: modelling.apply_model(cursor, MODEL, HASHES))
    yield database
    database.close()


def heard(database: Database, said: Callable[[Cursor], object]) -> str:
    """What is said to the engine, in a transaction that is kept."""

    def listen(cursor: Cursor) -> list[str]:
        listening = Heard(cursor)
        said(cast(Cursor, listening))
        return listening.statements

    return "\n\n".join(database.write(listen)) + "\n"


def compare(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.sql"
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def append(cursor: Cursor) -> object:
    """Looks for the rows, and lands them: the journal between the two is no SQL."""
    given = stream_rows(READINGS, SENT)
    new = recognising.firsts(given) & ~recognising.kept(cursor, given, NOON, DAY)
    batch = Append((given,), (), NOON)
    record = Record(
        number=1,
        arrival=NOON,
        rows=(RecordRows("readings", tuple(READINGS.entities.values()), given.rows),),
        outcomes=outcomes_of(batch, [new], lambda tenant: tenant),
        tenants=(replace(DEFAULT, name="river"),),
    )
    pending = Pending()
    pending.add(record)
    landing = Landing(
        Journal(Path("nowhere")), pending, Marks(), ordinals=Ordinals(100, HASHES), samples=SampleLimits()
    )
    return landing.begin(cursor)


CLAIM = Claim("readings", Places.of({"river": [NOON, NOON + SLOT]}))


def test_append(database: Database) -> None:
    compare("append", heard(database, append))


def test_fold_and_replace(database: Database) -> None:
    database.write(append)
    folded = []
    compare(
        "fold",
        heard(
            database,
            lambda cursor: folded.append(folding.fold(cursor, CLAIM, READINGS, lambda _tenant: RIVER)),
        ),
    )
    compare("replace", heard(database, lambda cursor: replacing.write(cursor, folded[0], READINGS, NOON)))


ROLLUPS = READINGS.rollups
READS: dict[str, StatesRequest] = {
    "read_days": ask(READINGS, ROLLUPS["gates"], window=ALL, zone=RIVER, by=("station",)),
    "read_conditions": ask(
        READINGS,
        ROLLUPS["gates"],
        window=ALL,
        zone=RIVER,
        where=parse("gate in (1, 2) and wet is not null and gate != 3"),
        measures=("all_readings",),
        grain=Grain.DAY,
    ),
    "read_many_edges": ask(
        READINGS, ROLLUPS["whole"], window=ALL, zone=RIVER, grain=Grain.HOUR, measures=("flow_sum", "probes")
    ),
    "read_events": ask(
        READINGS,
        None,
        window=ALL,
        zone=RIVER,
        by=("probe",),
        where=parse('level > 1.5 and station contains "o" and seen < "2013-03-10T00:00:00Z"'),
    ),
}
READS["read_days_and_slots"] = replace(
    READS["read_days"],
    measures=(READINGS.measures["dry"],),
    segments=(
        Segment(Period.SLOT, NOON, RIVER.day_start(RIVER.date_of(NOON + DAY))),
        Segment(Period.DAY, RIVER.day_start(RIVER.date_of(NOON + DAY)), NOON + DAY),
    ),
)
READS["read_kept"] = replace(
    READS["read_days"],
    by=("station", "gate"),
    measures=(READINGS.measures["dry"], READINGS.measures["probes"]),
    kept=(("north", 1), (None, None)),
)
READS["read_sets_of_events"] = replace(
    READS["read_events"], measures=(READINGS.measures["probes"],), sets=("probes",)
)


@pytest.mark.parametrize("name", READS)
def test_read(database: Database, name: str) -> None:
    text = heard(database, lambda cursor: Reading(cursor, READS[name]).states())
    compare(name, text)
    # What an answer shows of its statements is what was run.
    with database.snapshot() as cursor:
        shown = Reading(cursor, READS[name]).states().sql
    assert len(shown) == text.count(";\n")


def test_periods(database: Database) -> None:
    """Two days in March, put together as its second week and the month, and read as the month."""
    database.write(append)
    database.write(
        lambda cursor: replacing.write(
            cursor, folding.fold(cursor, CLAIM, READINGS, lambda _tenant: RIVER), READINGS, NOON
        )
    )
    gates = RollupLayout.of(READINGS, ROLLUPS["gates"])
    first, end = RIVER.day_start(date(2013, 3, 1)), RIVER.day_start(date(2013, 4, 1))
    day = np.array([RIVER.day_start(date(2013, 3, 9))])
    work = Work(gates, Period.MONTH, (Finished("river", Period.MONTH, first, end, 1, day),))

    def build(cursor: Cursor) -> None:
        for write in writes_of(work, merge_days(cursor, gates, work.members())):
            write(cursor)

    compare("periods", heard(database, build))
    month = ask(READINGS, ROLLUPS["gates"], window=Window(first, end), zone=RIVER, measures=("probes",))
    compare("read_period", heard(database, lambda cursor: Reading(cursor, month).states()))


def test_read_paths(database: Database) -> None:
    request = PathsRequest(
        tenant="river",
        stream=READINGS,
        entity=READINGS.entities["crew"],
        steps=((0, parse('station = "north"')), (2, ())),
        window=ALL,
    )
    compare("read_paths", heard(database, lambda cursor: paths.read(cursor, request)))
    few = replace(request, among=BitMap([1, 3]))
    compare("read_paths_of_few", heard(database, lambda cursor: paths.read(cursor, few)))


def test_no_value_stands_in_a_statement() -> None:
    """Values are noted below the statements; within them there are names of ours and `$` only."""
    for path in GOLDEN.glob("*.sql"):
        lines = path.read_text(encoding="utf-8").splitlines()
        said = "\n".join(line for line in lines if not line.startswith("-- "))
        for value in ("river", "north", "2013-", "1.5", "'o'"):
            assert value not in said, (path.name, value)


def test_every_golden_file_is_compared() -> None:
    assert {path.stem for path in GOLDEN.glob("*.sql")} == {
        "append",
        "fold",
        "replace",
        "periods",
        "read_period",
        "read_paths",
        "read_paths_of_few",
        *READS,
    }
