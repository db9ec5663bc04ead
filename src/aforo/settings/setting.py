"""One setting at its field: what it means, and what may stand there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class About:
    """What stands at a setting's field, beside its type and default."""

    sentence: str
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    secret: bool = False
    env: str = ""  # the environment variable, where it is not named after the key


def setting(
    default: T,
    sentence: str,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
    prefixes: tuple[str, ...] = (),
    secret: bool = False,
    env: str = "",
) -> T:
    about = About(sentence, least, most, choices, prefixes, secret, env)
    return field(default=default, metadata={"about": about}, repr=not secret)
