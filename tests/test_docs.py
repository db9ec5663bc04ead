"""What the reference promises is what the code has; every list is compared with its page."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.core import TyperGroup

from aforo.cli.app import app
from aforo.errors import AforoError
from aforo.events.refusals import RefusalCode
from aforo.runs.expression.kinds import KINDS
from aforo.settings import describe
from aforo.telemetry import METRICS

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    """The script that `make docs` runs."""
    sys.path.insert(0, str(DOCS))
    try:
        yield importlib.import_module("generate")
    finally:
        sys.path.remove(str(DOCS))


def page(name: str) -> str:
    return (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")


def told(name: str) -> set[str]:
    """The words that begin a line of one of the page's tables."""
    return set(re.findall(r"^\| (?:&nbsp;)*`([^`]+)` \|", page(name), re.MULTILINE))


def below(error: type[AforoError]) -> Iterator[type[AforoError]]:
    for each in error.__subclasses__():
        yield each
        yield from below(each)


def group() -> TyperGroup:
    made = typer.main.get_command(app)
    assert isinstance(made, TyperGroup)
    return made


def test_no_page_is_stale(generate: ModuleType) -> None:
    assert generate.stale() == []


def test_every_setting_is_told() -> None:
    assert told("settings") == {each.key for each in describe()}


def test_every_own_metric_is_told() -> None:
    assert told("metrics") == {f"aforo_{each.name}" for each in METRICS}


def test_every_refusal_is_told() -> None:
    assert told("refusals") == {str(each) for each in RefusalCode}


def test_every_kind_of_expression_is_told_with_its_members() -> None:
    text = page("expressions")
    assert set(KINDS) <= set(re.findall(r"^## `(.+)`$", text, re.MULTILINE))
    assert {member.key for kind in KINDS.values() for member in kind.MEMBERS} <= told("expressions")


def test_every_error_is_told_and_has_a_code_of_its_own() -> None:
    codes = [each.code for each in below(AforoError) if each.__module__ == AforoError.__module__]
    assert told("errors") == set(codes)
    assert len(codes) == len(set(codes))


def test_every_command_and_option_is_told(generate: ModuleType) -> None:
    text = page("cli")
    commands = dict(importlib.import_module("pages.cli").commands(group()))
    assert re.findall(r"^## `aforo (.+)`$", text, re.MULTILINE) == list(commands)
    parameters = chain(group().params, *(each.params for each in commands.values()))
    options = {name for each in parameters for name in (*each.opts, *each.secondary_opts) if name[0] == "-"}
    assert {name for name in options if f"{name}" not in text} == set()


def test_every_route_is_told(generate: ModuleType) -> None:
    paths = generate.PAGES["http"].__globals__["openapi"]()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert told("http") >= routes
    assert set(re.findall(r"^## `(.+)`$", page("http"), re.MULTILINE)) == routes


def test_the_index_lists_every_page() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - {"index.md"}
    assert {name for name in pages if f"({name})" not in index} == set()
