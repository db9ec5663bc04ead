"""Settings from their sources: command line over environment over `aforo.toml` over default."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, get_type_hints

from aforo.errors import Fault, InvalidSettings, suggestion
from aforo.settings.origin import is_origin
from aforo.settings.tree import Kind, Leaf, Settings, bounds_text, leaves, value_text

T = TypeVar("T")

FILE_NAME = "aforo.toml"
FILE_VARIABLE = "AFORO_CONFIG"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings, and for each key where its value came from."""

    settings: Settings
    sources: Mapping[str, str]

    def shown(self) -> Mapping[str, str]:
        """Every key with its value as text; of a secret only whether it is set."""
        values = dict(_values(self.settings))
        return {
            leaf.key: "(set)" if leaf.about.secret and values[leaf.key] else value_text(values[leaf.key])
            for leaf in leaves()
        }


@dataclass(frozen=True, slots=True)
class _Given:
    """A value that some source brought; `written` where it came as text that is yet to be read."""

    key: str
    place: str  # how faults name it
    source: str
    value: object
    written: bool


def config_file(environ: Mapping[str, str], folder: Path) -> Path | None:
    """The file that AFORO_CONFIG names, else `aforo.toml` in the folder if there is one."""
    if named := environ.get(FILE_VARIABLE):
        return Path(named)
    found = folder / FILE_NAME
    return found if found.is_file() else None


def load(environ: Mapping[str, str], toml_path: Path | None, overrides: Mapping[str, object]) -> Resolved:
    """The settings from all sources; everything that is wrong with them is told at once.

    An environment variable without content and an override of None count as not given.
    """
    faults: list[Fault] = []
    known = {leaf.key: leaf for leaf in leaves()}
    values = {key: leaf.default for key, leaf in known.items()}
    sources = dict.fromkeys(known, "default")
    for given in (*_from_file(toml_path, faults), *_from_environment(environ), *_from_overrides(overrides)):
        leaf = known.get(given.key)
        if leaf is None:
            faults.append(_unknown(given, known))
            continue
        try:
            values[given.key] = _read(leaf, given)
        except ValueError as wrong:
            came = "what came" if leaf.about.secret else repr(given.value)
            faults.append(Fault(given.place, "wrong_value", f"{came} is not {wrong}"))
        sources[given.key] = given.source
    if not faults:
        settings = _build(Settings, values)
        faults.extend(_contradictions(settings))
        if not faults:
            return Resolved(settings, MappingProxyType(sources))
    raise InvalidSettings("these settings cannot be used", faults=faults)


def _from_overrides(overrides: Mapping[str, object]) -> Iterator[_Given]:
    for key, value in overrides.items():
        if value is not None:
            yield _Given(key, key, "command line", value, isinstance(value, str))


def _from_environment(environ: Mapping[str, str]) -> Iterator[_Given]:
    keys = {leaf.env: leaf.key for leaf in leaves()}
    for name, value in sorted(environ.items()):
        if (name in keys or name.startswith("AFORO_")) and name != FILE_VARIABLE and value:
            yield _Given(keys.get(name, name), name, f"environment {name}", value, True)


def _from_file(path: Path | None, faults: list[Fault]) -> Iterator[_Given]:
    if path is None:
        return
    try:
        text = path.read_text(encoding="utf-8")
        table: dict[str, object] = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        faults.append(Fault(str(path), "unreadable", f"cannot be read: {cause}"))
        return
    sections = {leaf.key.partition(".")[0] for leaf in leaves() if "." in leaf.key}
    for name, value in table.items():
        if name in sections and isinstance(value, dict):
            for key, each in value.items():
                yield _Given(f"{name}.{key}", f"{path.name}: {name}.{key}", path.name, each, False)
        elif name in sections:
            message = f"{value!r} is not a section: write [{name}] and its keys below"
            faults.append(Fault(f"{path.name}: {name}", "wrong_value", message))
        else:
            yield _Given(name, f"{path.name}: {name}", path.name, value, False)


