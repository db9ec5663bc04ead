"""The pack `web`, from its model file."""

from __future__ import annotations

from pages import pack

INTRO = """
# The pack `web`

Page views, forms, sessions and leads of a site, one tenant for each site:
[measure a site](../how-to/measure-a-site.md), with an example of every metric. The pack's model is there from
the start, unless the setting [`packs`](settings.md) says otherwise. All its streams and metrics begin with
`web_`.

`web_events` and `web_leads` are sent, the two others follow from them.
"""


def page() -> str:
    """The pack's streams and metrics."""
    return pack.page("web", INTRO)
