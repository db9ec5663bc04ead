"""The keys of the store as the server has them at hand: in memory, and not older than they may be."""

from __future__ import annotations

from collections import OrderedDict
from threading import Event, Lock, Thread

import structlog

from aforo.clock import Clock
from aforo.errors import AforoError
from aforo.settings import Access
from aforo.store.act import Actor
from aforo.store.key import Key, KeyScope, NewKey, hash_of
from aforo.store.keys import Keys

log = structlog.get_logger(__name__)


class KeyRing:
    """Finds keys without the store where it can; what is made or revoked through it holds at once.

    Changes by other processes are seen once `key_cache_seconds` have passed.
    """

    def __init__(self, keys: Keys, clock: Clock, settings: Access) -> None:
        self._keys = keys
        self._clock = clock
        self._settings = settings
        self._lock = Lock()
        self._cached: OrderedDict[str, tuple[Key, float]] = OrderedDict()
        self._used: dict[str, int] = {}
        self._revocations = 0
        self._ended = Event()
        self._thread: Thread | None = None
        self._made = keys.any_made()
        self._origins = keys.public_origins()

    @property
    def keyless(self) -> bool:
        """Whether no key was ever made, nor set; a server whose keys were all revoked does not open again."""
        return not self._made and self._settings.admin_key is None

    @property
    def public_origins(self) -> frozenset[str]:
        """The origins that public keys may be used from."""
        return self._origins

    def any_good(self, *scopes: KeyScope) -> bool:
        """Whether a key is good now that opens one of the scopes, or anything at all."""
        return self._settings.admin_key is not None or self._keys.any_good(scopes or KeyScope)

    def cached(self, hashed: str) -> Key | None:
        """The key with that hash if it is at hand and young enough."""
        held = self._cached.get(hashed)
        if held is None or self._clock.monotonic() - held[1] > self._settings.key_cache_seconds:
            return None
        return held[0]

    def look_up(self, hashed: str) -> Key | None:
        """The key with that hash as the store has it now. Raises StorageError."""
        revocations = self._revocations
        key, at = self._keys.by_hash(hashed), self._clock.monotonic()
        with self._lock:
            self._cached.pop(hashed, None)
            # What was read before a revocation must not be at hand after it.
            if key is not None and revocations == self._revocations:
                self._cached[hashed] = (key, at)
                while len(self._cached) > self._settings.cached_keys:
                    self._cached.popitem(last=False)
        return key

    def used(self, key: Key) -> None:
        """Remembers that the key was used now; written later."""
        with self._lock:
            self._used[key.id] = self._clock.now()

    def create(self, wanted: NewKey, actor: Actor) -> tuple[Key, str]:
        """As the store does; it opens, and an open server is closed, at once."""
        key, secret = self._keys.create(wanted, actor)
        self.look_up(hash_of(secret))
        self._look_around()
        return key, secret

    def revoke(self, key_id: str, actor: Actor) -> Key | None:
        """As the store does; it opens nothing from now on."""
        key = self._keys.revoke(key_id, actor)
        with self._lock:
            self._revocations += 1
            for hashed in [hashed for hashed, (held, _) in self._cached.items() if held.id == key_id]:
                del self._cached[hashed]
        self._look_around()
        return key

    def page(self, limit: int, after: tuple[int, str] | None) -> list[Key]:
        """Keys as the store lists them, with what is not yet written of their use."""
        return self._keys.page(limit, after)

    def start(self) -> None:
        """Begins to write, now and then, when keys were used, and to see what others have changed."""
        self._thread = Thread(target=self._run, name="aforo-keys", daemon=True)
        self._thread.start()

    def run_once(self) -> None:
        """Writes what is known of the use of keys, and sees what others have changed. Raises StorageError."""
        with self._lock:
            used, self._used = self._used, {}
        try:
            self._keys.mark_used(used)
        except AforoError:
            with self._lock:
                self._used = {**used, **self._used}
            raise
        self._look_around()

    def stop(self) -> None:
        """Writes what is left and ends."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._tried()

    def _look_around(self) -> None:
        self._made = self._made or self._keys.any_made()
        self._origins = self._keys.public_origins()

    def _run(self) -> None:
        while not self._ended.wait(self._settings.last_used_after_seconds):
            self._tried()

    def _tried(self) -> None:
        try:
            self.run_once()
        except AforoError as error:
            # It is tried again, and a lost time of use harms nobody; whoever uses the store hears of it.
            log.warning("uses of keys could not be written", detail=error.detail)
