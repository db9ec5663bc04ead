"""A store that tells of every step it takes, so that a test may end it there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, event
from tests.store_kinds import NOWHERE

from aforo.store.connect import Store

At: TypeAlias = Callable[[str], None]
"""Hears of every point as it is reached, and may raise."""

BEGIN, COMMIT, COMMITTED = "begin", "commit", "committed"
TABLE = re.compile(r'\b(?:from|into|update)\s+"?([a-z_]+)', re.IGNORECASE)


class Struck(BaseException):
    """The process has ended here. Nothing in it may catch this and go on."""


def nobody(_point: str) -> None:
    """Lets every point pass."""


class WatchedStore(Store):
    """The store at a URL, as the process has it that `at` belongs to.

    A point is before a transaction (`begin`), before a statement of it (`insert metric_runs`), before its end
    (`commit`), and after it (`committed`); those of reading have a `read ` before them. In `begin` and
    `committed` this process holds nothing.
    """

    def __init__(self, url: str, at: At = nobody) -> None:
        self.at: At = nobody
        super().__init__(NOWHERE, url)
        self.at = at

    @contextmanager
    def _transaction(self, door: Engine) -> Iterator[Connection]:
        mark = "read " if door is self._doors.reading else ""
        self.at(f"{mark}{BEGIN}")
        with super()._transaction(door) as connection:
            event.listen(connection, "before_cursor_execute", self._before)
            yield connection
            self.at(f"{mark}{COMMIT}")
        self.at(f"{mark}{COMMITTED}")

    def _before(self, _connection: object, _cursor: object, statement: str, *_more: Any) -> None:
        self.at(named(statement))


def named(statement: str) -> str:
    """What a statement does, and to which table: `insert metric_runs`."""
    table = TABLE.search(statement)
    return f"{statement.split()[0].lower()} {table[1] if table else ''}".strip()
