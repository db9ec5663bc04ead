"""Collects what is wrong with a question, so that all of it is told at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aforo.errors import Fault, InvalidRequest

T = TypeVar("T")


class Faults:
    """Errors met on the way, each at the place in the question where it stands."""

    def __init__(self) -> None:
        self._met: list[tuple[str, InvalidRequest]] = []

    def taken(self, path: str, step: Callable[[], T]) -> T | None:
        """What the step gives, or None where it raises an InvalidRequest, which is kept."""
        try:
            return step()
        except InvalidRequest as error:
            self._met.append((path, error))
            return None

    def raise_if_any(self) -> None:
        """Raises the only error as it is, or one that lists all of them."""
        if not self._met:
            return
        faults = [Fault(path, error.code, _told(error, self._met)) for path, error in self._met]
        first = self._met[0][1]
        if len(self._met) == 1:
            first.faults = first.faults or tuple(faults)
            raise first
        raise InvalidRequest(
            f"{len(self._met)} things are wrong with this question", hint=first.hint, faults=faults
        )


def _told(error: InvalidRequest, met: list[tuple[str, InvalidRequest]]) -> str:
    return f"{error.detail} ({error.hint})" if error.hint and len(met) > 1 else error.detail
