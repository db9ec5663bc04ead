"""The store in a PostgreSQL database, beside processes of any machine."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from aforo.errors import AforoError, InvalidSettings
from aforo.store.database import Doors
from aforo.store.postgres_errors import IDLE_SECONDS, LOCK_SECONDS, STATEMENT_SECONDS, told_of

if TYPE_CHECKING:
    import psycopg

    from aforo.store.postgres_pipeline import Pipelined

LEAST_VERSION = 15
CONNECTIONS, CONNECTIONS_AT_MOST = 5, 16
"""Of one process: kept open, and at most."""
FREE_SECONDS = 10.0
"""How long one waits for a connection of the process to be free."""
MIGRATION_SECONDS = 600.0

WRITERS_LOCK = 0x61666F726F  # "aforo"; of this database only, so that two databases never meet
FIRST = "aforo_first"
"""The option of a connection that says what its transactions do first."""
BEGIN = "aforo_begin"
"""The option of a connection that says how its transactions begin."""
WRITES = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
READS = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

LINK = {
    "connect_timeout": "10",
    "fallback_application_name": "aforo",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
"""Options of libpq, in seconds, where the URL says nothing of them."""

# A server or a role may be set to tell a commit before it is on the disk; what aforo tells is durable.
SESSION = """
SELECT set_config('lock_timeout', %s, false),
       set_config('statement_timeout', %s, false),
       set_config('idle_in_transaction_session_timeout', %s, false),
       CASE current_setting('synchronous_commit')
         WHEN 'off' THEN set_config('synchronous_commit', 'on', false)
       END
"""
LOCK_WRITERS = "SELECT pg_advisory_xact_lock(%s)"
TAKE_LONG = "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)"


class Postgres:
    """A database of PostgreSQL, through psycopg 3."""

    path = None

    def __init__(self, url: URL) -> None:
        options = {key: value for key, value in LINK.items() if key not in url.query}
        self._url = url.set(drivername="postgresql+psycopg").update_query_dict(options)
        host = url.host or url.query.get("host")
        self.place = URL.create(
            "postgresql",
            username=url.username,
            host=host if isinstance(host, str) else None,
            port=url.port,
            database=url.database,
        ).render_as_string()

    def open(self) -> Doors:
        """A pool of connections, none of them made yet; those the server has dropped are made anew.

        Raises InvalidSettings.
        """
        engine = self._engine()
        event.listen(engine, "connect", self._prepare)
        event.listen(engine, "checkout", _look)
        event.listen(engine, "begin", _begin)
        lock, limit = (LOCK_WRITERS, (WRITERS_LOCK,)), _milliseconds(MIGRATION_SECONDS)
        return Doors(
            reading=engine.execution_options(**{BEGIN: READS}),
            writing=engine.execution_options(**{FIRST: (lock,)}),
            working=engine,
            migrating=engine.execution_options(**{FIRST: ((TAKE_LONG, (limit, limit)), lock)}),
        )

    def told(self, error: DBAPIError) -> AforoError | None:
        """What the server or the way to it said."""
        return told_of(self.place, error)

    def _engine(self) -> Engine:
        try:
            engine = create_engine(
                self._url,
                pool_size=CONNECTIONS,
                max_overflow=CONNECTIONS_AT_MOST - CONNECTIONS,
                pool_timeout=FREE_SECONDS,
                hide_parameters=True,
            )
            _through_pipelines(engine)
        except ImportError as error:
            raise InvalidSettings(
                "store names a PostgreSQL database, and its driver is not installed",
                hint="pip install 'aforo[postgres]'",
            ) from error
        return engine

    def _prepare(
        self, connection: psycopg.Connection[tuple[object, ...]], _entry: ConnectionPoolEntry
    ) -> None:
        try:
            self._accept(connection)
            limits = map(_milliseconds, (LOCK_SECONDS, STATEMENT_SECONDS, IDLE_SECONDS))
            connection.execute(SESSION, tuple(limits))
            connection.commit()
        except BaseException:
            connection.close()
            raise

    def _accept(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        version = connection.info.server_version // 10_000
        if version < LEAST_VERSION:
            raise InvalidSettings(
                f"{self.place} is a PostgreSQL {version}", hint=f"use PostgreSQL {LEAST_VERSION} or later"
            )
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise InvalidSettings(
                f"{self.place} keeps text as {encoding}, and not as UTF8",
                hint="make another: CREATE DATABASE aforo TEMPLATE template0 ENCODING 'UTF8'",
            )


def _through_pipelines(engine: Engine) -> None:
    # The driver is an extra, and this the one file that imports it.
    from aforo.store import postgres_pipeline as pipeline

    def connect(_dialect: Dialect, _entry: object, args: list[Any], options: dict[str, Any]) -> Pipelined:
        return pipeline.Pipelined.connect(*args, autocommit=True, **options)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "do_execute", pipeline.execute)
    event.listen(engine, "do_executemany", pipeline.execute_many)
    event.listen(engine, "do_execute_no_params", pipeline.execute_plain)


def _look(connection: Pipelined, _entry: ConnectionPoolEntry, _borrowed: object) -> None:
    """Has those connections made anew that the server has ended while nobody used them.

    A server with nothing to answer says nothing but that it ends; out of reach, the kernel says so.
    """
    heard = select.poll()
    heard.register(connection.fileno(), select.POLLIN)
    if heard.poll(0):
        try:
            connection.execute("SELECT 1")
        except connection.Error as error:
            raise InvalidatePoolError from error


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    driven: Any = connection.connection.driver_connection
    driven.begin(options.get(BEGIN, WRITES))
    for statement, values in options.get(FIRST, ()):
        connection.exec_driver_sql(statement, values)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1_000))
