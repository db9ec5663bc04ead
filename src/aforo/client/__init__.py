"""The Python client: speaks to a server over HTTP and imports nothing of the rest."""

from aforo.client.connection import Connection, NoAnswer, Problem

__all__ = ["Connection", "NoAnswer", "Problem"]
