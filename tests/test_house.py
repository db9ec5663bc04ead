"""The house as docs/house.md draws it: who imports whom, who reads the clock, and no ring of imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "aforo"


@dataclass(frozen=True, slots=True)
class Room:
    """One room: its floor, and the rooms it may import from beside the open ones below it."""

    name: str
    floor: int
    uses: frozenset[str]
    built: bool = True


def room(name: str, floor: int, uses: str = "", *, built: bool = True) -> Room:
    return Room(name, floor, frozenset(uses.split()), built)


EVERY_ROOM_BELOW = "*"

HOUSE = {
    each.name: each
    for each in (
        room("cli", 12, "assembly settings client"),
        room("assembly", 11, EVERY_ROOM_BELOW),
        room("http", 10, EVERY_ROOM_BELOW),
        room("dashboard", 10, EVERY_ROOM_BELOW, built=False),
        room("packs", 9, "definitions exports runs questions rollups live events jobs model store"),
        room("runs", 8, "questions rollups jobs buses objects model store"),
        room("definitions", 8, "questions model store objects", built=False),
        room("exports", 8, "questions model store objects", built=False),
        room("questions", 7, "rollups live engines model states"),
        room("rollups", 6, "events engines jobs model states store"),
        room("live", 6, "events model states", built=False),
        room("events", 5, "engines model"),
        room("engines", 4, "model states"),
        room("jobs", 4, "store", built=False),
        room("buses", 4, "store"),
        room("objects", 4, "store"),
        room("model", 3, "states"),
        room("store", 3),
        room("states", 2),
        room("secret", 2),
        room("rounds", 2),
        room("windows", 2),
        room("settings", 2),
        room("errors", 1),
        room("clock", 1),
        room("telemetry", 1),
        room("client", 0),
    )
}
# Open to every room on a higher floor, without being named in its `uses`. `client` stands beside the house.
OPEN = frozenset({"errors", "clock", "telemetry", "secret", "rounds", "windows", "settings"})
# An engine's SQL is behind its protocol: these rooms may know `aforo.engines` and none of the engines in it.
ONLY_THE_PROTOCOL = frozenset({"http", "dashboard"})
# The protocol with the values that pass through it.
THE_PROTOCOL = frozenset(
    f"aforo.{name}"
    for name in (
        "engines",
        "engines.appends",
        "engines.builds",
        "engines.drifted",
        "engines.engine",
        "engines.folds",
        "engines.keeping",
        "engines.reads",
        "engines.refused",
        "engines.statistics",
    )
)

# The client imports nothing of the rest, so it has a clock of its own.
CLOCKS = frozenset({"aforo.clock", "aforo.client.clock"})
SYSTEM_TIME = frozenset(
    {
        *(f"time.{name}" for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")),
        *(f"time.{name}_ns" for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")),
        *(f"time.{name}" for name in ("localtime", "gmtime", "ctime")),
        *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
        "datetime.date.today",
    }
)


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the source, parsed."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str | None:
        """The first word below `aforo`; none for the package's own file."""
        return room_of(self.name)

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def room_of(name: str) -> str | None:
    words = name.split(".")
    if len(words) == 1:
        return None
    return "cli" if words[1] == "__main__" else words[1]


def name_of(path: Path) -> str:
    words = ("aforo", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(words[:-1] if words[-1] == "__init__" else words)


@cache
def modules() -> dict[str, Module]:
    found = (
        Module(name_of(path), path, ast.parse(path.read_text(encoding="utf-8"), str(path)))
        for path in sorted(SOURCE.rglob("*.py"))
    )
    return {module.name: module for module in found}


def imports(module: Module, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """The modules of aforo that the import statements among `nodes` load, with the statement."""
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.at(node)}: write the import from `aforo` on"
            source = node.module or ""
            # `from aforo.model import reading` loads that file, `from aforo.model import Model` the package.
            parts = [f"{source}.{alias.name}" for alias in node.names]
            names = [part if part in modules() else source for part in parts]
        else:
            continue
        yield from ((name, node) for name in names if name == "aforo" or name.startswith("aforo."))


def objection(importer: str, imported: str) -> str | None:
    """Why a module may not import another, or None when it may."""
    here, there = room_of(importer), room_of(imported)
    if there is None or here == there:
        return None
    if here is None:
        return "the package's own file imports nothing"
    if here not in HOUSE or there not in HOUSE:
        return f"{there if here in HOUSE else here} is no room of the house"
    mine, theirs = HOUSE[here], HOUSE[there]
    if here == "client":
        return "client is installed alone and imports nothing of the rest"
    if theirs.floor >= mine.floor:
        return f"{there} (floor {theirs.floor}) is not below {here} (floor {mine.floor})"
    if here in ONLY_THE_PROTOCOL and there == "engines" and imported not in THE_PROTOCOL:
        return f"{here} knows the engines' protocol only"
    if there in OPEN or there in mine.uses or EVERY_ROOM_BELOW in mine.uses:
        return None
    return f"{here} uses {', '.join(sorted(mine.uses)) or 'no other room'}"


def test_every_room_imports_only_from_below_what_the_table_names() -> None:
    broken = [
        f"{module.at(node)}: {module.name} imports {name}: {reason}"
        for module in modules().values()
        for name, node in imports(module, ast.walk(module.tree))
        if (reason := objection(module.name, name)) is not None
    ]
    assert not broken, "imports that docs/house.md does not allow:\n" + "\n".join(broken)


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("aforo.cli.ask", "aforo.assembly", True),
        ("aforo.cli.ask", "aforo.questions.ask", False),
        ("aforo.model.reading", "aforo.windows", True),
        ("aforo.model.reading", "aforo.engines", False),
        ("aforo.http.query", "aforo.engines.engine", True),
        ("aforo.http.query", "aforo.engines.embedded.database", False),
        ("aforo.client.sender", "aforo.errors", False),
        ("aforo.client.sender", "aforo.client.batch", True),
        ("aforo.errors", "aforo.clock", False),
        ("aforo.windows", "aforo.settings", False),
        ("aforo.cellar", "aforo.errors", False),
        ("aforo.questions.ask", "aforo", True),
    ],
)
def test_the_rule_itself(importer: str, imported: str, allowed: bool) -> None:
    assert (objection(importer, imported) is None) is allowed


