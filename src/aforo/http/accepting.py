"""What kind of reply a request would rather have (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aforo.errors import NotAcceptable

_ANY = "*/*"


def chosen(accept: Sequence[str], offered: Iterable[str]) -> str:
    """The media type that the `Accept` headers prefer, the first of the offered where they do not care.

    Raises NotAcceptable where they want none of them.
    """
    kinds = tuple(offered)
    ranges = dict(_range(part) for header in accept for part in header.split(",") if part.strip())
    wanted = {kind: _quality(kind, ranges) for kind in kinds} if ranges else dict.fromkeys(kinds, 1.0)
    best = max(kinds, key=lambda kind: wanted[kind])  # the first of equals
    if not wanted[best]:
        came = ", ".join(accept)[:200]
        raise NotAcceptable(f"Accept is {came!r}", hint=f"this is given as {', '.join(kinds)}")
    return best


def _range(text: str) -> tuple[str, float]:
    """A media range in small letters, and how much it is wanted, from 0 to 1."""
    kind, *parameters = (part.strip() for part in text.casefold().split(";"))
    given = dict(part.partition("=")[::2] for part in parameters)
    return kind, _number(given.get("q", "1"))


def _number(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0  # what cannot be read is no wish


def _quality(kind: str, ranges: dict[str, float]) -> float:
    """By the range that names the type most exactly."""
    whole = f"{kind.partition('/')[0]}/*"
    return next((ranges[name] for name in (kind, whole, _ANY) if name in ranges), 0.0)
