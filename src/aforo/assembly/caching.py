"""The cache of answers, as the settings want it."""

from __future__ import annotations

import secrets
from functools import partial

from aforo.clock import Clock
from aforo.questions.cache import Cache, Lifetimes
from aforo.questions.redis_shelf import RedisShelf
from aforo.questions.shelf import MemoryShelf, Shelf
from aforo.settings import Settings
from aforo.telemetry import Telemetry


def cache_of(settings: Settings, clock: Clock, telemetry: Telemetry) -> Cache:
    """The cache, which keeps nothing where the settings give it no room. Raises InvalidSettings."""
    wanted = settings.cache
    lifetimes = Lifetimes(wanted.short_seconds, wanted.default_seconds, wanted.long_seconds)
    return Cache(_shelf(settings, clock, telemetry), lifetimes, telemetry)


def _shelf(settings: Settings, clock: Clock, telemetry: Telemetry) -> Shelf:
    wanted = settings.cache
    if wanted.url is None or not wanted.max_bytes:
        return MemoryShelf(clock, wanted.max_bytes, partial(telemetry.count, "cache_evicted_total"))
    return RedisShelf(
        wanted.url,
        clock,
        place=str(settings.data.resolve()),
        run=secrets.token_hex(12),
        timeout_seconds=wanted.redis_timeout_seconds,
        most_bytes=wanted.max_bytes,
        failed=partial(telemetry.count, "cache_failures_total"),
    )
