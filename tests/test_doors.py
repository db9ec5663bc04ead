"""The commands a newcomer is told exist, and the pages say of the tests what is the case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def targets() -> dict[str, str]:
    """What `make` alone lists: each target with its sentence."""
    return dict(re.findall(r"^([a-z-]+):[^#\n]*## (.+)$", MAKEFILE, re.MULTILINE))


def laws() -> dict[int, str]:
    """The sections of docs/laws.md by number."""
    text = (ROOT / "docs" / "laws.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\d+)\. ", text, flags=re.MULTILINE)
    return {int(number): section for number, section in zip(parts[1::2], parts[2::2], strict=True)}


def test_every_target_is_listed_with_a_sentence() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(targets()) == set(phony[1].split())


def test_the_readme_shows_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^```sh\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL) == ["make demo", "make test"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_command_of_a_page_exists(page: Path) -> None:
    named = set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")))
    assert named <= set(targets())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_ci_runs_the_readmes_test_command_and_then_the_checks() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == ["make test", "make check"]


def test_there_are_ten_laws() -> None:
    assert list(laws()) == list(range(1, 11))


@pytest.mark.parametrize("number", range(1, 11))
def test_a_law_is_held_by_tests_of_its_number_or_says_it_is_not_held_yet(number: int) -> None:
    section = laws()[number]
    pattern = f"tests/laws/test_law_{number}_*.py"
    held = sorted(ROOT.glob(pattern))
    assert (pattern in section) == bool(held), f"law {number}: docs/laws.md and {pattern} disagree"
    assert held or "Not held yet: it comes with" in section
