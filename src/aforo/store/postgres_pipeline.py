"""A connection to PostgreSQL that waits for an answer only where one is needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import ExecutionContext
from sqlalchemy.engine.interfaces import DBAPICursor

from aforo.store.later import LATER


class Pipelined(psycopg.Connection[tuple[object, ...]]):
    """Sends what may be told of later without waiting, and has it answered with what comes next.

    What is wrong with such a statement is raised by the next one that is answered, or by the commit. Its
    transactions begin with their first statement; the driver begins none by itself (autocommit).
    """

    _pipeline_open: ExitStack | None = None
    _begins_with: str | None = None

    def begin(self, statement: str) -> None:
        """Has a transaction begin in this way with the next statement."""
        self._begins_with = statement

    def say(self, said: Callable[[], object], *, later: bool) -> None:
        """Executes a statement; waits for its answer, and those before it, unless that may be later."""
        if (begins_with := self._begins_with) is not None:
            self._begins_with = None
            self._send(begins_with)
        if later:
            self._open()
            said()
        elif self._pipeline_open is None:
            said()
        else:
            self._answered(said)

    def commit(self) -> None:
        """Ends the transaction in one way there and back with what has not been answered yet."""
        self._begins_with = None
        if self._pipeline_open is not None:
            self._answered(partial(self._send, "COMMIT"))
        elif self.info.transaction_status is not TransactionStatus.IDLE:
            self.execute("COMMIT", prepare=False)

    def rollback(self) -> None:
        """Ends the transaction; what has not been answered yet is of no interest any more."""
        self._begins_with = None
        with suppress(psycopg.Error):
            self._close()
        if self.info.transaction_status is not TransactionStatus.IDLE:
            self.execute("ROLLBACK", prepare=False)

    def _send(self, statement: str) -> None:
        self._open()
        self.execute(statement, prepare=False)

    def _answered(self, said: Callable[[], object]) -> None:
        try:
            said()
        except BaseException:
            with suppress(psycopg.Error):
                self._close()
            raise
        self._close()

    def _open(self) -> None:
        if self._pipeline_open is None:
            self._pipeline_open = ExitStack()
            self._pipeline_open.enter_context(self.pipeline())

    def _close(self) -> None:
        if (opened := self._pipeline_open) is not None:
            self._pipeline_open = None
            opened.close()


def execute(cursor: DBAPICursor, statement: str, values: Any, context: ExecutionContext) -> bool:
    """Has SQLAlchemy execute a statement in the way of its connection."""
    return _say(cursor, context, partial(cursor.execute, statement, values))


def execute_many(cursor: DBAPICursor, statement: str, values: Any, context: ExecutionContext) -> bool:
    """The same for a statement of many rows."""
    return _say(cursor, context, partial(cursor.executemany, statement, values))


def execute_plain(cursor: DBAPICursor, statement: str, context: ExecutionContext) -> bool:
    """The same for a statement without values."""
    return _say(cursor, context, partial(cursor.execute, statement))


def _say(cursor: Any, context: ExecutionContext, said: Callable[[], object]) -> bool:
    connection: Pipelined = cursor.connection
    connection.say(said, later=context.execution_options.get(LATER, False))
    return True
