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
    # A queue in the database is looked into that often anyhow, and a stop has to wait for one look only.
    one_look = wanted.look_seconds if wanted.kind == "local" else wanted.wait_seconds
    return Consumer(
        queue,
        handle,
        clock,
        telemetry,
        wait_seconds=min(wanted.wait_seconds, one_look),
        visibility_seconds=wanted.visibility_seconds,
        most_receives=wanted.most_receives,
        most_at_once=most_at_once,
    )
