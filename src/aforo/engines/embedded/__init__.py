"""The default engine: DuckDB in the server's own process, one file, one writing thread."""

from aforo.engines.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
