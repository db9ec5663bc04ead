"""Writes docs/reference from the code, so that they cannot disagree; `--check` only tells what is stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pages import PAGES

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the code: change that, then run `make docs`. -->"


def text_of(name: str) -> str:
    """The page as it should be."""
    return f"{NOTE}\n\n{PAGES[name]()}\n"


def stale() -> list[str]:
    """The pages that are not there, or not as the code says, or that nothing writes any more."""
    found = {path.stem for path in FOLDER.glob("*.md")}
    wrong = [name for name in PAGES if name not in found or _read(name) != text_of(name)]
    return [*wrong, *sorted(found - set(PAGES))]


def write() -> None:
    """Writes every page, and takes away those that nothing writes any more."""
    FOLDER.mkdir(exist_ok=True)
    for name in PAGES:
        _path(name).write_text(text_of(name), encoding="utf-8")
    for path in FOLDER.glob("*.md"):
        if path.stem not in PAGES:
            path.unlink()


def main() -> int:
    """Exit code 1 where `--check` finds a page that is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name the pages that are stale")
    if not parser.parse_args().check:
        write()
        return 0
    wrong = stale()
    for name in wrong:
        print(f"docs/reference/{name}.md is not what the code says: run make docs", file=sys.stderr)
    return 1 if wrong else 0


def _path(name: str) -> Path:
    return FOLDER / f"{name}.md"


def _read(name: str) -> str:
    return _path(name).read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
