"""What stands in the dictionary where a value was that no event has any more: a hash made with a key.

Whoever has the file alone can try no guesses: the key is in a file of its own, which belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from aforo.engines.embedded.database import Cursor, first_row
from aforo.errors import StorageError
from aforo.secret import kept_secret

KEY_FILE = "entities.key"
HASHED = "\x00hashed "
"""What a hash begins with: no event brings it."""
CLEAR = "NOT starts_with(value, chr(0))"
"""The condition of a row whose value can be read."""

FINGERPRINT = "SELECT fingerprint FROM hash_key"


class Hashes:
    """Makes the hashes of a directory's values. The key is made with the first, and must stay there."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / KEY_FILE
        self._key: bytes | None = None

    def begin(self, cursor: Cursor) -> None:
        """From now on there are hashes. Raises `StorageError` where the key cannot be kept, or is another."""
        if not self.exist(cursor):
            self._key = self._kept()
            cursor.execute("INSERT INTO hash_key VALUES ($print)", {"print": _fingerprint(self._key)})

    def exist(self, cursor: Cursor) -> bool:
        """Whether there may be any. Raises `StorageError` where the key that they were made by is lost."""
        found = first_row(cursor, FINGERPRINT)
        if found is None:
            return False
        if self._key is None:
            key = self._kept() if self._path.exists() else b""
            if _fingerprint(key) != found[0]:
                raise StorageError(
                    f"{self._path} is not the key that the values in events.duckdb were hashed by",
                    hint="put it back from a copy: without it whoever comes back would be counted twice",
                )
            self._key = key
        return True

    def of(self, tenant: str, entity: str, value: str) -> str:
        """What stands in the place of a value; only where there are hashes, or they have begun."""
        assert self._key is not None, "`begin` or `exist` comes first"
        told = "\x00".join((tenant, entity, value)).encode()
        return HASHED + blake2b(told, key=self._key, digest_size=16).hexdigest()

    def forms(self, cursor: Cursor, tenant: str, entity: str, value: str) -> Sequence[str]:
        """How a value may stand in the dictionary."""
        return [value, self.of(tenant, entity, value)] if self.exist(cursor) else [value]

    def _kept(self) -> bytes:
        return kept_secret(self._path, "values are hashed", "whoever comes back is counted twice")


def _fingerprint(key: bytes) -> str:
    return blake2b(b"aforo entities", key=key, digest_size=16).hexdigest()
