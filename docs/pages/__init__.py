"""The reference pages: one file a page, each with a function that writes the page from the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pages import (
    cli,
    errors,
    expressions,
    flights,
    http,
    metrics,
    model,
    projects,
    refusals,
    settings,
    web,
    weblog,
)

# One page, one line: its name below docs/reference, and what writes it.
PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "cli": cli.page,
        "settings": settings.page,
        "model": model.page,
        "http": http.page,
        "refusals": refusals.page,
        "errors": errors.page,
        "expressions": expressions.page,
        "metrics": metrics.page,
        "flights": flights.page,
        "projects": projects.page,
        "web": web.page,
        "weblog": weblog.page,
    }
)
