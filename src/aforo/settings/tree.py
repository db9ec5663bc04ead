"""The sections as one frozen tree, and its leaves for those who read, describe and document them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import get_type_hints

from aforo.settings.run_sections import Aws, Buses, Runs, Worker
from aforo.settings.sections import (
    Access,
    AccessLog,
    Backfill,
    Cache,
    Compaction,
    Drift,
    Engine,
    Fold,
    Http,
    Intake,
    Log,
    Questions,
    Retention,
    Stop,
    Web,
)
from aforo.settings.setting import About, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings; made by `load`, handed down, never changed."""

    data: Path = setting(Path("./aforo-data"), "The data directory.")  # noqa: RUF009  (a field)
    url: str | None = setting(
        None, "A server to work through instead of a data directory.", prefixes=("http://", "https://")
    )
    key: str | None = setting(None, "The key shown to a server; never printed.", secret=True)
    models: Path | None = setting(  # noqa: RUF009  (a field)
        None, "Folder of model files; none means `models` in the data directory."
    )
    store: str | None = setting(
        None,
        "URL of the database of keys, audit and runs: SQLite, or PostgreSQL 15 and later; "
        "none means `control.db` in the data directory.",
        prefixes=("sqlite:///", "postgresql://", "postgresql+psycopg://"),
        secret=True,
    )
    packs: tuple[str, ...] = setting(
        ("flights", "projects", "web"), "Packs whose models are there from the start."
    )
    http: Http = field(default_factory=Http)
    access: Access = field(default_factory=Access)
    intake: Intake = field(default_factory=Intake)
    access_log: AccessLog = field(default_factory=AccessLog)
    engine: Engine = field(default_factory=Engine)
    fold: Fold = field(default_factory=Fold)
    retention: Retention = field(default_factory=Retention)
    backfill: Backfill = field(default_factory=Backfill)
    drift: Drift = field(default_factory=Drift)
    compaction: Compaction = field(default_factory=Compaction)
    questions: Questions = field(default_factory=Questions)
    web: Web = field(default_factory=Web)
    cache: Cache = field(default_factory=Cache)
    runs: Runs = field(default_factory=Runs)
    worker: Worker = field(default_factory=Worker)
    buses: Buses = field(default_factory=Buses)
    aws: Aws = field(default_factory=Aws)
    stop: Stop = field(default_factory=Stop)
    log: Log = field(default_factory=Log)

    @property
    def model_folder(self) -> Path:
        """The folder of model files, whether it was set or not."""
        return self.data / "models" if self.models is None else self.models


class Kind(Enum):
    """What a setting's value is, as people say it."""

    WHOLE = "whole number"
    NUMBER = "number"
    TEXT = "text"
    PATH = "path"
    WORDS = "words with commas between"


_KIND_OF_TYPE: tuple[tuple[object, Kind], ...] = (
    (int, Kind.WHOLE),
    (float, Kind.NUMBER),
    (str, Kind.TEXT),
    (str | None, Kind.TEXT),
    (Path, Kind.PATH),
    (Path | None, Kind.PATH),
    (tuple[str, ...], Kind.WORDS),
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting: its key with dots, what it is, and its default."""

    key: str
    kind: Kind
    default: object
    about: About

    @property
    def env(self) -> str:
        """Its environment variable."""
        return self.about.env or env_name(self.key)


def leaves(section: type = Settings, prefix: str = "") -> Iterator[Leaf]:
    """Every setting, in the order it is declared."""
    hints = get_type_hints(section)
    for each in dataclasses.fields(section):
        hint, key = hints[each.name], prefix + each.name
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from leaves(hint, key + ".")
        else:
            kind = next(kind for known, kind in _KIND_OF_TYPE if known == hint)
            yield Leaf(key, kind, each.default, each.metadata["about"])


def env_name(key: str) -> str:
    """The environment variable of a setting that names no other: `http.port` is AFORO_HTTP_PORT."""
    return "AFORO_" + key.upper().replace(".", "_")


@dataclass(frozen=True, slots=True)
class Described:
    """One setting in words, for the reference page and the doctor."""

    key: str
    env: str
    type: str
    default: str
    bounds: str
    sentence: str


def describe() -> tuple[Described, ...]:
    """Every setting in words, in the order it is declared."""
    return tuple(
        Described(
            leaf.key,
            leaf.env,
            leaf.kind.value,
            value_text(leaf.default),
            bounds_text(leaf.about),
            leaf.about.sentence,
        )
        for leaf in leaves()
    )


def value_text(value: object) -> str:
    """A setting's value as it would be written."""
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)


def bounds_text(about: About) -> str:
    """What values are allowed: `0 to 65535`, `text or json`, or nothing where all are."""
    if about.choices:
        return " or ".join(about.choices)
    if about.prefixes:
        return "begins with " + " or ".join(about.prefixes)
    if about.least is None or about.most is None:
        return ""
    return f"{about.least} to {about.most}"
