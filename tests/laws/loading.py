"""A process that loads generated batches, saying each acknowledged one aloud before it sends the next.

`python -m tests.laws.loading DIRECTORY BATCHES`; it is there to be killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.engines.gauges import NOON, Sent
from tests.laws.shelf import MODEL, Shelf, as_json, content

from aforo.events.intake import Intake

ROWS = 20  # events in a batch


def batch(number: int) -> list[object]:
    """A batch: five events of the one before it come again, and one is refused."""
    first = number * (ROWS - 5)
    events = [as_json(sent(each)) for each in range(first, first + ROWS)]
    return [*events, {"stream": "no such stream"}]


def sent(number: int) -> Sent:
    """The event of a number: nine of them share a slot."""
    return Sent(id=str(number), time=NOON + number * 100_000_000, fields=content(number))


def different(batches: int) -> int:
    """How many different events there are in the first batches."""
    return batches * (ROWS - 5) + 5 if batches else 0


def load(directory: Path, batches: int) -> None:
    """Loads all batches from the first, folding in the background, and says `acknowledged N` after each."""
    shelf = Shelf(directory, "America/New_York")
    buffer, folder = shelf.buffer(), shelf.folder()
    intake = Intake(MODEL, buffer, shelf.clock, future_seconds=600)
    buffer.start()
    folder.start()
    say("ready")
    for number in range(batches):
        intake.take(batch(number)).result()
        folder.wake()
        say(f"acknowledged {number + 1}")
    buffer.stop(60)
    folder.stop()
    shelf.engine.close()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    load(Path(sys.argv[1]), int(sys.argv[2]))
