"""Equal content that comes again with neither an id nor a time: for a while it is the event it was before."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from aforo.clock import MICROSECONDS, Clock
from aforo.events.identity import HEX
from aforo.model.stream import Stream

MOST = 1_000_000
"""Contents that are remembered, some 200 bytes each; where more come in time, the oldest go."""

_MADE = re.compile(rf"([0-9a-f]{{{HEX}}})-(\d+)")

Kept = Callable[[str, str, int], Iterable[str]]
"""The ids of a stream's and tenant's events that came without a time from an instant on."""


class Echoes:
    """Gives the ids of such events: that of their like if it came a while ago at most, else a new one.

    An id is made of the content's hash and the instant at which it came first, so that what an earlier
    process has kept is known again: it is asked for once, of each stream and tenant. Used by one thread.
    """

    def __init__(self, kept: Kept, clock: Clock, *, most: int = MOST) -> None:
        self._kept = kept
        self._clock = clock
        self._begun = clock.monotonic()
        self._most = most
        self._came: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        self._asked: set[tuple[str, str]] = set()

    def ids(self, stream: Stream, tenants: Sequence[str], contents: Sequence[str], arrival: int) -> list[str]:
        """An id for each content, a hash of HEX digits, that came at `arrival` (microseconds).

        The stream says for how long contents are the same.
        """
        assert stream.same_content_minutes is not None
        reach = stream.same_content_minutes * 60 * MICROSECONDS
        for tenant in set(tenants):
            self._ask(stream.name, tenant, arrival, reach)
        return [
            self._id((stream.name, tenant, content), arrival, reach)
            for tenant, content in zip(tenants, contents, strict=True)
        ]

    def _id(self, key: tuple[str, str, str], arrival: int, reach: int) -> str:
        first = self._came.get(key)
        # A clock may have been set back meanwhile.
        if first is None or abs(arrival - first) > reach:
            first = self._remember(key, arrival)
        return f"{key[2]}-{first}"

    def _remember(self, key: tuple[str, str, str], first: int) -> int:
        self._came.pop(key, None)
        self._came[key] = first
        if len(self._came) > self._most:
            self._came.popitem(last=False)
        return first

    def _ask(self, stream: str, tenant: str, arrival: int, reach: int) -> None:
        """Learns what was kept before this process began, as long as any of it may be of interest."""
        if (stream, tenant) in self._asked:
            return
        if self._clock.monotonic() - self._begun > reach / MICROSECONDS:
            return
        for id_ in self._kept(stream, tenant, arrival - reach):
            made = _MADE.fullmatch(id_)
            if made is not None:
                self._remember((stream, tenant, made[1]), int(made[2]))
        self._asked.add((stream, tenant))
