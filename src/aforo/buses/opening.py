"""Which bus the settings want."""

from __future__ import annotations

from aforo.buses.amazon import client_of
from aforo.buses.aws import AwsBus
from aforo.buses.bus import Bus
from aforo.buses.local import LocalBus
from aforo.clock import Clock
from aforo.settings import Settings
from aforo.store.connect import Store


def bus_of(settings: Settings, store: Store, clock: Clock) -> Bus:
    """The bus of a process. Raises InvalidSettings."""
    wanted = settings.buses
    if wanted.kind == "aws":
        region, endpoint_url = settings.aws.region, settings.aws.endpoint_url
        sns, sqs = (client_of(service, region, endpoint_url) for service in ("sns", "sqs"))
        return AwsBus(settings.aws, sns, sqs, visibility_seconds=wanted.visibility_seconds)
    return LocalBus(
        store, clock, visibility_seconds=wanted.visibility_seconds, look_seconds=wanted.look_seconds
    )
