"""Headers as the server has them: pairs of bytes, names in small letters, of which a request has few."""

from __future__ import annotations

from starlette.types import Scope


def every(scope: Scope, name: bytes) -> list[str]:
    """What all headers of this name say, in order."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def first(scope: Scope, name: bytes, default: str = "") -> str:
    """What the first header of this name says."""
    for key, value in scope["headers"]:
        if key == name:
            said: str = value.decode("latin-1")
            return said
    return default
