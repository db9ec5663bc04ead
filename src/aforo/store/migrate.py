"""Brings a database to the newest schema; Alembic is loaded only where there is something to do."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from aforo.errors import DataTooNew
from aforo.store.database import Doors

HEAD = "0010"
KNOWN = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
"""Every version there was, oldest first; a test compares them with the scripts."""
FOLDER = Path(__file__).parent / "migrations"

VERSION_OF_DATABASE = text("SELECT version_num FROM alembic_version")


def bring_up(doors: Doors, place: str) -> None:
    """Does nothing where the schema is the newest. However many start at once, one migrates.

    Raises DataTooNew where a newer version has written the database.
    """
    with doors.reading.begin() as connection:
        if version_of(connection) == HEAD:
            return
    with doors.migrating.begin() as connection:
        # Another process may have done it while this one waited for its turn.
        found = version_of(connection)
        if found is not None and found not in KNOWN:
            raise DataTooNew(
                f"{place} has schema {found}; this version reads up to {HEAD}",
                hint="use the newer version of aforo, or another database",
            )
        if found != HEAD:
            move(connection, HEAD)


def version_of(connection: Connection) -> str | None:
    """The version of the schema, None where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(VERSION_OF_DATABASE)
    return None if found is None else str(found)


def move(connection: Connection, version: str) -> None:
    """Brings the schema up or down to a version (`base`: nothing), in the transaction that is open."""
    # It tells of every step and plugin, which is nothing to whoever started a server.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = ("base", *KNOWN)
    found = version_of(connection) or "base"
    if known.index(version) >= known.index(found):
        command.upgrade(config, version)
    else:
        command.downgrade(config, version)
