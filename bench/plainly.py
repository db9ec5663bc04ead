"""A site's summary from raw events in plain SQL, in DuckDB; and as most teams have it, in PostgreSQL.

There a table of each day's numbers is made anew every night, and the visitors of many days, who cannot be
told from it, are counted from the events. PostgreSQL is the one that is found on this machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import duckdb

PLAIN_MEMORY = "4GB"
LEAST_VERSION = 15
COLUMNS = (
    "tenant, time, event, visitor_id, path, traffic_source, device_type, country, ttfb_ms, is_entrance, "
    "is_conversion"
)
WINDOWS = ("$begin AND time < $end", "$earlier AND time < $begin")

OF_WINDOW = """
    SELECT count(DISTINCT visitor_id), count(*), count(*) FILTER (WHERE is_entrance),
        count(*) FILTER (WHERE is_entrance AND is_conversion),
        percentile_disc(0.95) WITHIN GROUP (ORDER BY ttfb_ms)
    FROM events WHERE tenant = $tenant AND event = 'page_view' AND time >= {window}
"""
FORMS = """
    SELECT count(*) FILTER (WHERE event = 'form_start'), count(*) FILTER (WHERE event = 'form_submit')
    FROM events WHERE tenant = $tenant AND time >= {window}
"""
RETURNING = """
    SELECT count(DISTINCT visitor_id) FROM events
    WHERE tenant = $tenant AND event = 'page_view' AND time >= {window} AND visitor_id IN (
        SELECT visitor_id FROM events WHERE tenant = $tenant AND event = 'page_view' AND time < {start}
    )
"""
BY_DAY = """
    SELECT time::date AS day, count(DISTINCT visitor_id), count(*) FROM events
    WHERE tenant = $tenant AND event = 'page_view' AND time >= $begin AND time < $end GROUP BY 1 ORDER BY 1
"""
BY_SOURCE = """
    SELECT traffic_source, count(*) FROM events
    WHERE tenant = $tenant AND event = 'page_view' AND time >= $begin AND time < $end GROUP BY 1
"""
LEADS = """
    SELECT first::date AS day, count(*) FROM (
        SELECT min(time) AS first FROM leads WHERE tenant = $tenant GROUP BY lead_id
    ) AS firsts WHERE first >= $earlier AND first < $end GROUP BY 1 ORDER BY 1
"""
RAW = (
    *(OF_WINDOW.format(window=window) for window in WINDOWS),
    *(FORMS.format(window=window) for window in WINDOWS),
    *(
        RETURNING.format(window=window, start=start)
        for window, start in zip(WINDOWS, ("$begin", "$earlier"), strict=True)
    ),
    BY_DAY,
    BY_SOURCE,
    LEADS,
)
"""The numbers of one summary with its comparison, but for what arrived: that is in no event."""

NIGHTLY = """
    CREATE MATERIALIZED VIEW days AS
    SELECT tenant, time::date AS day, traffic_source, count(*) FILTER (WHERE event = 'page_view') AS views,
        count(*) FILTER (WHERE event = 'page_view' AND is_entrance) AS entrances,
        count(*) FILTER (WHERE event = 'page_view' AND is_entrance AND is_conversion) AS converted,
        count(*) FILTER (WHERE event = 'form_start') AS starts,
        count(*) FILTER (WHERE event = 'form_submit') AS submits
    FROM events GROUP BY 1, 2, 3;
    CREATE MATERIALIZED VIEW day_visitors AS
    SELECT tenant, time::date AS day, count(DISTINCT visitor_id) AS visitors FROM events
    WHERE event = 'page_view' GROUP BY 1, 2;
    CREATE MATERIALIZED VIEW captures AS
    SELECT tenant, lead_id, min(time) AS first FROM leads GROUP BY 1, 2;
    CREATE INDEX ON days (tenant, day);
    CREATE INDEX ON day_visitors (tenant, day);
    CREATE INDEX ON captures (tenant, first);
"""
SUMS = """
    SELECT sum(views), sum(entrances), sum(converted), sum(starts), sum(submits) FROM days
    WHERE tenant = $tenant AND day >= {window}
"""
VISITORS = """
    SELECT count(DISTINCT visitor_id), percentile_disc(0.95) WITHIN GROUP (ORDER BY ttfb_ms) FROM events
    WHERE tenant = $tenant AND event = 'page_view' AND time >= {window}
"""
BY_NIGHT = (
    *(SUMS.format(window=window.replace("time", "day")) for window in WINDOWS),
    *(VISITORS.format(window=window) for window in WINDOWS),
    *RAW[4:6],
    "SELECT day, visitors FROM day_visitors WHERE tenant = $tenant AND day >= $begin AND day < $end",
    """
    SELECT day, traffic_source, sum(views) FROM days
    WHERE tenant = $tenant AND day >= $begin AND day < $end GROUP BY GROUPING SETS ((day), (traffic_source))
    """,
    """
    SELECT first::date, count(*) FROM captures
    WHERE tenant = $tenant AND first >= $earlier AND first < $end GROUP BY 1
    """,
)
TABLES = """
    CREATE UNLOGGED TABLE events (
        tenant text, time timestamp, event text, visitor_id text, path text, traffic_source text,
        device_type text, country text, ttfb_ms int, is_entrance boolean, is_conversion boolean
    );
    CREATE UNLOGGED TABLE leads (tenant text, time timestamp, lead_id text);
