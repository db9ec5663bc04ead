"""How far each work that follows the log of runs has come in it."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from aforo.store.run import UpkeepWork
from aforo.store.run_tables import run_upkeep

THROUGH = select(run_upkeep.c.through).where(run_upkeep.c.work == bindparam("of_work"))


def _reached(adding: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    further = adding.excluded.through
    return adding.on_conflict_do_update(
        index_elements=[run_upkeep.c.work], set_={"through": further}, where=run_upkeep.c.through < further
    )


REACHED = {
    "sqlite": _reached(sqlite.insert(run_upkeep)),
    "postgresql": _reached(postgresql.insert(run_upkeep)),
}


def through(connection: Connection, work: UpkeepWork) -> int:
    """The last line that was dealt with, 0 where none was."""
    found: int | None = connection.execute(THROUGH, {"of_work": str(work)}).scalar()
    return found or 0


def reached(connection: Connection, work: UpkeepWork, line: int) -> None:
    """All up to a line is dealt with; of two processes the one that is further on is believed."""
    connection.execute(REACHED[connection.dialect.name], {"work": str(work), "through": line})
