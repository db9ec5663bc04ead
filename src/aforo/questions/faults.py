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
        several = len(self._met) > 1
        faults = [fault for path, error in self._met for fault in _faults_of(path, error, hinted=several)]
        first = self._met[0][1]
        if not several:
            first.faults = tuple(faults)
            raise first
        raise InvalidRequest(
            f"{len(faults)} things are wrong with this question", hint=first.hint, faults=faults
        )


def _faults_of(path: str, error: InvalidRequest, *, hinted: bool) -> tuple[Fault, ...]:
    """What is wrong, at the place that the error itself names where it does; each with its own hint."""
    if len(error.faults) > 1:
        return error.faults
    place = error.faults[0].path if error.faults else path
    told = f"{error.detail} ({error.hint})" if error.hint and hinted else error.detail
    return (Fault(place, error.code, told),)
