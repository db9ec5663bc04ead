"""One frozen tree of settings, and the one way to read it."""

from aforo.settings.origin import is_origin
from aforo.settings.reading import Resolved, config_file, load
from aforo.settings.run_sections import Aws, Buses, Runs, Worker
from aforo.settings.sections import (
    Access,
    Backfill,
    Drift,
    Engine,
    Fold,
    Http,
    Intake,
    Log,
    Questions,
    Stop,
    Web,
)
from aforo.settings.tree import Described, Settings, describe, env_name

__all__ = [
    "Access",
    "Aws",
    "Backfill",
    "Buses",
    "Described",
    "Drift",
    "Engine",
    "Fold",
    "Http",
    "Intake",
    "Log",
    "Questions",
    "Resolved",
    "Runs",
    "Settings",
    "Stop",
    "Web",
    "Worker",
    "config_file",
    "describe",
    "env_name",
    "is_origin",
    "load",
]
