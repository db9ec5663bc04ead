"""The secret that a tenant's salts are made of: made once, kept in the data directory for its owner only."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from aforo.errors import StorageError

ROOT_BYTES = 32


def root_secret(folder: Path, tenant: str, given: str | None) -> bytes:
    """The tenant's secret of 32 bytes: made of `given`, else kept in the folder. Raises StorageError."""
    if given is not None:
        given_key = blake2b(given.encode(), digest_size=ROOT_BYTES).digest()
        return blake2b(tenant.encode(), key=given_key, digest_size=ROOT_BYTES).digest()
    path = folder / blake2b(tenant.encode(), digest_size=16).hexdigest()
    try:
        return _read(path) if path.exists() else _made(path)
    except OSError as error:
        raise StorageError(
            f"the secret that visitors' hashes are salted with cannot be kept in {folder}: "
            f"{error.strerror or error}",
            hint="is the data directory yours, and is there room on its disk?",
        ) from error


def _read(path: Path) -> bytes:
    root = path.read_bytes()
    if len(root) != ROOT_BYTES:
        raise StorageError(
            f"{path} holds {len(root)} bytes, wanted {ROOT_BYTES}: visitors' hashes are salted with it",
            hint="put it back from a copy; without it known visitors come back as new ones: then remove it",
        )
    return root


def _made(path: Path) -> bytes:
    """Written whole under another name first: of two that make it at once one wins, and both have it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(8)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(ROOT_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(written, path)
    finally:
        written.unlink()
    _sync(path.parent)
    return _read(path)


def _sync(folder: Path) -> None:
    """Makes the name as durable as what it names."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
