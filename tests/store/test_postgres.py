"""The store in PostgreSQL: what its transactions promise, and what is told when something goes wrong."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import Connection, insert, make_url, select
from sqlalchemy.exc import IntegrityError, ProgrammingError
from tests.store.postgres import Server, programs_of, server_of
from tests.store_kinds import NOWHERE, Databases

from aforo.clock import ManualClock
from aforo.errors import AforoError, InvalidRequest, InvalidSettings, StorageError, StoreUnavailable
from aforo.store import postgres, tables
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit
from aforo.store.connect import Store
from aforo.store.later import LATER

ME = Actor("tests")
FIRST = {"kind": "team", "name": "first", "created_at": 1}
SECOND = {"kind": "team", "name": "second", "created_at": 1}


@pytest.fixture(scope="module", params=[18, 15])
def databases(request: pytest.FixtureRequest) -> Databases:
    found: Databases = request.getfixturevalue(f"postgres_{request.param}")
    return found


@pytest.fixture(scope="module")
def shared_url(databases: Databases) -> Iterator[str]:
    with databases.newest() as url:
        yield url


@pytest.fixture
def url(shared_url: str) -> Iterator[str]:
    """A database that is made once, and has no principals when a test begins."""
    yield shared_url
    with psycopg.connect(shared_url) as connection:
        connection.execute("DELETE FROM principals")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(NOWHERE, url)
    yield store
    store.close()


def names(connection: Connection) -> list[str]:
    return list(connection.scalars(select(tables.principals.c.name).order_by(tables.principals.c.name)))


def test_a_reader_sees_one_moment_and_cannot_write(store: Store) -> None:
    with store.reading() as reader:
        assert names(reader) == []
        with store.writing() as writer:
            writer.execute(insert(tables.principals), FIRST)
        assert names(reader) == []
    with store.reading() as reader:
        assert names(reader) == ["first"]
    with pytest.raises(StorageError, match="takes no writes"), store.reading() as reader:
        reader.execute(insert(tables.principals), SECOND)


def test_no_other_writer_is_beside_one(store: Store, url: str) -> None:
    other, inside = Store(NOWHERE, url), threading.Event()

    def write() -> list[str]:
        inside.set()
        with other.writing() as connection:
            return names(connection)

    with ThreadPoolExecutor(1) as threads:
        with store.writing() as connection:
            waiting = threads.submit(write)
            assert inside.wait(30)
            until_locked(store)
            connection.execute(insert(tables.principals), FIRST)
            assert not waiting.done()
        assert waiting.result(30) == ["first"]
    other.close()


def until_locked(store: Store) -> None:
    """Returns once a session of the database waits for the writers' lock."""
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with store.working() as connection:
            if connection.exec_driver_sql(waits).scalar():
                return
    pytest.fail("nobody waits for the writers' lock")


def test_workers_are_beside_each_other_and_see_what_is_committed(store: Store) -> None:
    with store.writing(), store.working() as one, store.working() as other:
        one.execute(insert(tables.principals), FIRST)
        assert names(other) == []
        one.commit()
        assert names(other) == ["first"]


