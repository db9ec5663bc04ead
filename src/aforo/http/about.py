"""What the reference says of a route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from aforo.errors import AforoError

Examples: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Content:
    """A body in one media type: the types it may be of (none: a text), and examples by their titles."""

    media_type: str
    types: tuple[type, ...]
    examples: Examples = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the reference says of a route; `path` explains the names in its path, `query` its parameters."""

    tag: str
    summary: str
    description: str
    body: tuple[Content, ...] = ()
    body_optional: bool = False
    status: int = 200
    reply: Content
    errors: tuple[type[AforoError], ...] = ()
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
