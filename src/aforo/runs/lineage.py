"""What metrics are made from, and what is made from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from aforo.errors import Conflict, UnknownName


class Graph:
    """Which codes each metric uses: series, or other metrics; a code that is no metric uses nothing."""

    def __init__(self, uses: Mapping[str, Iterable[str]]) -> None:
        self._uses = {code: sorted(set(used)) for code, used in sorted(uses.items())}
        for used in [*self._uses.values()]:
            self._uses |= {code: [] for code in used if code not in self._uses}
        self._used_by: dict[str, list[str]] = {code: [] for code in self._uses}
        for code, used in self._uses.items():
            for each in used:
                self._used_by[each].append(code)

    def cycle(self) -> tuple[str, ...] | None:
        """A metric that uses itself, through which others, as (A, B, A): A uses B and B uses A; else None."""
        return _cycle(self._uses)

    def up(self, code: str) -> tuple[str, ...]:
        """All that a code is made from, each after what it is itself made from.

        UnknownName where nothing of that code is there, Conflict where the way goes in a ring.
        """
        return self._ordered(code, self._uses)

    def down(self, code: str) -> tuple[str, ...]:
        """All that is made from a code, each after what it is itself made from; raises as `up` does."""
        return self._ordered(code, self._used_by)

    def _ordered(self, code: str, towards: Mapping[str, list[str]]) -> tuple[str, ...]:
        if code not in self._uses:
            raise UnknownName.of("series or metric", code, self._uses)
        met = _met(code, towards)
        part = {each: [used for used in self._uses[each] if used in met] for each in sorted(met)}
        ring = _cycle(part)
        if ring is not None:
            raise Conflict(f"these metrics use each other in a ring: {' → '.join(ring)}", hint=BREAK_IT)
        return tuple(each for each in TopologicalSorter(part).static_order() if each != code)


BREAK_IT = "let one of them use series instead of the next"


def _met(code: str, towards: Mapping[str, list[str]]) -> set[str]:
    """Everything that can be reached from a code, itself included."""
    met, waiting = {code}, [code]
    while waiting:
        reached = [each for each in towards[waiting.pop()] if each not in met]
        met.update(reached)
        waiting += reached
    return met


def _cycle(uses: Mapping[str, list[str]]) -> tuple[str, ...] | None:
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        # Each of its nodes is used by the next one; told the other way round, each uses the next.
        ring = error.args[1][:0:-1]
        first = ring.index(min(ring))
        return (*ring[first:], *ring[: first + 1])
    return None
