"""A tenant that lives in another zone, or whose weeks begin on another day, from now on.

Its slots are the same in every zone. So the days of the old one go at once, the slots answer for them, and
every slot is marked: the fold makes the days of the new zone as it makes any. Weeks and months follow them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aforo.engines.embedded import derive_marks
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import PERIODS_OF_DAYS, events_table, quoted
from aforo.engines.folds import Period
from aforo.errors import ModelConflict
from aforo.model.tenant import Tenant
from aforo.windows import Zone

CREATE = """
-- Whose days of a stream are made anew, until no mark of this commit or an earlier one is left.
CREATE TABLE IF NOT EXISTS rezoned (
    stream VARCHAR NOT NULL, tenant VARCHAR NOT NULL, "commit" BIGINT NOT NULL
)
"""

ALL = """
-- Everything that was marked to be made anew.
SELECT stream, tenant, "commit" FROM rezoned
"""

WAITS = """
-- A mark that asks for days in the new zone.
SELECT 1 FROM ledger WHERE stream = $stream AND tenant = $tenant AND "commit" <= $commit LIMIT 1
"""

SEALED = """
-- A stream of which a tenant's raw events were purged.
SELECT stream, events_from FROM seals WHERE tenant = $tenant LIMIT 1
"""

TABLES = """
-- The tables of a period's rows, of every rollup there is.
SELECT t.table_name FROM information_schema.tables AS t
JOIN rollups AS r ON t.table_name = 'rollup_' || r.hash || '_' || $period
"""

FORGET_PERIODS = """
-- Periods that begin and end elsewhere now.
DELETE FROM period_versions WHERE tenant = $tenant AND list_contains($periods, period)
"""

FORGET_REVISIONS = """
-- Days of the old zone have no versions any more.
DELETE FROM revisions WHERE tenant = $tenant
"""

FORGET_EARLIER = """
-- A move before this one.
DELETE FROM rezoned WHERE stream = $stream AND tenant = $tenant
"""

NOTE = """
-- Until the marks are answered, its slots answer for its days.
INSERT INTO rezoned VALUES ($stream, $tenant, $commit)
"""


@dataclass(frozen=True, slots=True)
class Rezoned:
    """Whose days of which stream are made anew, and up to which commit their slots were marked for that."""

    stream: str
    tenant: str
    commit: int


def move(cursor: Cursor, tenant: Tenant, was: Zone, streams: Iterable[str], commit: int) -> None:
    """Lets go of what was counted in the old days and weeks; raises `ModelConflict`, and then nothing was.

    What is sealed could not be counted again: the slots and events it was made from are gone.
    """
    if was.name == tenant.timezone:
        _forget(cursor, tenant.name, (Period.WEEK,))
        return
    sealed = first_row(cursor, SEALED, {"tenant": tenant.name})
    if sealed is not None:
        raise ModelConflict(
            f"tenant {tenant.name} has events counted in days of {was.name} and the model says "
            f"{tenant.timezone}, but those of {sealed[0]} before {sealed[1]} UTC were purged and cannot be "
            "counted in other days",
            hint=f"keep {was.name}; another zone can be asked for by `timezone` in each question",
        )
    _forget(cursor, tenant.name, (Period.DAY, *PERIODS_OF_DAYS))
    cursor.execute(FORGET_REVISIONS, {"tenant": tenant.name})
    for stream in streams:
        _mark(cursor, stream, tenant.name, commit)
        derive_marks.mark_all(cursor, stream, tenant.name)


def read(cursor: Cursor) -> tuple[Rezoned, ...]:
    """Everybody who moved; whether their days are still waited for, `waits` tells."""
    return tuple(Rezoned(*row) for row in cursor.execute(ALL).fetchall())


def waits(cursor: Cursor, rezoned: Rezoned) -> bool:
    """Whether any of its days is still to be made."""
    asked = {"stream": rezoned.stream, "tenant": rezoned.tenant, "commit": rezoned.commit}
    return first_row(cursor, WAITS, asked) is not None


def _forget(cursor: Cursor, tenant: str, periods: tuple[Period, ...]) -> None:
    cursor.execute(FORGET_PERIODS, {"tenant": tenant, "periods": list(periods)})
    for period in periods:
        for (table,) in cursor.execute(TABLES, {"period": period}).fetchall():
            cursor.execute(f"DELETE FROM {quoted(table)} WHERE tenant = $tenant", {"tenant": tenant})


def _mark(cursor: Cursor, stream: str, tenant: str, commit: int) -> None:
    named: dict[str, object] = {"stream": stream, "tenant": tenant, "commit": commit}
    cursor.execute(FORGET_EARLIER, {"stream": stream, "tenant": tenant})
    cursor.execute(
        f"""
        -- Every slot of the tenant is to be folded again.
        INSERT INTO ledger
        SELECT $stream, tenant, time_bucket(INTERVAL 15 MINUTES, time), $commit, count(*)
        FROM {events_table(stream)} WHERE tenant = $tenant GROUP BY ALL
        """,
        named,
    )
    cursor.execute(NOTE, named)
