"""Named questions that are asked before anybody does: at the start, and after folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

from aforo.errors import AforoError, Fault, InvalidSettings
from aforo.questions.asked import Asked, decode
from aforo.rounds import Rounds
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

SHAPE = 'for example {"board": {"tenant": "nyc", "metrics": ["flights"], "grain": "day"}}'


class Warmer:
    """Asks named questions whenever it is woken, `after_seconds` apart, so that their answers are kept."""

    def __init__(
        self,
        questions: Mapping[str, Asked],
        ask: Callable[[Asked], object],
        telemetry: Telemetry,
        *,
        after_seconds: float,
    ) -> None:
        self._questions = questions
        self._ask = ask
        self._telemetry = telemetry
        self._after_seconds = after_seconds
        self._rounds = Rounds("warming", self._round, again_seconds=after_seconds)

    def start(self) -> None:
        """Asks everything once, and from now on after each waking; without questions it does nothing."""
        if self._questions:
            self._rounds.start()

    def wake(self) -> None:
        """Says that answers may have changed."""
        self._rounds.wake()

    def stop(self) -> None:
        """Ends after the question that is under way."""
        self._rounds.stop()

    def run_once(self) -> int:
        """Asks every question; how many were answered. What is refused is told in the log."""
        answered = 0
        for name, question in self._questions.items():
            if self._rounds.stopping:
                break
            try:
                self._ask(question)
            except AforoError as error:
                log.warning("not warmed", question=name, code=error.code, detail=error.detail)
                continue
            answered += 1
        self._telemetry.count("cache_warmed_total", answered)
        return answered

    def _round(self) -> None:
        self.run_once()
        self._rounds.rest(self._after_seconds)


def read_named(path: Path) -> dict[str, Asked]:
    """The questions of a JSON file, by name. Raises InvalidSettings with the faults of all of them."""
    try:
        named = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidSettings(f"cache.warm is {path}, which cannot be read: {error}", hint=SHAPE) from error
    if not isinstance(named, dict):
        raise InvalidSettings(f"cache.warm is {path}, which holds no named questions", hint=SHAPE)
    read: dict[str, Asked] = {}
    faults: list[Fault] = []
    for name, question in named.items():
        try:
            read[name] = decode(question)
        except AforoError as error:
            faults.append(Fault(name, error.code, error.detail))
    if faults:
        raise InvalidSettings(f"cache.warm is {path}, and not all of it can be asked", faults=faults)
    return read
