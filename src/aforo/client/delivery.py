"""One batch to the server, and which of a few things became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aforo.client.connection import Connection, NoAnswer, Problem
from aforo.client.receipt import Receipt, Refused, event_of, read_receipt

TOO_LARGE = 413
TRY_AGAIN = (408, 429)


@dataclass(frozen=True, slots=True)
class Turned:
    """The server refused the request as a whole: sending it again would change nothing."""

    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The server takes fewer events at once."""


@dataclass(frozen=True, slots=True)
class Later:
    """It is not known to be taken: send it again, after the seconds the server asked for, if it did."""

    why: str
    asked_seconds: float | None = None


Outcome = Receipt | Turned | TooLarge | Later


def deliver(connection: Connection, lines: Sequence[bytes]) -> Outcome:
    """Sends a batch once."""
    try:
        return read_receipt(connection.send_lines(lines), lines)
    except NoAnswer as error:
        return Later(str(error))
    except Problem as problem:
        if problem.status >= 500 or problem.status in TRY_AGAIN:
            return Later(f"{connection.url}: {problem}", problem.retry_after_seconds)
        if problem.status == TOO_LARGE and len(lines) > 1:
            return TooLarge()
        code = str(problem.body.get("code") or f"status_{problem.status}")
        return Turned(tuple(Refused(event_of(line), code, str(problem)) for line in lines))
