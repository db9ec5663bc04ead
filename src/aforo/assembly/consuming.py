"""Consumers of queues as the settings want them."""

from __future__ import annotations

from aforo.buses.bus import Queue
from aforo.buses.consumer import MOST_AT_ONCE, Consumer, Handle
from aforo.clock import Clock
from aforo.settings import Settings
from aforo.telemetry import Telemetry


def consumer_of(
    settings: Settings,
    clock: Clock,
    telemetry: Telemetry,
    queue: Queue,
    handle: Handle,
    *,
    most_at_once: int = MOST_AT_ONCE,
) -> Consumer:
    """A consumer, not started."""
    wanted = settings.buses
    return Consumer(
        queue,
        handle,
        clock,
        telemetry,
        wait_seconds=wanted.wait_seconds,
        visibility_seconds=wanted.visibility_seconds,
        most_receives=wanted.most_receives,
        most_at_once=most_at_once,
    )
