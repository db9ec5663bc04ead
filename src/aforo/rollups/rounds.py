"""The rounds by the name they had: branches that were begun before they moved still import them here."""

from __future__ import annotations

from aforo.rounds import Rounds

__all__ = ["Rounds"]
