"""Every kind of store there is, for the suites that run on each: take the fixture `stores`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from shutil import copy
from typing import Protocol

import pytest
from tests.store.postgres import Server, programs_of, server_of

from aforo.store.connect import FILE_NAME, Store

NOWHERE = Path("a store with a URL of its own uses no directory")
KINDS = ("sqlite", "postgresql-18", "postgresql-15")


class Stores:
    """Stores of one kind, each empty and of the newest schema; `store` is one of them, open, at `url`."""

    def __init__(self, kind: str, places: Places, stack: ExitStack) -> None:
        self.kind = kind
        self._places = places
        self._stack = stack
        self.store, self.url = self.fresh()

    def fresh(self) -> tuple[Store, str]:
        """Another store, which shares nothing with those before, and its URL."""
        url = self._stack.enter_context(self._places.newest())
        return self.beside(url), url

    def beside(self, url: str | None = None) -> Store:
        """A store opened again, as another process would: the one at `url`, else the first."""
        store = Store(NOWHERE, url or self.url)
        self._stack.callback(store.close)
        return store

    def empty_url(self) -> str:
        """The URL of a database in which there is nothing yet."""
        return self._stack.enter_context(self._places.empty())


class Places(Protocol):
    """Where databases of one kind are made; each is gone after its block."""

    def empty(self) -> AbstractContextManager[str]:
        """The URL of a database with nothing in it."""
        ...

    def newest(self) -> AbstractContextManager[str]:
        """The URL of one with the newest schema, a copy: migrating takes ten times as long."""
        ...


class Files:
    """Files of SQLite in one folder."""

    def __init__(self, folder: Path, newest: Path) -> None:
        self._folder, self._newest = folder, newest
        self._numbers = itertools.count(1)

    @contextmanager
    def empty(self) -> Iterator[str]:
        yield f"sqlite:///{self._next()}"

    @contextmanager
    def newest(self) -> Iterator[str]:
        path = self._next()
        path.parent.mkdir()
        copy(self._newest, path)
        yield f"sqlite:///{path}"

    def _next(self) -> Path:
        return self._folder / f"store-{next(self._numbers)}" / FILE_NAME


class Databases:
    """Databases of one PostgreSQL."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        self.server.run("CREATE DATABASE newest")
        Store(NOWHERE, server.url("newest")).close()

    def empty(self) -> AbstractContextManager[str]:
        return self._made("CREATE DATABASE {}")

    def newest(self) -> AbstractContextManager[str]:
        return self._made("CREATE DATABASE {} TEMPLATE newest")

    @contextmanager
    def _made(self, statement: str) -> Iterator[str]:
        name = f"aforo_{next(self._numbers)}"
        self.server.run(statement, name)
        try:
            yield self.server.url(name)
        finally:
            self.server.run("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Stores of each kind in turn: SQLite, PostgreSQL 18, and 15 where the system has it."""
    with stores_of(request.param, request, tmp_path) as stores:
        yield stores


@contextmanager
def stores_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Stores]:
    """Stores of one of KINDS, for suites in which they are some of the kinds that take part."""
    places: Places
    if kind == "sqlite":
        places = Files(folder, request.getfixturevalue("newest_file"))
    else:
        places = request.getfixturevalue(kind.replace("postgresql-", "postgres_"))
    with ExitStack() as stack:
        yield Stores(kind, places, stack)


@pytest.fixture(scope="session")
def newest_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with the newest schema and nothing in it."""
    folder = tmp_path_factory.mktemp("newest")
    Store(folder).close()
    return folder / FILE_NAME


@pytest.fixture(scope="session")
def postgres_18() -> Iterator[Databases]:
    """The databases of the PostgreSQL that comes with the tests' packages."""
    yield from _databases(18)


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[Databases]:
    """The databases of the oldest PostgreSQL that is supported, where the system has it."""
    yield from _databases(15)


def _databases(version: int) -> Iterator[Databases]:
    programs = programs_of(version)
    if programs is None:
        pytest.skip(f"this system has no PostgreSQL {version} (Debian: apt-get install postgresql-{version})")
    with server_of(programs) as server:
        yield Databases(server)
