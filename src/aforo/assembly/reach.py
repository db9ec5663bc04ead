"""What the command line works on: a data directory it holds itself, or the server that holds it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from aforo.assembly.build import load_model
from aforo.assembly.loading import Loaded, Progress
from aforo.assembly.local import Local
from aforo.assembly.order import LoadOrder
from aforo.assembly.remote import Remote
from aforo.client import Connection, NoAnswer, Problem
from aforo.clock import Clock
from aforo.errors import InvalidSettings
from aforo.events.readers import Chunk
from aforo.settings import Settings

SERVER_FILE = "server.json"
PROBE_SECONDS = 5.0


class Reach(Protocol):
    """The command line's verbs, the same over a data directory and over HTTP; replies are HTTP's JSON."""

    def ask(self, question: Mapping[str, object]) -> dict[str, object]: ...

    def ask_as(self, question: Mapping[str, object], kind: str) -> bytes: ...

    def retention(self, question: Mapping[str, object]) -> dict[str, object]: ...

    def funnel(self, question: Mapping[str, object]) -> dict[str, object]: ...

    def seen(self, asked: Mapping[str, object]) -> dict[str, object]: ...

    def ask_explained(self, question: Mapping[str, object]) -> dict[str, object]: ...

    def explain(self, metric: str, asked: Mapping[str, str]) -> dict[str, object]: ...

    def load(self, chunks: Iterable[Chunk], order: LoadOrder, progress: Progress) -> Loaded: ...

    def fold(self, progress: Callable[[int], None]) -> dict[str, object]: ...

    def drift(self, sample_days: int | None, progress: Callable[[int, int], None]) -> dict[str, object]: ...

    def models(self) -> dict[str, object]: ...

    def refusals(self, asked: Mapping[str, str]) -> dict[str, object]: ...

    def doctor(self) -> dict[str, object]: ...

    def plan_backfill(self, asked: Mapping[str, object]) -> dict[str, object]: ...

    def run_backfill(
        self, asked: Mapping[str, object], progress: Callable[[float], None]
    ) -> dict[str, object]: ...

    def resume_backfill(self, backfill_id: str, progress: Callable[[float], None]) -> dict[str, object]: ...

    def cache(self) -> dict[str, object]: ...

    def clear_cache(self, tag: str | None) -> dict[str, object]: ...

    def erase(self, asked: Mapping[str, object]) -> dict[str, object]: ...

    def close(self) -> None: ...


def reach(settings: Settings, clock: Clock) -> Reach:
    """The server that the settings name or that holds the data directory, else the directory itself."""
    connection = connection_to(settings)
    if connection is not None:
        return Remote(connection, partial(load_model, settings), settings, clock)
    return Local(settings, clock)


def connection_to(settings: Settings) -> Connection | None:
    """The server that the settings name or that holds the data directory, if there is one."""
    return holder(settings.data) if settings.url is None else _named(settings.url, settings.key)


def _named(url: str, key: str | None) -> Connection:
    try:
        return Connection(url, key)
    except ValueError as error:
        raise InvalidSettings(
            f"url is {url!r}, which is no address of a server", hint="for example http://127.0.0.1:8321"
        ) from error


def holder(data: Path) -> Connection | None:
    """The server that says in the data directory that it holds it, if it still answers."""
    try:
        said = json.loads((data / SERVER_FILE).read_text(encoding="utf-8"))
        # Only who wrote the file opens to its token: another server may listen there by now.
        Connection(said["url"], said["token"], timeout_seconds=PROBE_SECONDS).get("/v1/doctor")
        return Connection(said["url"], said["token"])
    except (OSError, ValueError, KeyError, TypeError, NoAnswer, Problem):
        # No file, an unreadable one, or one that a killed server left: then the directory is free or its
        # lock says who holds it.
        return None


@contextmanager
def held(data: Path, url: str, token: str) -> Iterator[None]:
    """Says in the data directory who serves it, readable by its owner only, for as long as that is so."""
    path = data / SERVER_FILE
    written = path.with_suffix(".new")  # whoever reads the file finds it whole or not at all
    written.unlink(missing_ok=True)
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": url, "token": token, "pid": os.getpid()}, file)
    written.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
