"""The lock holds what pyproject.toml asks for, every entry by hash, and names no place it came from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pinned:
    """One entry of the lock: exactly one version, for the machines its marker speaks of."""

    requirement: Requirement
    hashes: int

    @property
    def version(self) -> str:
        (specifier,) = self.requirement.specifier
        assert specifier.operator == "==", f"{self.requirement} is not pinned"
        return specifier.version


def entries() -> Iterator[Pinned]:
    """The lock's entries; a line that goes on ends in a backslash."""
    lines = (line for line in LOCK.splitlines() if not line.lstrip().startswith("#"))
    for entry in "\n".join(lines).replace("\\\n", " ").splitlines():
        if entry.strip():
            yield Pinned(Requirement(HASH.sub("", entry).strip()), len(HASH.findall(entry)))


def asked() -> list[str]:
    """The requirements of the core and of the extras that `make` installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["demo"], *extras["dev"]]


def test_every_entry_is_pinned_and_hashed() -> None:
    pinned = list(entries())
    assert len(pinned) > 40
    assert [str(entry.requirement) for entry in pinned if not entry.version or not entry.hashes] == []


@pytest.mark.parametrize("text", asked())
def test_every_requirement_is_met_by_the_lock(text: str) -> None:
    wanted = Requirement(text)
    held = [
        entry
        for entry in entries()
        if canonicalize_name(entry.requirement.name) == canonicalize_name(wanted.name)
    ]
    assert held, f"requirements.lock has no {wanted.name}: run `make lock`"
    unmet = [entry.version for entry in held if not wanted.specifier.contains(entry.version)]
    assert not unmet, f"requirements.lock holds {wanted.name} {unmet}, wanted is {wanted}: run `make lock`"


@pytest.mark.parametrize("sign", ["://", "index-url", "find-links", "file:", " /", "=/", "@ ", "\\Users"])
def test_no_line_names_a_place(sign: str) -> None:
    assert [line for line in LOCK.splitlines() if sign in line] == []
