"""Lines of an access log as events of the stream: what is personal is hashed, what is wide is cut."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.events.readers import Chunk
from aforo.packs.weblog.agents import Bots
from aforo.packs.weblog.requests import Request, host_name, host_of, request_of, unescaped
from aforo.packs.weblog.sources import source_of
from aforo.packs.weblog.visitors import Visitors

MOST_REMEMBERED = 65_536
NOT_MODIFIED = 304

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """A function whose answers are kept, as far as there is room: logs say the same again and again."""

    def __init__(self, function: Callable[[Key], Value]) -> None:
        self._function = function
        self._known: dict[Key, Value] = {}

    def each(self, keys: Sequence[Key]) -> list[Value]:
        """The answer for every key."""
        out = []
        for key in keys:
            if key not in self._known:
                if len(self._known) >= MOST_REMEMBERED:
                    self._known.clear()
                self._known[key] = self._function(key)
            out.append(self._known[key])
        return out


class Requests:
    """Makes events of lines; `sites` are one's own hosts, which refer nobody from outside."""

    def __init__(self, visitors: Visitors, sites: Sequence[str]) -> None:
        self._visitors = visitors
        self._sites = frozenset(name for site in sites if (name := host_name(site)))
        self._bots = Remembered(Bots().is_bot)
        self._requests = Remembered(request_of)
        self._referrers = Remembered(_referrer)

    def events(self, chunk: Chunk) -> Chunk:
        """The chunk with the stream's fields in the place of the log's columns."""
        log = {name: pa.array(column) for name, column in chunk.columns.items()}
        asked = _spread(log["request"], self._requests)
        named = _spread(log["host"], Remembered(_vhost))
        hosts = [each.host or name for each, name in zip(asked, named, strict=True)]
        referrers = _spread(log["referrer"], self._referrers)
        bots = np.array(_spread(log["agent"], self._bots), np.bool_)
        status = log["status"].to_numpy()
        pages = np.array([each.is_page for each in asked], np.bool_)
        shown = (status // 100 == 2) | (status == NOT_MODIFIED)
        columns = {
            "id": log["id"],
            "time": log["time"],
            "visitor": self._visitors.names(
                log["address"], log["agent"], log["time"].cast(pa.int64()).to_numpy()
            ),
            "bot": pa.array(bots),
            "page_view": pa.array(pages & shown & ~bots),
            "method": pa.array([each.method for each in asked], pa.string()),
            "host": pa.array(hosts, pa.string()),
            "path": pa.array([each.path for each in asked], pa.string()),
            "status": log["status"],
            "status_class": _classes(log["status"]),
            "bytes": log["bytes"],
            "source": pa.array(self._sources(asked, hosts, referrers), pa.string()),
            "referrer": pa.array(referrers, pa.string()),
            "campaign": pa.array([each.campaign for each in asked], pa.string()),
        }
        return replace(chunk, columns=columns)

    def _sources(
        self, asked: Sequence[Request], hosts: Sequence[str | None], referrers: Sequence[str | None]
    ) -> list[str]:
        return [
            source_of(referrer, host, self._sites, each.medium, each.tagged)
            for each, host, referrer in zip(asked, hosts, referrers, strict=True)
        ]


def _spread(
    column: pa.Array, known: Remembered[bytes, Value] | Remembered[bytes | None, Value]
) -> list[Value]:
    """The answer for every row, asked once for each different value."""
    coded = column.dictionary_encode(null_encoding="encode")
    answers = known.each(coded.dictionary.to_pylist())
    return [answers[at] for at in coded.indices.to_pylist()]


def _referrer(text: bytes | None) -> str | None:
    return None if text is None else host_of(unescaped(text))


def _vhost(text: bytes | None) -> str | None:
    return None if text is None else host_name(text.decode("latin-1"))


def _classes(status: pa.Array) -> pa.Array:
    hundreds = pc.divide(status, 100).cast(pa.string())
    classes = pc.binary_join_element_wise(hundreds, "xx", "")
    usual = pc.and_(pc.greater_equal(status, 100), pc.less(status, 600))
    return pc.if_else(usual, classes, "other")
