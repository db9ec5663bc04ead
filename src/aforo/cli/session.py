"""What one call of the command line has: its settings, the way to write, and what it works on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aforo.assembly import Control, Local, Reach, control, reach
from aforo.cli.output import Format
from aforo.clock import SystemClock
from aforo.settings import Resolved, Settings, config_file, load
from aforo.telemetry import configure_logging


@dataclass(frozen=True, slots=True)
class Session:
    """Made once, before the command; `overridden` adds what the command itself was told."""

    environ: Mapping[str, str]
    overrides: Mapping[str, object]
    format: Format

    @classmethod
    def of(cls, environ: Mapping[str, str], overrides: Mapping[str, object], format_: Format) -> Session:
        return cls(environ, overrides, format_)

    def resolved(self, **told: object) -> Resolved:
        """The settings with where each came from; `told` are keys with `__` for the dot."""
        mine = {key.replace("__", "."): value for key, value in told.items()}
        return load(self.environ, config_file(self.environ, Path.cwd()), {**self.overrides, **mine})

    @contextmanager
    def reaching(self) -> Iterator[Reach]:
        """The server that holds the data directory, else the directory; let go of at the end."""
        settings = self._begun(self.resolved().settings)
        reached = reach(settings, SystemClock())
        try:
            yield reached
        finally:
            reached.close()

    @contextmanager
    def controlling(self) -> Iterator[Control]:
        """Keys and audit, of the server that holds the data directory or of the directory."""
        settings = self._begun(self.resolved().settings)
        controlled = control(settings, SystemClock())
        try:
            yield controlled
        finally:
            controlled.close()

    @contextmanager
    def holding(self, **told: object) -> Iterator[Local]:
        """The data directory itself. Raises `DataInUse` where a server has it."""
        local = Local(self._begun(self.resolved(**told).settings), SystemClock())
        try:
            yield local
        finally:
            local.close()

    @staticmethod
    def _begun(settings: Settings) -> Settings:
        configure_logging(settings.log.level, settings.log.format, sys.stderr)
        return settings
