"""Markdown, put together from plain values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence


def paragraphs(*parts: str) -> str:
    """Parts of a page with an empty line between them; empty parts are left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table, or nothing where there are no rows."""
    lines = [_line(row) for row in rows]
    return "\n".join([_line(heads), _line(["---"] * len(heads)), *lines]) if lines else ""


def code(value: object) -> str:
    """A value in the letters of code; nothing where there is none."""
    text = str(value)
    return f"`{text}`" if text else ""


def codes(values: Iterable[object]) -> str:
    """Values in the letters of code, with commas between."""
    return ", ".join(map(code, values))


def block(text: str, language: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def as_json(value: object) -> str:
    """A block of JSON."""
    return block(json.dumps(value, ensure_ascii=False, indent=2), "json")


def sentence(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def number(value: float) -> str:
    """A number without a needless fraction."""
    return f"{value:g}" if value < 1_000 else f"{value:,.0f}"


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(cell: object) -> str:
    return " ".join(str(cell).replace("|", "\\|").split())
