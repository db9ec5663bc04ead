"""The store in a file: whose it is, what is kept of a secret, and what is no store at all."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from aforo.clock import ManualClock
from aforo.errors import InvalidSettings, StorageError, StoreUnavailable
from aforo.store import sqlite
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit
from aforo.store.connect import Store
from aforo.store.key import KeyScope, NewKey, Principal, PrincipalKind
from aforo.store.keys import Keys

NOW = 1_700_000_000_000_000
ME = Actor("tests", "127.0.0.1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def test_the_file_is_for_its_owner(store: Store) -> None:
    assert store.path is not None
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_no_secret_is_in_the_file(store: Store, tmp_path: Path) -> None:
    owner = Principal(PrincipalKind.TEAM, "tests")
    wanted = NewKey(name="reads", principal=owner, scopes=frozenset({KeyScope.READ}))
    key, secret = Keys(store, ManualClock(NOW)).create(wanted, ME)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert key.id.encode() in kept
    assert secret.encode() not in kept


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"no database" * 500)
    with pytest.raises(StorageError, match="no database"):
        Store(tmp_path, f"sqlite:///{tmp_path}/other.db")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"control\.db cannot be used"):
        Store(tmp_path / "file" / "data")


def test_a_file_held_by_another_writer(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_SECONDS", 0.01)
    other = Store(tmp_path)
    with store.writing(), pytest.raises(StoreUnavailable, match="another writer"):
        Audit(other, ManualClock(NOW)).record(Action.FOLD_FORCED, ME, "x")
    other.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://aforo:s3cret@db/aforo", "no file"),
        ("sqlite:///", "no file"),
        ("sqlite:///:memory:", "no file"),
        ("control.db", "no URL"),
        ("postgresql://aforo:s3cret@db:port/aforo", "no URL"),
    ],
)
def test_urls_that_cannot_be_used(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(InvalidSettings, match=told) as refused:
        Store(tmp_path, url)
    assert "s3cret" not in str(refused.value)