"""
INDEXED = """
    CREATE INDEX ON events (tenant, time);
    VACUUM ANALYZE events;
    VACUUM ANALYZE leads;
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A site and a window, with the beginning of the one before it; dates, the last excluded."""

    tenant: str
    earlier: str
    begin: str
    end: str

    def values(self) -> dict[str, str]:
        return {"tenant": self.tenant, "earlier": self.earlier, "begin": self.begin, "end": self.end}


@dataclass(frozen=True, slots=True)
class Told:
    """How long a summary took, and its visitors and page views."""

    seconds: float
    visitors: int
    views: int


def copied(ours: Path, plain: Path, threads: int) -> None:
    """The raw events in a file of their own, as a plain table has them."""
    with _opened(plain, threads) as cursor:
        cursor.execute(f"ATTACH '{ours}' AS ours (READ_ONLY)")
        cursor.execute(f"CREATE TABLE events AS SELECT {COLUMNS} FROM ours.events_web_events")
        cursor.execute("CREATE TABLE leads AS SELECT tenant, time, lead_id FROM ours.events_web_leads")
        cursor.execute("CHECKPOINT")


def from_raw(plain: Path, threads: int, asked: Asked, runs: int) -> list[Told]:
    """Summaries from raw events in DuckDB."""
    with _opened(plain, threads) as cursor:
        return [_from_raw(cursor, asked) for _ in range(runs)]


def _from_raw(cursor: duckdb.DuckDBPyConnection, asked: Asked) -> Told:
    began = time.perf_counter()
    found = [cursor.execute(sql, _used(sql, asked)).fetchall() for sql in RAW]
    visitors, views, *_ = found[0][0]
    return Told(time.perf_counter() - began, visitors, views)


def _used(sql: str, asked: Asked) -> dict[str, str]:
    return {name: value for name, value in asked.values().items() if f"${name}" in sql}


def _opened(file: Path, threads: int) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(file, config={"memory_limit": PLAIN_MEMORY, "threads": str(threads)})


def postgres() -> Path | None:
    """The folder of the programs of a PostgreSQL that is new enough, if this machine has one."""
    named = shutil.which("postgres")
    found = [Path(named).resolve()] if named else []
    for program in [*found, *sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)]:
        said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
        version = re.search(r"\d+", said)
        if version and int(version[0]) >= LEAST_VERSION and (program.parent / "psql").exists():
            return program.parent
    return None


class Postgres:
    """A server of its own over a folder, which it fills from the plain file if it is new."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        # It refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Starts it and stops it."""
        data = self._folder / "data"
        if not data.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._user is not None:
                shutil.chown(self._folder, self._user)
            self._run("initdb", "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale", "C")
        options = f"-k {self._folder} -c listen_addresses='' -c shared_buffers=1GB -c work_mem=256MB"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(data), "-l", log, "-o", options, "-w", "-t", "120", "start")
        try:
            yield
        finally:
            self._run("pg_ctl", "-D", str(data), "-m", "fast", "-w", "stop")

    def filled(self, plain: Path, threads: int) -> float:
        """Loads the events and makes the night's tables, if they are not there; the seconds of a night."""
        if "captures" not in self._sql("SELECT matviewname FROM pg_matviews"):
            self._load(plain, threads)
        began = time.perf_counter()
        self._sql(
            "".join(f"REFRESH MATERIALIZED VIEW {each};\n" for each in ("days", "day_visitors", "captures"))
        )
        return time.perf_counter() - began

    def _load(self, plain: Path, threads: int) -> None:
        self._sql(TABLES)
        with _opened(plain, threads) as cursor:
            for table in ("events", "leads"):
                file = self._folder / f"{table}.csv"
                cursor.execute(f"COPY {table} TO '{file}' (HEADER false)")
                self._run(*self._psql("-c", f"COPY {table} FROM STDIN (FORMAT csv)"), rows=file)
                file.unlink()
        self._sql(INDEXED)
        self._sql(NIGHTLY)

    def by_night(self, asked: Asked, runs: int) -> list[Told]:
        """Summaries from the night's tables, and from the events where those cannot tell."""
        return [self._by_night(asked) for _ in range(runs)]

    def _by_night(self, asked: Asked) -> Told:
        # Values are psql's variables, which it quotes.
        text = "\\timing on\n" + ";\n".join(re.sub(r"\$(\w+)", r":'\1'", sql) for sql in BY_NIGHT) + ";\n"
        given = [part for name, value in asked.values().items() for part in ("-v", f"{name}={value}")]
        told = self._sql(text, *given)
        took = [float(each) for each in re.findall(r"^Time: ([\d.]+) ms", told, re.MULTILINE)]
        answers = re.split(r"^Time: .*$", told, flags=re.MULTILINE)
        return Told(sum(took) / 1000, _first(answers, 2), _first(answers, 0))

    def _sql(self, text: str, *options: str) -> str:
        return self._run(*self._psql(*options), text=text)

    def _psql(self, *options: str) -> tuple[str, ...]:
        return (
            *("psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1"),
            *("-h", str(self._folder), "-U", "bench", "-d", "postgres", *options),
        )

    def _run(self, program: str, *options: str, text: str = "", rows: Path | None = None) -> str:
        """What a program says on its way; RuntimeError with its own words where it fails."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
            given.write(text.encode())
            given.seek(0)
            # To files, not pipes: the server that pg_ctl starts holds on to what it was given.
            with rows.open("rb") if rows is not None else nullcontext(given) as stdin:
                done = subprocess.run(
                    [self._programs / program, *options],
                    stdin=stdin,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    user=self._user,
                    cwd=self._folder,
                    check=False,
                )
            said.seek(0)
            told = said.read().decode()
        if done.returncode:
            raise RuntimeError(f"{program}: {told}")
        return told


def _first(answers: list[str], at: int) -> int:
    return int(answers[at].strip().partition("|")[0])
