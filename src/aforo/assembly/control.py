"""The command line's verbs over the store, through the server that holds the directory or over it."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote, urlencode

from aforo.assembly.reach import connection_to
from aforo.assembly.remote import called
from aforo.client import Connection
from aforo.clock import Clock
from aforo.settings import Settings
from aforo.store.act import Actor
from aforo.store.backfill import BackfillState

Json = dict[str, object]


class Control(Protocol):
    """The verbs; replies are HTTP's JSON."""

    def create_key(self, asked: Mapping[str, object]) -> Json: ...

    def keys(self, limit: int | None, cursor: str | None) -> Json: ...

    def revoke_key(self, key_id: str) -> Json: ...

    def acts(self, limit: int | None, cursor: str | None) -> Json: ...

    def backfills(self, limit: int | None, cursor: str | None) -> Json: ...

    def backfill(self, backfill_id: str) -> Json: ...

    def pause_backfill(self, backfill_id: str) -> Json: ...

    def cancel_backfill(self, backfill_id: str) -> Json: ...

    def erasures(self, limit: int | None, cursor: str | None) -> Json: ...

    def erasure(self, erasure_id: str) -> Json: ...

    def close(self) -> None: ...


def control(settings: Settings, clock: Clock) -> Control:
    """The server that the settings name or that holds the data directory, else the store itself."""
    connection = connection_to(settings)
    return LocalControl(settings, clock) if connection is None else RemoteControl(connection)


class RemoteControl:
    """Speaks to a server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create_key(self, asked: Mapping[str, object]) -> Json:
        return called(lambda: self._connection.post("/v1/keys", asked))

    def keys(self, limit: int | None, cursor: str | None) -> Json:
        return called(lambda: self._connection.get("/v1/keys" + _page(limit, cursor)))

    def revoke_key(self, key_id: str) -> Json:
        return called(lambda: self._connection.delete(f"/v1/keys/{quote(key_id, safe='')}"))

    def acts(self, limit: int | None, cursor: str | None) -> Json:
        return called(lambda: self._connection.get("/v1/audit" + _page(limit, cursor)))

    def backfills(self, limit: int | None, cursor: str | None) -> Json:
        return called(lambda: self._connection.get("/v1/backfills" + _page(limit, cursor)))

    def backfill(self, backfill_id: str) -> Json:
        return called(lambda: self._connection.get(f"/v1/backfills/{quote(backfill_id, safe='')}"))

    def pause_backfill(self, backfill_id: str) -> Json:
        path = f"/v1/backfills/{quote(backfill_id, safe='')}/pause"
        return called(lambda: self._connection.post(path, {}))

    def cancel_backfill(self, backfill_id: str) -> Json:
        return called(lambda: self._connection.delete(f"/v1/backfills/{quote(backfill_id, safe='')}"))

    def erasures(self, limit: int | None, cursor: str | None) -> Json:
        return called(lambda: self._connection.get("/v1/erasures" + _page(limit, cursor)))

    def erasure(self, erasure_id: str) -> Json:
        return called(lambda: self._connection.get(f"/v1/erasures/{quote(erasure_id, safe='')}"))

    def close(self) -> None:
        """There is nothing to let go of: every call was a request of its own."""


class LocalControl:
    """Opens the store, and not the events: several may have it at once."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        from aforo.store.audit import Audit
        from aforo.store.backfills import Backfills
        from aforo.store.connect import Store
        from aforo.store.erasures import Erasures
        from aforo.store.keys import Keys

        self._clock = clock
        self._store = Store(settings.data, settings.store)
        self._keys, self._audit = Keys(self._store, clock), Audit(self._store, clock)
        self._backfills = Backfills(self._store, clock)
        self._erasures = Erasures(self._store, clock)

    def create_key(self, asked: Mapping[str, object]) -> Json:
        from aforo.http import keys, reply

        return reply.plain(keys.created(self._keys, self._clock, asked, _actor()))

    def keys(self, limit: int | None, cursor: str | None) -> Json:
        from aforo.http import keys, paging, reply

        page = paging.page_of(None if limit is None else str(limit), cursor)
        return reply.plain(keys.listed(self._keys, self._clock, page))

    def revoke_key(self, key_id: str) -> Json:
        from aforo.http import keys, reply

        return reply.plain(keys.revoked(self._keys, self._clock, key_id, _actor()))

    def acts(self, limit: int | None, cursor: str | None) -> Json:
        from aforo.http import audit, paging, reply

        page = paging.page_of(None if limit is None else str(limit), cursor)
        return reply.plain(audit.told(self._audit, page))

    def backfills(self, limit: int | None, cursor: str | None) -> Json:
        from aforo.http import backfills, paging, reply

        page = paging.page_of(None if limit is None else str(limit), cursor)
        return reply.plain(backfills.listed(self._backfills, page))

    def backfill(self, backfill_id: str) -> Json:
        from aforo.http import backfills, reply

        return reply.plain(backfills.found(self._backfills, backfill_id))

    def pause_backfill(self, backfill_id: str) -> Json:
        return self._moved(backfill_id, BackfillState.PAUSED)

    def cancel_backfill(self, backfill_id: str) -> Json:
        return self._moved(backfill_id, BackfillState.CANCELLED)

    def _moved(self, backfill_id: str, to: BackfillState) -> Json:
        from aforo.http import backfills, reply

        return reply.plain(backfills.moving(self._backfills, self._backfills, backfill_id, to, _actor()))

    def erasures(self, limit: int | None, cursor: str | None) -> Json:
        from aforo.http import erasures, paging, reply

        page = paging.page_of(None if limit is None else str(limit), cursor)
        return reply.plain(erasures.listed(self._erasures, page))

    def erasure(self, erasure_id: str) -> Json:
        from aforo.http import erasures, reply

        return reply.plain(erasures.found(self._erasures, erasure_id))

    def close(self) -> None:
        self._store.close()


def _actor() -> Actor:
    return Actor(f"command line ({getpass.getuser()})")


def _page(limit: int | None, cursor: str | None) -> str:
    given = {name: value for name, value in (("limit", limit), ("cursor", cursor)) if value is not None}
    return f"?{urlencode(given)}" if given else ""
