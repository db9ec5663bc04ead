"""What PostgreSQL, or the way to it, says when something goes wrong, as a person can act on it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy.exc import DataError, DBAPIError, OperationalError, ProgrammingError

from aforo.errors import (
    AforoError,
    InvalidRequest,
    InvalidSettings,
    StorageError,
    StorageFull,
    StoreUnavailable,
)

LOCK_SECONDS = 10.0
"""How long a statement waits for what another transaction holds."""
STATEMENT_SECONDS = 30.0
"""How long a statement may take."""
IDLE_SECONDS = 30.0
"""After which the server ends a transaction whose process was stopped or is gone: it may hold locks."""


@dataclass(frozen=True, slots=True)
class _Told:
    """An error for what the server said; `{place}` and `{said}` stand for themselves."""

    error: type[StorageError]
    detail: str
    hint: str

    def of(self, place: str, said: str) -> StorageError:
        return self.error(self.detail.format(place=place, said=said), hint=self.hint.format(place=place))


_DEADLOCK = _Told(
    StoreUnavailable,
    "two transactions of {place} were in each other's way; this one was rolled back",
    "ask again",
)
_NONE_FREE = _Told(
    StoreUnavailable,
    "{place} has no connection free: {said}",
    "end other programs, or raise max_connections of the server",
)
_REFUSED = _Told(
    StorageError,
    "{place} lets nobody in: {said}",
    "see to the user, password and database that `store` names; the database must be there already",
)

# By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_STATE = MappingProxyType(
    {
        "25006": _Told(
            StorageError, "{place} takes no writes: {said}", "name the primary, not a standby of it"
        ),
        "25P03": _Told(
            StoreUnavailable,
            f"{{place}} ended a transaction that had stood still for {IDLE_SECONDS:g} s",
            "ask again",
        ),
        "40001": _DEADLOCK,
        "40P01": _DEADLOCK,
        "42501": _Told(StorageError, "{place}: {said}", "the user must own the database, or its schema"),
        "53100": _Told(
            StorageFull,
            "the disk that holds {place} is full; what was being written was rolled back",
            "free space and ask again",
        ),
        "53300": _NONE_FREE,
        "55P03": _Told(
            StoreUnavailable, f"{{place}} was held by another writer for {LOCK_SECONDS:g} s", "ask again"
        ),
        "57014": _Told(
            StoreUnavailable, f"{{place}} gave no answer within {STATEMENT_SECONDS:g} s", "ask again"
        ),
        "58030": _Told(StorageError, "{place} cannot be used: {said}", "see to the disk of the server"),
    }
)
# Where no connection came to be there is no SQLSTATE, only what the server said.
_BY_WORDS = (
    ("too many", _NONE_FREE),  # of the server, the database or the role
    ("connection slots", _NONE_FREE),
    ("authentication failed", _REFUSED),
    ("no password supplied", _REFUSED),
    ("does not exist", _REFUSED),
    ("pg_hba.conf", _REFUSED),
)
_NOT_KEPT = frozenset({"22001", "22003"})  # too long a text, too large a number
_OPTIONS = ("invalid connection option", "bad value for")
_LOST = _Told(
    StoreUnavailable,
    "the connection to {place} was lost: {said}",
    "ask again; what was being written is there as a whole or not at all",
)
_AWAY = _Told(
    StoreUnavailable,
    "{place} does not answer: {said}",
    "see whether it runs there, and that it can be reached",
)


def told_of(place: str, error: DBAPIError) -> AforoError | None:
    """The error for a person; None where it is a fault of this program."""
    said = " ".join(str(error.orig).split())
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is not None and state in _BY_STATE:
        return _BY_STATE[state].of(place, said)
    if error.connection_invalidated:
        return _LOST.of(place, said)
    if state is None and isinstance(error, OperationalError):
        words = said.casefold()
        return next((told for word, told in _BY_WORDS if word in words), _AWAY).of(place, said)
    if isinstance(error, DataError) and (state in _NOT_KEPT or "NUL" in said):
        return InvalidRequest(f"a value cannot be kept: {said}", hint="send a shorter one, without NUL")
    if isinstance(error, ProgrammingError) and said.startswith(_OPTIONS):
        return InvalidSettings(
            f"store names {place} with an option that cannot be used: {said}",
            hint="options are those of libpq, as in ?sslmode=require",
        )
    return None