def test_every_room_uses_rooms_below_its_own() -> None:
    upward = [
        f"{each.name} uses {used}"
        for each in HOUSE.values()
        for used in each.uses - {EVERY_ROOM_BELOW}
        if used != "client" and HOUSE[used].floor >= each.floor
    ]
    assert not upward


def test_the_rooms_that_stand_are_those_the_house_says_are_built() -> None:
    standing = {name for module in modules().values() if (name := module.room) is not None}
    assert standing == {each.name for each in HOUSE.values() if each.built}


def top_level(nodes: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is loaded; what stands under TYPE_CHECKING never does."""
    for node in nodes:
        if isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.unparse(node.test):
                yield from top_level([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from top_level([*node.body, *node.orelse, *node.finalbody])
        else:
            yield node


def test_no_ring_of_imports() -> None:
    loads = {
        module.name: {name for name, _ in imports(module, top_level(module.tree.body))} - {module.name}
        for module in modules().values()
    }
    finished: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, "a ring of imports: " + " -> ".join((*above[above.index(name) :], name))
        if name not in finished:
            for loaded in sorted(loads.get(name, ())):
                visit(loaded, (*above, name))
            finished.add(name)

    for name in sorted(loads):
        visit(name, ())


def full_names(tree: ast.Module) -> dict[str, str]:
    """What each imported name of a module stands for: `dt` -> `datetime`, `now` -> `time.monotonic`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def spoken(node: ast.AST, names: dict[str, str]) -> str | None:
    """The full dotted name an expression stands for, if it is one."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = spoken(node.value, names)
        return None if owner is None else f"{owner}.{node.attr}"
    return None


def clock_readings(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    names = full_names(tree)
    for node in ast.walk(tree):
        said = spoken(node, names)
        if said in SYSTEM_TIME:
            yield node, said


def test_nothing_but_the_clock_reads_the_systems_time() -> None:
    readings = [
        f"{module.at(node)}: {said}"
        for module in modules().values()
        if module.name not in CLOCKS
        for node, said in clock_readings(module.tree)
    ]
    assert not readings, "take a Clock instead of reading the system's:\n" + "\n".join(readings)


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "import time as t\nt.perf_counter_ns()",
        "from time import monotonic as now\nnow()",
        "from datetime import datetime\ndatetime.now(UTC)",
        "import datetime as dt\ndt.date.today()",
    ],
)
def test_a_reading_of_the_clock_is_seen_under_any_name(text: str) -> None:
    assert list(clock_readings(ast.parse(text)))


def test_a_given_clock_may_be_read() -> None:
    assert not list(clock_readings(ast.parse("from aforo.clock import Clock\nself._clock.now()")))


def rows_of_the_document() -> Iterator[Room]:
    """The rooms of the first table in docs/house.md: floor | room | holds | may use | there?"""
    for line in (ROOT / "docs" / "house.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 5 or not re.fullmatch(r"\d+|-", cells[0]):
            continue
        floor = 0 if cells[0] == "-" else int(cells[0])
        uses = EVERY_ROOM_BELOW if cells[3].startswith("every room below") else " ".join(quoted(cells[3]))
        for name in quoted(cells[1]):
            yield room(name, floor, uses, built=cells[4] == "yes")


def quoted(cell: str) -> list[str]:
    """The names in backquotes, as modules are called: `http/` and `windows.py` are http and windows."""
    return [name.removesuffix("/").removesuffix(".py") for name in re.findall(r"`([^`]+)`", cell)]


def test_the_document_draws_the_same_house() -> None:
    drawn = {each.name: each for each in rows_of_the_document()}
    assert drawn == HOUSE
