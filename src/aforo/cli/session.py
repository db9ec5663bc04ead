"""What one call of the command line has: its settings, the way to write, and what it works on.

The assembly brings all rooms with it, which takes most of a second. It is imported when there is something to
work on, so that help, the version and a command that is spelled wrong do not wait for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aforo.cli.output import Format
from aforo.clock import SystemClock
from aforo.settings import Resolved, Settings, config_file, load

if TYPE_CHECKING:
    from aforo.assembly import Control, Local, Reach, Running


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
        from aforo.assembly import reach

        settings = self._begun(self.resolved().settings)
        reached = reach(settings, SystemClock())
        try:
            yield reached
        finally:
            reached.close()

    @contextmanager
    def controlling(self) -> Iterator[Control]:
        """Keys and audit, of the server that holds the data directory or of the directory."""
        from aforo.assembly import control

        settings = self._begun(self.resolved().settings)
        controlled = control(settings, SystemClock())
        try:
            yield controlled
        finally:
            controlled.close()

    @contextmanager
    def running(self) -> Iterator[Running]:
        """Runs, of the server that holds the data directory or of the store."""
        from aforo.assembly import running

        settings = self._begun(self.resolved().settings)
        running_ = running(settings, SystemClock())
        try:
            yield running_
        finally:
            running_.close()

    def work(self, on_ready: Callable[[str], None]) -> None:
        """Computes runs until told to stop; `on_ready` is told where the store is."""
        from aforo.assembly.working import work

        work(self._begun(self.resolved().settings), SystemClock(), on_ready)

    @contextmanager
    def holding(self, **told: object) -> Iterator[Local]:
        """The data directory itself. Raises `DataInUse` where a server has it."""
        from aforo.assembly import Local

        local = Local(self._begun(self.resolved(**told).settings), SystemClock())
        try:
            yield local
        finally:
            local.close()

    @staticmethod
    def _begun(settings: Settings) -> Settings:
        from aforo.telemetry import configure_logging

        configure_logging(settings.log.level, settings.log.format, sys.stderr)
        return settings
