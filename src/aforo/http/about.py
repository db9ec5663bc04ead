"""What the reference says of a route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from aforo import errors
from aforo.errors import AforoError

Examples: TypeAlias = Mapping[str, object]


OF_BODIES = (
    errors.NotJson,
    errors.NotInflatable,
    errors.BodyTooLarge,
    errors.BodyTooSlow,
    errors.UnsupportedBody,
    errors.IntakeFull,
)
"""What whoever sends a body may meet, whatever it is for."""


@dataclass(frozen=True, slots=True)
class Content:
    """A body in one media type: the types it may be of (none: a text), and examples by their titles."""

    media_type: str
    types: tuple[type, ...]
    examples: Examples = field(default_factory=dict)
    binary: bool = False  # and no text


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the reference says of a route; `path` and `query` explain the names in its path and its query.

    `also` are what the reply may be written as instead, where the request wants that, and `headers` what may
    stand in its headers.
    """

    tag: str
    summary: str
    description: str
    body: tuple[Content, ...] = ()
    body_optional: bool = False
    status: int = 200
    reply: Content
    also: tuple[Content, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[type[AforoError], ...] = ()
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
