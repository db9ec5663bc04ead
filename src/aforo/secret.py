"""A secret of 32 bytes in a file: made once, and kept for its owner only."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from aforo.errors import StorageError

SECRET_BYTES = 32


def kept_secret(path: Path, purpose: str, without: str) -> bytes:
    """The secret in the file, which is made where there is none. Raises StorageError.

    `purpose` says what it is for, `without` what its loss means.
    """
    try:
        return _read(path, purpose, without) if path.exists() else _made(path, purpose, without)
    except OSError as error:
        raise StorageError(
            f"the secret that {purpose} with cannot be kept in {path.parent}: {error.strerror or error}",
            hint="is the data directory yours, and is there room on its disk?",
        ) from error


def _read(path: Path, purpose: str, without: str) -> bytes:
    root = path.read_bytes()
    if len(root) != SECRET_BYTES:
        raise StorageError(
            f"{path} holds {len(root)} bytes, wanted {SECRET_BYTES}: {purpose} with it",
            hint=f"put it back from a copy; without it {without}: then remove it",
        )
    return root


def _made(path: Path, purpose: str, without: str) -> bytes:
    """Written whole under another name first: of two that make it at once one wins, and both have it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(8)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(written, path)
    finally:
        written.unlink()
    _sync(path.parent)
    return _read(path, purpose, without)


def _sync(folder: Path) -> None:
    """Makes the name as durable as what it names."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
