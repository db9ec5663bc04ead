"""Questions that are the same and wait at once are read once, as commits are written in groups.

Who asks what already waits to be read joins it. Who asks while it is being read waits for the next reading,
which begins when that one has ended: so every answer holds all that was there when it was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar, cast

from aforo.http.hands import Hands
from aforo.telemetry import Telemetry

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Reading:
    """What reads, given for how many, and those who wait for it."""

    read: Callable[[int], object]
    askers: list[asyncio.Future[Any]]

    @property
    def awaited(self) -> list[asyncio.Future[Any]]:
        """Those who have not left."""
        return [asker for asker in self.askers if not asker.done()]


class Readings:
    """Has each question read by one thread at a time, and told to all who waited when it began."""

    def __init__(self, hands: Hands, telemetry: Telemetry) -> None:
        self._hands = hands
        self._telemetry = telemetry
        self._lock = Lock()  # a reading begins in another thread, and from then on nobody joins it
        self._waiting: dict[Hashable, _Reading] = {}
        self._readers: dict[Hashable, asyncio.Task[None]] = {}

    async def told(self, asked: Hashable, read: Callable[[int], T]) -> T:
        """What `read` gives or raises, which is given how many it reads for; called on the loop.

        `asked` names all that the answer depends on, and who may see it. Whoever stops waiting takes nothing
        from the others.
        """
        asker: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        with self._lock:
            waiting = self._waiting.setdefault(asked, _Reading(read, []))
            waiting.askers.append(asker)
        if asked not in self._readers:
            # It begins only once the loop has heard all who have spoken by now.
            self._readers[asked] = asyncio.create_task(self._read_on(asked))
        return cast(T, await asker)

    async def _read_on(self, asked: Hashable) -> None:
        """Reads for those who wait, and then for those who came meanwhile, until nobody has."""
        try:
            while (reading := self._waiting.get(asked)) is not None:
                await self._read(asked, reading)
        finally:
            del self._readers[asked]
            # Whoever waits still will not be read for: the server has ended.
            with self._lock:
                left = self._waiting.pop(asked, None)
            for asker in () if left is None else left.awaited:
                asker.cancel()

    async def _read(self, asked: Hashable, reading: _Reading) -> None:
        def begin() -> object:
            self._close(asked, reading)
            count = len(reading.awaited)
            if not count:
                return None
            if count > 1:
                self._telemetry.count("questions_joined_total", count - 1)
            return reading.read(count)

        try:
            answer = await self._hands.do(begin)
        except BaseException as error:
            self._close(asked, reading)
            for asker in reading.awaited:
                asker.set_exception(error)  # it is theirs who asked, of whatever kind
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            for asker in reading.awaited:
                asker.set_result(answer)

    def _close(self, asked: Hashable, reading: _Reading) -> None:
        """From now on who asks the same waits for another reading."""
        with self._lock:
            if self._waiting.get(asked) is reading:
                del self._waiting[asked]
