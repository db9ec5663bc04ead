"""How often somebody may ask: a bucket of tokens for each key and address, in bounded memory."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from aforo.clock import Clock
from aforo.errors import TooManyRequests

IPV6_SHARED_BITS = 64  # one subscriber has at least all addresses below it


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `burst` at once, and `per_second` in the long run; a rate of 0 sets no limit."""

    name: str
    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Left:
    """What a bucket still holds, and when it would be full again."""

    rate: Rate
    tokens: float

    def headers(self) -> Mapping[str, str]:
        """The bucket as the fields of draft-ietf-httpapi-ratelimit-headers say it."""
        full_after = math.ceil((self.rate.burst - self.tokens) / self.rate.per_second)
        return {
            "RateLimit-Policy": policy(self.rate.name, self.rate.burst, self.rate.per_second),
            "RateLimit": f'"{self.rate.name}";r={int(self.tokens)};t={full_after}',
        }


def policy(name: str, burst: int, per_second: float) -> str:
    """A rate as a policy: so many in the seconds that an empty bucket needs to be full."""
    return f'"{name}";q={burst};w={math.ceil(burst / per_second)}'


class Buckets:
    """One bucket for each name; whoever was not seen for longest is forgotten first. For one thread."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, who: str, rate: Rate) -> Left | None:
        """Takes one token; what is left, or None where there is no limit. Raises TooManyRequests."""
        if not rate.per_second:
            return None
        name = (rate.name, who)
        now = self._clock.monotonic()
        tokens, at = self._buckets.pop(name, (float(rate.burst), now))
        tokens = min(float(rate.burst), tokens + max(0.0, now - at) * rate.per_second)
        if tokens < 1:
            self._keep(name, tokens, now)
            raise TooManyRequests(
                f"more than {rate.burst:,} requests came at once from this {rate.name}",
                hint=f"wait for Retry-After; in the long run {rate.per_second:g} a second may come",
                retry_after_seconds=(1 - tokens) / rate.per_second,
                headers={
                    "RateLimit-Policy": policy(rate.name, rate.burst, rate.per_second),
                    "RateLimit": f'"{rate.name}";r=0;t={math.ceil((1 - tokens) / rate.per_second)}',
                },
            )
        self._keep(name, tokens - 1, now)
        return Left(rate, tokens - 1)

    def _keep(self, name: tuple[str, str], tokens: float, now: float) -> None:
        self._buckets[name] = (tokens, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)


def subscriber(address: str) -> str:
    """Whom an address stands for: itself, or for IPv6 the network of one subscriber."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(read, IPv6Address):
        if read.ipv4_mapped is not None:
            return str(read.ipv4_mapped)
        return str(IPv6Address(int(read) >> IPV6_SHARED_BITS << IPV6_SHARED_BITS))
    return str(read)
