"""The command line: one file a command, the same verbs over a data directory and over a server."""

import gc
from collections.abc import Sequence

from aforo.cli.lean import keep_out


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code."""
    keep_out()
    # What is imported stays until the end: looking through it for garbage again and again only takes time.
    gc.disable()
    # Imported only now, since most of it imports pyarrow.
    from aforo.cli.app import run

    gc.enable()
    run(arguments)
