"""The secret that a tenant's salts are made of: made once, kept in the data directory for its owner only."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from aforo.secret import SECRET_BYTES, kept_secret

ROOT_BYTES = SECRET_BYTES


def root_secret(folder: Path, tenant: str, given: str | None) -> bytes:
    """The tenant's secret of 32 bytes: made of `given`, else kept in the folder. Raises StorageError."""
    if given is not None:
        given_key = blake2b(given.encode(), digest_size=ROOT_BYTES).digest()
        return blake2b(tenant.encode(), key=given_key, digest_size=ROOT_BYTES).digest()
    path = folder / blake2b(tenant.encode(), digest_size=16).hexdigest()
    return kept_secret(path, "visitors' hashes are salted", "known visitors come back as new ones")
