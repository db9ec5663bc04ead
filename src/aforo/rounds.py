"""The thread of a part that works in rounds, one after another until it is stopped, whatever one meets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event, Thread
from typing import TypeVar

import structlog

from aforo.errors import AforoError, StorageError

log = structlog.get_logger(__name__)

T = TypeVar("T")


def each(work: str, these: Iterable[T], do: Callable[[T], bool]) -> int:
    """How many of these something was done for; one that fails is told, and holds none of the others back.

    Raises StorageError, which every other would meet too.
    """
    return sum(_done(work, one, do) for one in these)


def _done(work: str, one: T, do: Callable[[T], bool]) -> bool:
    try:
        return do(one)
    except StorageError:
        raise
    except Exception:
        log.exception(f"{work} failed for one", one=str(one))
        return False


class Rounds:
    """Calls `once` again and again; it tells the seconds until the next round, None: until it is woken.

    `work` names it in logs and of its thread. A round that fails is told and tried again after
    `again_seconds`. The first one begins `first_after_seconds` after the start, or when it is woken.
    """

    def __init__(
        self,
        work: str,
        once: Callable[[], float | None],
        *,
        again_seconds: float,
        first_after_seconds: float = 0.0,
    ) -> None:
        self._work = work
        self._once = once
        self._again_seconds = again_seconds
        self._first_after_seconds = first_after_seconds
        self._woken = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=f"aforo-{work.replace(' ', '-')}", daemon=True)

    @property
    def started(self) -> bool:
        return self._thread.ident is not None

    @property
    def stopping(self) -> bool:
        """Whether a round is to end as soon as it can."""
        return self._stopping.is_set()

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Says that the next round need not wait."""
        self._woken.set()

    def rest(self, seconds: float) -> None:
        """Waits within a round, no longer than until it is stopped."""
        self._stopping.wait(seconds)

    def close(self) -> None:
        """Begins no other round; the one under way is not waited for."""
        self._stopping.set()
        self._woken.set()

    def stop(self) -> None:
        """Ends after the round under way, whether it was ever started or not."""
        self.close()
        if self.started:
            self._thread.join()

    def _run(self) -> None:
        wait: float | None = self._first_after_seconds
        while True:
            self._woken.wait(wait)
            self._woken.clear()
            if self.stopping:
                return
            wait = self._round()

    def _round(self) -> float | None:
        try:
            return self._once()
        except AforoError as error:
            log.error(f"{self._work} failed", code=error.code, detail=error.detail, hint=error.hint)
        except Exception:
            # A mistake of ours must not end the work for good either; the trace names it.
            log.exception(f"{self._work} failed")
        return self._again_seconds
