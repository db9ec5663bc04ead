"""Every setting, from the one tree of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from aforo.settings import Described, describe
from pages.writing import block, code, paragraphs, table

INTRO = """
# Settings

A setting may come from four places. The first of them that has it wins: the command line (`--data`,
`--host`, `--port`), the environment, the file `aforo.toml`, and the default below. The file is looked
for in the working directory, or is the one that `AFORO_CONFIG` names. `aforo doctor` shows every
setting and which place it came from.

All that is wrong with the settings is told at once, each with its place, and the command ends with exit
code 2. An environment variable that is set to nothing counts as not set.
"""

EXAMPLE = """
data = "/var/lib/aforo"
packs = []

[http]
port = 9000

[engine]
memory_mb = 1024
"""


def page() -> str:
    """All settings by section, with an example of the file."""
    parts = [INTRO, block(EXAMPLE.strip(), "toml")]
    for section, settings in groupby(describe(), lambda each: each.key.rpartition(".")[0]):
        parts += [f"## `[{section}]`" if section else "## Outside of any section", _table(settings)]
    return paragraphs(*parts)


def _table(settings: Iterable[Described]) -> str:
    heads = ("key", "environment", "what it is", "type", "default", "allowed")
    return table(
        heads,
        (
            (code(each.key), code(each.env), each.sentence, each.type, code(each.default), each.bounds)
            for each in settings
        ),
    )
