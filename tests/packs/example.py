"""The worked example of `docs/how-to/measure-a-site.md`, as a test reads it."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "measure-a-site.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """The text of the block that is marked so."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```[a-z]+\n(.*?)```\n", PAGE, re.DOTALL)
    assert found is not None, name
    return found[1]


def values() -> dict[str, float]:
    """What the page says that each metric is."""
    rows = re.findall(r"^\| `(web_\w+)` \| [^|]*\| ([\d.]+) \|", PAGE, re.MULTILINE)
    return {name: float(value) for name, value in rows}
