"""A place in an expression that is being read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aforo.runs.expression.faults import LONGEST_SHOWN, FaultCode, Faults

if TYPE_CHECKING:
    from aforo.runs.expression.node import Expression


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member stands; what is found there is told, or read as a part of the node around it.

    `parts` are those of the node so far, by their path from it.
    """

    path: str
    faults: Faults
    read_part: Callable[[Place, object], Expression]
    depth: int = 1
    node_path: str = ""
    parts: dict[str, Expression] = field(default_factory=dict)

    def at(self, key: object) -> Place:
        """The place of a member."""
        # Half of a surrogate pair stands in JSON, but in no reply that tells of it.
        shown = str(key)[:LONGEST_SHOWN].encode("utf-8", "backslashreplace").decode("utf-8")
        return self._moved(f"{self.path}.{shown}")

    def item(self, at: int) -> Place:
        """The place of an item of a list."""
        return self._moved(f"{self.path}[{at}]")

    def node(self) -> Place:
        """The same place as that of a node, one level deeper, with parts of its own."""
        return Place(self.path, self.faults, self.read_part, self.depth + 1, self.path)

    def part(self, value: object) -> Expression:
        """The part of the node around that stands here."""
        part = self.read_part(self, value)
        self.parts[self.path.removeprefix(f"{self.node_path}.")] = part
        return part

    def fault(self, code: FaultCode, message: str) -> None:
        """Tells a fault here."""
        self.faults.add(self.path, code, message)

    def unknown(self, code: FaultCode, message: str, word: str, known: Collection[str]) -> None:
        """Tells of a word here that is none of the known."""
        self.faults.unknown(self.path, code, message, word, known)

    def _moved(self, path: str) -> Place:
        return Place(path, self.faults, self.read_part, self.depth, self.node_path, self.parts)