def test_two_that_wait_for_each_other_are_told_apart(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(insert(tables.principals), [FIRST, SECOND])
    both = threading.Barrier(2, timeout=30)

    def lock(first: str, second: str) -> str:
        table = tables.principals
        try:
            with store.working() as connection:
                connection.execute(select(table).where(table.c.name == first).with_for_update())
                both.wait()
                connection.execute(select(table).where(table.c.name == second).with_for_update())
        except StoreUnavailable as error:
            return error.detail
        return "done"

    with ThreadPoolExecutor(2) as threads:
        told = sorted(threads.map(lock, ("first", "second"), ("second", "first")))
    assert told[0] == "done"
    assert "in each other's way" in told[1]


@pytest.mark.parametrize(("theirs", "ours"), [("off", "on"), ("remote_apply", "remote_apply")])
def test_what_is_told_is_on_the_disk(url: str, databases: Databases, theirs: str, ours: str) -> None:
    database = str(make_url(url).database)
    databases.server.run(f"ALTER DATABASE {{}} SET synchronous_commit = {theirs}", database)
    store = Store(NOWHERE, url)
    with store.working() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == ours
    store.close()
    databases.server.run("ALTER DATABASE {} RESET synchronous_commit", database)


def sleeping(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL statement_timeout = 50")
    connection.exec_driver_sql("SELECT pg_sleep(30)")


def ended(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")


def full(connection: Connection) -> None:
    connection.exec_driver_sql("DO $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'disk full'; END $$")


def not_allowed(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE ROLE stranger")
    connection.exec_driver_sql("SET LOCAL ROLE stranger")
    connection.exec_driver_sql("SELECT * FROM audit")


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        (sleeping, "store_unavailable", "gave no answer within"),
        (ended, "store_unavailable", r"the connection to postgresql://aforo@.* was lost"),
        (full, "storage_full", "disk that holds .* is full"),
        (not_allowed, "storage_error", "permission denied"),
    ],
)
def test_faults_of_the_server_are_told(
    store: Store, fault: Callable[[Connection], None], error: str, told: str
) -> None:
    with pytest.raises(StorageError, match=told) as raised, store.working() as connection:
        fault(connection)
    assert raised.value.code == error
    with store.reading() as connection:
        assert names(connection) == []


def test_a_row_that_another_holds_is_waited_for_and_then_told(store: Store) -> None:
    def wait() -> None:
        with store.working() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = 50")
            connection.execute(insert(tables.principals), FIRST)

    with store.working() as one:
        one.execute(insert(tables.principals), FIRST)
        with pytest.raises(StoreUnavailable, match="held by another writer"):
            wait()


def test_a_transaction_whose_process_stands_still_lets_go(store: Store, url: str) -> None:
    def stand_still() -> None:
        with store.writing() as connection, psycopg.connect(url) as watcher:
            connection.execute(insert(tables.principals), FIRST)
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 50")
            while watcher.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").fetchone():
                pass
            connection.execute(insert(tables.principals), SECOND)

    with pytest.raises(StoreUnavailable, match="had stood still"):
        stand_still()
    with store.reading() as connection:
        assert names(connection) == []


@pytest.mark.parametrize(
    ("statement", "value"), [("SELECT * FROM no_table WHERE %s", True), ("SELECT %s", object())]
)
def test_what_a_program_does_wrong_is_not_told_as_a_fault_of_the_server(
    store: Store, statement: str, value: object
) -> None:
    with pytest.raises(ProgrammingError), store.working() as connection:
        connection.exec_driver_sql(statement, (value,))


@pytest.mark.parametrize("name", ["x" * 201, "nothing\x00more"])
def test_what_cannot_be_kept_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be kept"), store.writing() as connection:
        connection.execute(insert(tables.principals), {**FIRST, "name": name})


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that a test may stop, and that asks some for a password."""
    programs = programs_of(18)
    assert programs is not None
    with server_of(programs) as server:
        server.run("CREATE ROLE guarded LOGIN PASSWORD 'r1ght'")
        server.guard("guarded")
        yield server


def test_a_server_that_was_stopped_at_once_is_used_again(own_server: Server) -> None:
    store = Store(NOWHERE, own_server.url())
    audit = Audit(store, ManualClock(0))
    audit.record(Action.FOLD_FORCED, ME, "before")
    own_server.stop_at_once()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        audit.page(1)
    own_server.start()
    assert [act.subject for act in audit.page(1)] == ["before"]
    store.close()


def test_a_connection_that_the_server_has_ended_is_made_anew(store: Store, url: str) -> None:
    with store.reading() as connection:
        session = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 30000)", (session,))
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != session


@pytest.mark.parametrize("then", ["the end", "another statement"])
def test_what_may_be_told_later_is_told_and_nothing_is_kept(store: Store, then: str) -> None:
    later = insert(tables.principals).inline().execution_options(**{LATER: True})

    def write() -> None:
        with store.working() as connection:
            connection.execute(later, FIRST)
            connection.execute(later, [FIRST, SECOND])
            if then == "another statement":
                pytest.fail(f"{names(connection)} were read")

    with pytest.raises(IntegrityError):
        write()
    with store.working() as connection:
        connection.execute(later, SECOND)
        assert names(connection) == ["second"]


def test_a_server_that_stops_under_a_writer_keeps_nothing_of_it(own_server: Server) -> None:
    store = Store(NOWHERE, own_server.url())

    def write() -> None:
        with store.writing() as connection:
            connection.execute(insert(tables.principals), FIRST)
            own_server.stop_at_once()

    with pytest.raises(StoreUnavailable, match="was lost"):
        write()
    own_server.start()
    with store.writing() as connection:
        assert names(connection) == []
    store.close()


@pytest.mark.parametrize(
    ("database", "user", "told"),
    [
        ("postgres", "guarded:wr0ng", "lets nobody in: .*password authentication failed"),
        ("postgres", "guarded", "lets nobody in: .*no password supplied"),
        ("postgres", "stranger", 'lets nobody in: .*role "stranger" does not exist'),
        ("nothing", "aforo", 'lets nobody in: .*database "nothing" does not exist'),
    ],
)
def test_who_is_not_let_in(own_server: Server, database: str, user: str, told: str) -> None:
    with pytest.raises(StorageError, match=told) as refused:
        Store(NOWHERE, own_server.url(database, user))
    assert "wr0ng" not in str(refused.value)


def test_no_connection_is_left(own_server: Server) -> None:
    own_server.run("CREATE ROLE single LOGIN CONNECTION LIMIT 1")
    held = psycopg.connect(own_server.url(user="single"))
    with pytest.raises(StoreUnavailable, match=r"has no connection free: .*too many connections"):
        Store(NOWHERE, own_server.url(user="single"))
    held.close()


def test_all_connections_of_the_process_are_in_use(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "CONNECTIONS", 1)
    monkeypatch.setattr(postgres, "CONNECTIONS_AT_MOST", 1)
    monkeypatch.setattr(postgres, "FREE_SECONDS", 0.01)
    store = Store(NOWHERE, url)
    with store.reading(), pytest.raises(StoreUnavailable, match="all connections"), store.reading():
        pass
    store.close()


@pytest.mark.parametrize(
    ("tail", "error", "told"),
    [
        (
            "nohost.invalid/aforo",
            StoreUnavailable,
            r"postgresql://aforo@nohost\.invalid/aforo does not answer",
        ),
        ("127.0.0.1:1/aforo", StoreUnavailable, "does not answer: .*refused"),
        ("127.0.0.1:1/aforo?option=1", InvalidSettings, 'invalid connection option "option"'),
        ("127.0.0.1:1/aforo?connect_timeout=soon", InvalidSettings, "bad value for connect_timeout"),
    ],
)
def test_urls_that_lead_nowhere(tail: str, error: type[AforoError], told: str) -> None:
    with pytest.raises(error, match=told) as refused:
        Store(NOWHERE, f"postgresql://aforo:s3cret@{tail}")
    assert "s3cret" not in str(refused.value)


def test_a_database_that_keeps_other_text_is_refused(databases: Databases) -> None:
    databases.server.run("CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1'", "latin")
    with pytest.raises(InvalidSettings, match="keeps text as LATIN1"):
        Store(NOWHERE, databases.server.url("latin"))
    databases.server.run("DROP DATABASE {}", "latin")


def test_a_server_that_is_too_old_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "LEAST_VERSION", 19)
    with pytest.raises(InvalidSettings, match=r"is a PostgreSQL 1[58]"):
        Store(NOWHERE, url)


def test_the_driver_is_not_installed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InvalidSettings, match="driver is not installed") as refused:
        Store(NOWHERE, url)
    assert "aforo[postgres]" in refused.value.hint
