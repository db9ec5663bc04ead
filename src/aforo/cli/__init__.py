"""The command line: one file a command, the same verbs over a data directory and over a server."""

from collections.abc import Sequence

from aforo.cli.lean import keep_out


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code."""
    keep_out()
    # Imported only now, since most of it imports pyarrow.
    from aforo.cli.app import run

    run(arguments)
