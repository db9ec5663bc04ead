"""How many questions of one key may be under way, so that the threads that answer are left to others too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aforo.errors import TooManyRequests
from aforo.questions.proof import Turn


class Turns:
    """At most so many at once for each key, 0 for no limit; for one thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def taken(self, key_id: str | None) -> Iterator[Turn | None]:
        """A turn for as long as it is held, None without a limit; who has no key waits for nobody.

        Raises TooManyRequests.
        """
        if not self._most or key_id is None:
            yield None
            return
        if self._under_way[key_id] >= self._most:
            raise TooManyRequests(
                f"{self._most} questions of this key are under way, as many as may be at once",
                hint="come back once one is answered, or raise access.key_questions_at_once",
            )
        self._under_way[key_id] += 1
        try:
            yield Turn(self._under_way[key_id], self._most)
        finally:
            self._under_way[key_id] -= 1
            if not self._under_way[key_id]:
                del self._under_way[key_id]
