"""Which agents are bots, by the list that the package crawlerdetect maintains."""

from __future__ import annotations

from crawlerdetect import CrawlerDetect

MOST_CHARACTERS = 512
MISSING = (b"", b"-")


class Bots:
    """Knows a bot by the agent it sends."""

    def __init__(self) -> None:
        self._list = CrawlerDetect()

    def is_bot(self, agent: bytes | None) -> bool:
        """Whether it is one: who sends no agent is, and where the log has none (None) nobody can tell.

        Only the first 512 characters are looked at, since the time it takes grows with them.
        """
        if agent is None:
            return False
        text = agent[:MOST_CHARACTERS].decode("latin-1").strip()
        return agent.strip() in MISSING or bool(text and self._list.is_crawler(text))
