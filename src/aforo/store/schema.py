"""The whole schema; a test compares it with what the migrations make."""

from aforo.store import bus_tables, run_tables, tables
from aforo.store.metadata import metadata

__all__ = ["bus_tables", "metadata", "run_tables", "tables"]
