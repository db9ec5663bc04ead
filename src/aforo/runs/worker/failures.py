"""How it is told that a run has no result."""

from __future__ import annotations

from aforo.errors import AforoError
from aforo.runs.worker.job import Failed

LONGEST = 1_000
"""Characters of a message; more are not kept of a run."""
MISTAKE = Failed(
    code="internal_error",
    message="a mistake of Aforo's own; the worker's log tells more under the name of the run",
)


def failed(error: AforoError) -> Failed:
    """The failure that an error is: what came, what was wanted, and what to do."""
    message = str(error)
    return Failed(
        code=error.code, message=message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"
    )
