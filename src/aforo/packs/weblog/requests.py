"""The request line of a log: method, host and path, what the query says of a campaign, and what is a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

_METHODS = """
    GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH
    PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH QUERY PURGE
"""
METHODS = frozenset(_METHODS.split())
OTHER = "other"
PATH_CHARACTERS = 1024
HOST_CHARACTERS = 255
CAMPAIGN_CHARACTERS = 100
MOST_PARAMETERS = 100

# What a page is made of or a program fetches; anything else is taken for a page.
_NO_PAGES = """
    avif bmp css csv eot gif gz ico jpeg jpg js json map mjs mov mp3 mp4 ogg otf pdf png rss svg tar tgz ttf
    txt wasm wav webm webmanifest webp woff woff2 xml zip
"""
NO_PAGES = frozenset(_NO_PAGES.split())
# Marks that advertisers add to the address of a page, beside utm_ ones.
CLICK_IDS = frozenset(("gclid", "gbraid", "wbraid", "msclkid", "dclid", "ttclid", "yclid", "li_fat_id"))

_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", flags=re.ASCII)
_PROTOCOL = re.compile(r"HTTP/[0-9.]+", flags=re.ASCII)
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", flags=re.DOTALL)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#]*)", flags=re.ASCII | re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]", flags=re.ASCII)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; `medium` and `campaign` are of the query, `tagged` where it marks one."""

    method: str | None = None
    host: str | None = None
    path: str | None = None
    is_page: bool = False
    medium: str | None = None
    campaign: str | None = None
    tagged: bool = False


BROKEN = Request()


def request_of(line: bytes) -> Request:
    """A request line as the log has it; one that is broken asks for nothing and is a request all the same."""
    method, _, rest = unescaped(line).strip(" ").partition(" ")
    before, _, last = rest.rpartition(" ")
    target = (before if _PROTOCOL.fullmatch(last) else rest).strip(" ")
    if not target or _METHOD.fullmatch(method) is None:
        return BROKEN
    absolute = _ABSOLUTE.match(target)
    local = target if absolute is None else target[absolute.end() :]
    path, _, query = local.partition("#")[0].partition("?")
    path = path or "/"
    said = _parameters(query)
    campaign = said.get("utm_campaign") or said.get("utm_source")
    return Request(
        method=method if method in METHODS else OTHER,  # they are told apart by case, too
        host=host_of(target),
        path=path[:PATH_CHARACTERS],
        is_page=method == "GET" and _is_page(path),
        medium=said.get("utm_medium", "").lower() or None,
        campaign=campaign[:CAMPAIGN_CHARACTERS] if campaign else None,
        tagged=any(name.startswith("utm_") or name in CLICK_IDS for name in said),
    )


def host_of(address: str) -> str | None:
    """The host of an absolute address in lower case, without user and port; None where it has none."""
    found = _ABSOLUTE.match(address)
    return None if found is None else host_name(found[1].rpartition("@")[2])


def host_name(text: str) -> str | None:
    """A host, with a port or not, in lower case and without `www.`; None for what is no name of one."""
    lowered = text.lower()
    name = lowered if lowered.endswith("]") else re.sub(r":[0-9]*$", "", lowered)
    name = name.rstrip(".").removeprefix("www.")
    return name if len(name) <= HOST_CHARACTERS and _NAME.fullmatch(name) else None


def unescaped(text: bytes) -> str:
    r"""What a server wrote with `\"` and `\x22`; what is no text or cannot be seen stays as `\x16`."""
    raw = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]) if found[1] else found[2], text)
    return _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", raw.decode("utf-8", "backslashreplace"))


def _parameters(query: str) -> dict[str, str]:
    """The campaign's marks in a query, the first of each name; nothing else of it is looked at."""
    out: dict[str, str] = {}
    for pair in query.split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]:
        name, _, value = pair.partition("=")
        name = name.lower()
        if name.startswith("utm_") or name in CLICK_IDS:
            readable = unquote_plus(value, errors="replace")
            out.setdefault(name, _UNSEEN.sub("", readable).strip())
    return out


def _is_page(path: str) -> bool:
    _, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return not (dot and suffix.lower() in NO_PAGES)
