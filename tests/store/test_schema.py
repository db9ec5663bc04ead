"""The schema: what the migrations make, up, down and raced, on each kind of store."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from tests.store_kinds import Stores

from aforo.errors import DataTooNew
from aforo.store import migrate
from aforo.store.act import Action
from aforo.store.schema import metadata

CATALOGUES = {
    "sqlite": """
        SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
    """,
    "postgresql": """
        SELECT table_name, rank() OVER (PARTITION BY table_name ORDER BY ordinal_position), column_name,
               data_type, character_maximum_length, is_nullable, column_default
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL
        SELECT conrelid::regclass::text, 0, conname, contype::text, 0, '', pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT tablename, 0, indexname, 'index', 0, '', indexdef FROM pg_indexes WHERE schemaname = 'public'
    """,
}


def catalogue(connection: Connection) -> list[tuple[object, ...]]:
    """All there is but the version of the schema, as the database itself tells it."""
    found = connection.exec_driver_sql(CATALOGUES[connection.dialect.name])
    rows = [tuple(" ".join(each.split()) if isinstance(each, str) else each for each in row) for row in found]
    return sorted((row for row in rows if row[0] != "alembic_version"), key=repr)


def test_the_migrations_make_what_the_tables_say(stores: Stores) -> None:
    with stores.store.writing() as connection:
        migrated = catalogue(connection)
        migrate.move(connection, "base")
        assert catalogue(connection) == []
        metadata.create_all(connection)
        assert catalogue(connection) == migrated
    assert len(migrated) > len(metadata.tables)


def test_the_schema_goes_down_and_up_again_step_by_step(stores: Stores) -> None:
    with stores.store.writing() as connection:
        newest = catalogue(connection)
        for version in (*reversed(migrate.KNOWN[:-1]), *migrate.KNOWN[1:]):
            migrate.move(connection, version)
            assert migrate.version_of(connection) == version
        assert catalogue(connection) == newest


def test_a_step_that_fails_leaves_nothing_behind(stores: Stores) -> None:
    with contextlib.suppress(ZeroDivisionError), stores.store.writing() as connection:
        migrate.move(connection, "base")
        raise ZeroDivisionError
    with stores.store.reading() as connection:
        assert migrate.version_of(connection) == migrate.HEAD
        assert len(catalogue(connection)) > len(metadata.tables)


def test_acts_keep_their_numbers_through_every_version(stores: Stores) -> None:
    made = text("INSERT INTO audit (at, action, actor, subject, detail) VALUES (1, :action, 'x', 'x', 'x')")
    numbers = text("SELECT id, action FROM audit ORDER BY id")
    with stores.store.writing() as connection:
        for action in Action:
            connection.execute(made, {"action": action})
        before = list(connection.execute(numbers))
        migrate.move(connection, "0001")
        kept = list(connection.execute(numbers))
        migrate.move(connection, migrate.HEAD)
        assert list(connection.execute(numbers)) == kept
        connection.execute(made, {"action": Action.DRIFT_CHECKED})
        newest = list(connection.execute(numbers))[-1]
    assert 0 < len(kept) < len(before)
    assert set(kept) < set(before)
    assert newest.id > max(kept)[0]


def test_the_versions_are_those_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    scripts = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(scripts)) == migrate.KNOWN
    assert migrate.KNOWN[-1] == migrate.HEAD


RACE = """
import os, sys
from pathlib import Path
from aforo.store.connect import Store
import alembic.command
gate, opened = os.pipe()
children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        os.close(opened)
        os.read(gate, 1)  # the end of the pipe: all begin at once
        Store(Path(sys.argv[1]), sys.argv[2]).close()
        os._exit(0)
    children.append(child)
os.close(opened)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


def test_eight_that_start_at_once_migrate_once(stores: Stores, tmp_path: Path) -> None:
    url = stores.empty_url()
    ran = subprocess.run(
        [sys.executable, "-c", RACE, str(tmp_path), url],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    with stores.beside(url).reading() as connection, stores.store.reading() as newest:
        assert catalogue(connection) == catalogue(newest)


def test_alembic_is_not_loaded_where_nothing_is_to_do(stores: Stores, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from aforo.store.connect import Store\n"
        "Store(Path(sys.argv[1]), sys.argv[2]).close(); sys.exit('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(tmp_path), stores.url]
    assert subprocess.run(command, check=False, timeout=120).returncode == 0


def test_a_newer_schema_is_left_alone(stores: Stores) -> None:
    with stores.store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DataTooNew, match="9999"):
        stores.beside()
