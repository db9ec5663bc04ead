"""One mapping of a model file, read key by key with every wrong type told."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

from aforo.errors import suggestion
from aforo.model.findings import FaultCode, Findings
from aforo.model.reading.written import Entries, Items, Node, Text, Unusable, kind_of

Choice = TypeVar("Choice", bound=StrEnum)

_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")


class Section:
    """A mapping at a place of the file; a key not among `keys` is a fault, told with the nearest."""

    def __init__(self, findings: Findings, path: str, node: Node, keys: Iterable[str]) -> None:
        self.path = path
        self._findings = findings
        self._entries = dict(entries(findings, path, node))
        known = tuple(map(str, keys))
        for key in [key for key in self._entries if key not in known]:
            del self._entries[key]
            findings.fault(
                self.place(key),
                FaultCode.UNKNOWN_KEY,
                f"{key!r} means nothing here; {suggestion(key, known)}",
            )

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def place(self, key: str) -> str:
        """The path of one of its keys."""
        return f"{self.path}.{key}" if self.path else key

    def node(self, key: str) -> Node:
        """What was written for a key; Unusable where nothing was."""
        return self._entries.get(key, Unusable())

    def need(self, *keys: str) -> None:
        """A fault for each of the keys that is not there."""
        for key in keys:
            if key not in self:
                self._findings.fault(self.path, FaultCode.MISSING, f"{key!r} is missing")

    def children(self, key: str) -> Iterator[tuple[str, str, Node]]:
        """Name, path and content of each entry of the mapping under a key."""
        if key in self:
            place = self.place(key)
            for name, node in entries(self._findings, place, self._entries[key]):
                yield name, f"{place}.{name}", node

    def text(self, key: str) -> str | None:
        """A text, or None where there is none."""
        node = self.node(key)
        if isinstance(node, Text) and not node.null:
            return node.value
        self._wanted(key, "a text")
        return None

    def truth(self, key: str) -> bool:
        """true or false; false where nothing was said."""
        node = self.node(key)
        if isinstance(node, Text) and node.plain and node.value.casefold() in ("true", "false"):
            return node.value.casefold() == "true"
        self._wanted(key, "true or false")
        return False

    def whole(self, key: str) -> int | None:
        """A whole number, or None where there is none."""
        node = self.node(key)
        if isinstance(node, Text) and node.plain and _WHOLE.fullmatch(node.value):
            return int(node.value)
        self._wanted(key, "a whole number")
        return None

    def number(self, key: str) -> int | float | None:
        """A finite number, whole where it was written so, or None where there is none."""
        node = self.node(key)
        if isinstance(node, Text) and node.plain and _NUMBER.fullmatch(node.value):
            if _WHOLE.fullmatch(node.value):
                return int(node.value)
            if math.isfinite(float(node.value)):
                return float(node.value)
        self._wanted(key, "a number")
        return None

    def choice(self, key: str, of: type[Choice]) -> Choice | None:
        """One word of a closed set, or None where there is none."""
        node = self.node(key)
        if isinstance(node, Text) and not node.null:
            return chosen(self._findings, self.place(key), node.value, of)
        self._wanted(key, f"one of {', '.join(of)}")
        return None

    def names(self, key: str) -> tuple[str, ...] | None:
        """A list of words without repetition, or None where there is none."""
        node = self.node(key)
        if isinstance(node, Items):
            return tuple(self._listed(key, node))
        self._wanted(key, "a list of names")
        return None

    def words(self, key: str) -> Mapping[str, str] | None:
        """A word, or a list of words without repetition, with the place of each; None where there is none."""
        node = self.node(key)
        if isinstance(node, Text) and not node.null:
            return {node.value: self.place(key)}
        if isinstance(node, Items):
            return self._listed(key, node)
        self._wanted(key, "a name or a list of names")
        return None

    def _listed(self, key: str, node: Items) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for index, item in enumerate(node.items):
            place = f"{self.place(key)}[{index}]"
            if not isinstance(item, Text) or item.null:
                self._findings.fault(
                    place, FaultCode.WRONG_TYPE, f"{kind_of(item)} came where a name was wanted"
                )
            elif item.value in found:
                self._findings.fault(place, FaultCode.DUPLICATE, f"{item.value!r} is listed twice")
            else:
                found[item.value] = place
        return found

    def _wanted(self, key: str, what: str) -> None:
        node = self.node(key)
        if not isinstance(node, Unusable):
            message = f"{kind_of(node)} came where {what} was wanted"
            self._findings.fault(self.place(key), FaultCode.WRONG_TYPE, message)


def entries(findings: Findings, path: str, node: Node) -> Iterator[tuple[str, Node]]:
    """The entries of a mapping; a fault where it is none."""
    if isinstance(node, Entries):
        yield from node.entries.items()
    elif not isinstance(node, Unusable):
        findings.fault(path, FaultCode.WRONG_TYPE, f"{kind_of(node)} came where a mapping was wanted")


def chosen(findings: Findings, path: str, word: str, of: type[Choice]) -> Choice | None:
    """The word of a closed set that was written at a place; a fault and None where it is not of the set."""
    if word in set(of):
        return of(word)
    near = suggestion(word, map(str, of))
    message = f"{word!r} came where one of {', '.join(of)} was wanted; {near}"
    findings.fault(path, FaultCode.BAD_VALUE, message)
    return None
