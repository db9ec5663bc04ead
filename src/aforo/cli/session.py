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

QUIET = "warning"
"""What a command that ends by itself tells beside its answer, unless a level was chosen."""


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

        settings = _begun(self.resolved(), QUIET)
        reached = reach(settings, SystemClock())
        try:
            yield reached
        finally:
            reached.close()

    @contextmanager
    def controlling(self) -> Iterator[Control]:
        """Keys and audit, of the server that holds the data directory or of the directory."""
        from aforo.assembly import control

        settings = _begun(self.resolved(), QUIET)
        controlled = control(settings, SystemClock())
        try:
            yield controlled
        finally:
            controlled.close()

    @contextmanager
    def running(self) -> Iterator[Running]:
        """Runs, of the server that holds the data directory or of the store."""
        from aforo.assembly import running

        settings = _begun(self.resolved(), QUIET)
        running_ = running(settings, SystemClock())
        try:
            yield running_
        finally:
            running_.close()

    def work(self, on_ready: Callable[[str], None]) -> None:
        """Computes runs until told to stop; `on_ready` is told where the store is."""
        from aforo.assembly.working import work

        work(_begun(self.resolved()), SystemClock(), on_ready)

    @contextmanager
    def holding(self, **told: object) -> Iterator[Local]:
        """The data directory itself. Raises `DataInUse` where a server has it."""
        from aforo.assembly import Local

        local = Local(_begun(self.resolved(**told)), SystemClock())
        try:
            yield local
        finally:
            local.close()


def _begun(resolved: Resolved, unless_told: str | None = None) -> Settings:
    """The settings, with logging begun: at the level that somebody chose, else at `unless_told` if given."""
    from aforo.telemetry import configure_logging

    log = resolved.settings.log
    chosen = resolved.sources["log.level"] != "default"
    level = log.level if chosen or unless_told is None else unless_told
    configure_logging(level, log.format, sys.stderr)
    return resolved.settings
