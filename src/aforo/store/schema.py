"""The whole schema; a test compares it with what the migrations make."""

from aforo.store import run_tables, tables
from aforo.store.metadata import metadata

__all__ = ["metadata", "run_tables", "tables"]
