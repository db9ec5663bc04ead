"""The store of control state: its closed sets, keys and audit, on each kind of database."""

from __future__ import annotations

import pytest
from sqlalchemy import Table, insert
from sqlalchemy.exc import IntegrityError
from tests.store_kinds import Stores

from aforo.clock import ManualClock
from aforo.store import tables
from aforo.store.act import Action, Actor
from aforo.store.audit import Audit
from aforo.store.connect import Store
from aforo.store.key import KeyKind, KeyScope, NewKey, Principal, PrincipalKind, hash_of, looks_like_a_key
from aforo.store.keys import Keys

NOW = 1_700_000_000_000_000
ME = Actor("tests", "127.0.0.1")
OWNER = Principal(PrincipalKind.TEAM, "tests")
READS = NewKey(name="reads", principal=OWNER, scopes=frozenset({KeyScope.READ}), tenants=frozenset({"a"}))


@pytest.fixture
def store(stores: Stores) -> Store:
    return stores.store


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (tables.key_scopes, {"key_id": "key", "scope": "own"}),
        (tables.key_scopes, {"key_id": "nobody", "scope": "read"}),
        (tables.principals, {"kind": "robot", "name": "x", "created_at": 0}),
        (tables.audit, {"at": 0, "action": "guessed", "actor": "x", "subject": "x", "detail": "x"}),
    ],
)
def test_closed_sets_and_owners_hold_in_the_database_too(
    store: Store, table: Table, row: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(insert(table), row)


def test_a_key_from_its_making_to_its_end(store: Store) -> None:
    clock = ManualClock(NOW)
    keys, audit = Keys(store, clock), Audit(store, clock)
    assert not keys.any_made()
    key, secret = keys.create(READS, ME)
    assert looks_like_a_key(secret)
    assert keys.by_hash(hash_of(secret)) == key
    assert keys.any_good([KeyScope.READ])
    assert not keys.any_good([KeyScope.ADMIN])
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
