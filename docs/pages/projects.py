"""The pack `projects`, from its model file."""

from __future__ import annotations

from pages import pack

INTRO = """
# The pack `projects`

What the modules of a project tell of themselves, one tenant for each project:
[measure projects](../how-to/measure-projects.md). The pack's model is there from the start, unless the
setting [`packs`](settings.md) says otherwise. Its stream and metrics begin with `project_`.
"""


def page() -> str:
    """The pack's stream and metrics."""
    return pack.page("projects", INTRO)
