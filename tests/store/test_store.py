"""The store of control state: its schema, its closed sets, and starts that meet each other."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from aforo.clock import ManualClock
from aforo.errors import DataTooNew, InvalidSettings, StorageError
from aforo.store import migrate, tables
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit
from aforo.store.connect import Store
from aforo.store.key import KeyKind, KeyScope, NewKey, Principal, PrincipalKind, hash_of, looks_like_a_key
from aforo.store.keys import Keys

NOW = 1_700_000_000_000_000
ME = Actor("tests", "127.0.0.1")
OWNER = Principal(PrincipalKind.TEAM, "tests")
READS = NewKey(name="reads", principal=OWNER, scopes=frozenset({KeyScope.READ}), tenants=frozenset({"a"}))
SCHEMA = (
    "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL "
    "AND name NOT IN ('alembic_version', 'sqlite_sequence')"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def words(rows: object) -> dict[str, str]:
    return {name: " ".join(sql.split()) for name, sql in rows}  # type: ignore[attr-defined]


def test_the_migrations_make_what_the_tables_say(store: Store) -> None:
    engine = create_engine("sqlite://")
    tables.metadata.create_all(engine)
    with engine.connect() as connection, store.reading() as migrated:
        assert words(connection.exec_driver_sql(SCHEMA)) == words(migrated.exec_driver_sql(SCHEMA))
    engine.dispose()


def test_the_schema_goes_down_and_up_again(store: Store) -> None:
    with store.writing() as connection:
        migrate.move(connection, "base")
        assert words(connection.exec_driver_sql(SCHEMA)) == {}
        migrate.move(connection, migrate.HEAD)
        assert migrate.version_of(connection) == migrate.HEAD


def test_the_versions_are_those_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    scripts = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(scripts)) == migrate.KNOWN
    assert migrate.KNOWN[-1] == migrate.HEAD


def test_starts_at_once_migrate_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from aforo.store.connect import Store\n"
        "Store(Path(sys.argv[1])).close()"
    )
    children = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(4)]
    assert [child.wait(60) for child in children] == [0] * 4


def test_alembic_is_not_loaded_where_nothing_is_to_do(store: Store, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from aforo.store.connect import Store\n"
        "Store(Path(sys.argv[1])).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 0


def test_a_newer_schema_and_a_file_that_is_no_database(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / "control.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(DataTooNew, match="9999"):
        Store(tmp_path)
    (tmp_path / "other.db").write_bytes(b"no database" * 500)
    with pytest.raises(StorageError, match="no database"):
        Store(tmp_path, f"sqlite:///{tmp_path}/other.db")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://aforo:s3cret@db/aforo", "not built yet"),
        ("sqlite:///", "no file"),
        ("sqlite:///:memory:", "no file"),
    ],
)
def test_urls_that_cannot_be_used(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(InvalidSettings, match=told) as refused:
        Store(tmp_path, url)
    assert "s3cret" not in str(refused.value)


def test_the_file_is_for_its_owner(store: Store) -> None:
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("key_scopes", ("key", "own")),
        ("key_scopes", ("nobody", "read")),
        ("principals", (None, "robot", "x", 0)),
        ("audit", (None, 0, "guessed", "x", None, "x", "x")),
    ],
)
def test_closed_sets_and_owners_hold_in_the_database_too(
    store: Store, table: str, row: tuple[object]
) -> None:
    places = ", ".join("?" * len(row))
    with pytest.raises(Exception, match="constraint failed"), store.writing() as connection:
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({places})", row)


def test_a_key_from_its_making_to_its_end(store: Store) -> None:
    clock = ManualClock(NOW)
    keys, audit = Keys(store, clock), Audit(store, clock)
    assert not keys.any_made()
    key, secret = keys.create(READS, ME)
    assert looks_like_a_key(secret)
    assert keys.by_hash(hash_of(secret)) == key
    assert keys.any_good([KeyScope.READ])
    assert not keys.any_good([KeyScope.ADMIN])
    for file in store.path.parent.iterdir():
        assert secret.encode() not in file.read_bytes()
    keys.mark_used({key.id: NOW + 5})
    keys.mark_used({key.id: NOW + 1, "key_gone": 3})
    clock.advance(60)
    revoked = keys.revoke(key.id, ME)
    assert revoked is not None
    assert (revoked.last_used_at, revoked.revoked_at) == (NOW + 5, NOW + 60_000_000)
    assert keys.revoke(key.id, ME) == revoked
    assert keys.revoke("key_gone", ME) is None
    assert keys.any_made()
    assert not keys.any_good()
    acts = audit.page(10)
    assert [(act.action, act.subject, act.actor) for act in acts] == [
        (Action.KEY_REVOKED, key.id, ME),
        (Action.KEY_CREATED, key.id, ME),
    ]
    assert audit.page(1, acts[0].id) == acts[1:]


def test_keys_by_the_page_even_when_made_at_once(store: Store) -> None:
    keys = Keys(store, ManualClock(NOW))
    made = {keys.create(READS, ME)[0].id for _ in range(5)}
    first = keys.page(3)
    rest = keys.page(3, (first[-1].created_at, first[-1].id))
    assert {key.id for key in (*first, *rest)} == made
    assert len(rest) == 2


def test_origins_of_public_keys_that_are_good(store: Store) -> None:
    clock = ManualClock(NOW)
    keys = Keys(store, clock)
    page = NewKey(
        name="page",
        principal=OWNER,
        kind=KeyKind.PUBLIC,
        scopes=frozenset({KeyScope.INGEST}),
        tenants=frozenset({"a"}),
        origins=frozenset({"https://a.example"}),
        expires_at=NOW + 1_000_000,
    )
    keys.create(page, ME)
    assert keys.public_origins() == {"https://a.example"}
    clock.advance(1)
    assert keys.public_origins() == frozenset()