def _unknown(given: _Given, known: Mapping[str, Leaf]) -> Fault:
    in_environment = given.source.startswith("environment ")
    names = [leaf.env for leaf in known.values()] if in_environment else list(known)
    if not in_environment and "." not in given.key:
        # Of a whole section it is like the name, and not any key below it.
        names = [name.partition(".")[0] for name in names]
    return Fault(given.place, "unknown_name", f"there is no such setting; {suggestion(given.key, names)}")


def _read(leaf: Leaf, given: _Given) -> object:
    """The value as its field's type, within bounds; ValueError says what was wanted."""
    about, bounds = leaf.about, bounds_text(leaf.about)
    wanted = f"a {leaf.kind.value}" if leaf.kind is not Kind.WORDS else f"a list of {leaf.kind.value}"
    try:
        value = _READERS[leaf.kind](given.value, given.written)
    except (ValueError, RuntimeError) as cause:
        raise ValueError(f"{wanted} ({bounds})" if bounds else wanted) from cause
    if isinstance(value, int | float) and about.least is not None and about.most is not None:
        # Said this way round so that `nan` is out of bounds.
        allowed = about.least <= value <= about.most
    elif isinstance(value, str):
        allowed = (not about.choices or value in about.choices) and (
            not about.prefixes or value.startswith(about.prefixes)
        )
    else:
        allowed = True
    if not allowed:
        raise ValueError(f"allowed ({bounds})")
    return value


def _whole(value: object, written: bool) -> int:
    if written and isinstance(value, str):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(value)


def _number(value: object, written: bool) -> float:
    if (written and isinstance(value, str)) or (
        isinstance(value, int | float) and not isinstance(value, bool)
    ):
        return float(value)
    raise ValueError(value)


def _text(value: object, _written: bool) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ValueError(value)


def _path(value: object, written: bool) -> Path:
    return (value if isinstance(value, Path) else Path(_text(value, written))).expanduser()


def _words(value: object, written: bool) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [word for word in value.split(",") if word.strip()]
    if isinstance(value, list | tuple):
        return tuple(_text(word, written) for word in value)
    raise ValueError(value)


_READERS: Mapping[Kind, Callable[[object, bool], object]] = {
    Kind.WHOLE: _whole,
    Kind.NUMBER: _number,
    Kind.TEXT: _text,
    Kind.PATH: _path,
    Kind.WORDS: _words,
}


def _contradictions(settings: Settings) -> Iterator[Fault]:
    """What is wrong only of two settings together, or of a part of one."""
    most, room = settings.http.max_events_per_request, settings.intake.queue_rows
    if most > room:
        message = f"{room} is less than http.max_events_per_request ({most}): such a request would never fit"
        yield Fault("intake.queue_rows", "contradiction", message)
    beat, lease = settings.worker.heartbeat_seconds, settings.runs.lease_seconds
    if settings.worker.parallel and beat >= lease / 2:
        message = (
            f"{beat:g} came, wanted less than half of runs.lease_seconds ({lease:g}): one late heartbeat "
            f"would lose a run that goes on; set it below {lease / 2:g}, or the lease above {2 * beat:g}"
        )
        yield Fault("worker.heartbeat_seconds", "contradiction", message)
    left, days = settings.runs.leftovers_seconds, settings.runs.log_days
    if days and left >= days * 86_400:
        message = (
            f"{left:g} came, wanted less than the {days * 86_400} s of runs.log_days ({days}): the log tells "
            "whose files are to be removed, and would be gone; lower it, or keep the log for longer"
        )
        yield Fault("runs.leftovers_seconds", "contradiction", message)
    for origin in settings.access.cors_origins:
        if not is_origin(origin):
            message = f"{origin!r} is not an origin: scheme and host, as in https://app.example"
            yield Fault("access.cors_origins", "wrong_value", message)


def _build(section: Callable[..., T], values: Mapping[str, object], prefix: str = "") -> T:
    built: dict[str, object] = {}
    for name, hint in get_type_hints(section).items():
        key = prefix + name
        nested = isinstance(hint, type) and dataclasses.is_dataclass(hint)
        built[name] = _build(hint, values, key + ".") if nested else values[key]
    return section(**built)


def _values(settings: Settings) -> Iterator[tuple[str, object]]:
    for leaf in leaves():
        value: object = settings
        for name in leaf.key.split("."):
            value = getattr(value, name)
        yield leaf.key, value
