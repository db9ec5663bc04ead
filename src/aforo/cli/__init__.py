"""The command line: one file a command, the same verbs over a data directory and over a server."""

import gc
from collections.abc import Sequence

from aforo.cli.lean import keep_out


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code."""
    keep_out()
    # Most of what a command makes are modules, which stay until the end: looking through them for garbage at
    # every 700 objects takes a seventh of the time to import them.
    gc.set_threshold(10_000)
    from aforo.cli.app import run

    run(arguments)
