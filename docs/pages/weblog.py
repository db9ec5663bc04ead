"""The pack `weblog`, from its model file and its lists."""

from __future__ import annotations

from aforo.packs.weblog.sources import HOSTS, Source
from pages import pack
from pages.writing import code, codes, paragraphs, table

INTRO = """
# The pack `weblog`

Requests that access logs of web servers tell of: [load access logs](../how-to/load-access-logs.md). The
pack's model is there once the setting [`packs`](settings.md) names it.
"""
SOURCES = """
## Sources

`direct` is a request without a referrer, `internal` one from a page of the same site, `campaign` one whose
link says so (`utm_` or an advertisement's mark in its query), `referral` one from any host that is not below.
A host is of the kind of the longest name here that it is or lies below; `google`, `yandex` and
`pinterest` count in the domains of all countries.
"""


def page() -> str:
    """The pack's stream and metrics, and which hosts are of which kind."""
    kinds = (Source.SEARCH, Source.SOCIAL, Source.EMAIL, Source.REFERRAL)
    rows = ((code(kind), codes(host for host, of in HOSTS.items() if of is kind)) for kind in kinds)
    return paragraphs(pack.page("weblog", INTRO), SOURCES, table(("source", "hosts"), rows))
