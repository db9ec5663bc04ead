"""Origins of pages, as browsers name them."""

from __future__ import annotations

import re

_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?")


def is_origin(text: str) -> bool:
    """Whether a text is an origin as a browser writes it: scheme, host, and a port where it is unusual."""
    return len(text) <= MAX_ORIGIN_LENGTH and _ORIGIN.fullmatch(text) is not None


MAX_ORIGIN_LENGTH = 300  # characters
