"""The command line: one file a command, the same verbs over a data directory and over a server."""

from aforo.cli.app import main

__all__ = ["main"]
