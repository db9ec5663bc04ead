"""Kept answers in Redis or Valkey: outside this process's memory, and of one run of it.

Keys begin with the place, which names the data directory, and with a token of this run: what an earlier run
left is never given out, whatever was restored, cleared or erased meanwhile. While Redis does not answer
nothing is kept, and nobody waits for it more than once in `SILENT_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import structlog

from aforo.clock import Clock
from aforo.errors import InvalidSettings
from aforo.questions.shelf import Held

if TYPE_CHECKING:
    from redis import Redis

log = structlog.get_logger(__name__)

T = TypeVar("T")

SILENT_SECONDS = 5.0
AT_ONCE = 500
ANSWER, TAG = "a", "t"


class RedisShelf:
    """A shelf in Redis, whose own `maxmemory` bounds it; a value of more than `most_bytes` is not kept.

    `failed` is told of each time that Redis did not do what it was asked. Raises InvalidSettings where the
    client is not installed or the URL is none.
    """

    kind = "redis"

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        place: str,
        run: str,
        timeout_seconds: float,
        most_bytes: int,
        failed: Callable[[], None],
    ) -> None:
        self._client = _client(url, timeout_seconds)
        self._clock = clock
        self._place = f"aforo:{_digest(place)}:"
        self._own = f"{self._place}{run}:"
        self._most_bytes = most_bytes
        self._failed = failed
        self._silent_until = 0.0

    def get(self, key: str) -> bytes | None:
        def read(client: Redis) -> bytes | None:
            found = client.get(self._name(ANSWER, key))
            return found if isinstance(found, bytes) else None

        return self._asked(read, None)

    def put(self, key: str, value: bytes, seconds: float, tags: tuple[str, ...]) -> None:
        name, lasting = self._name(ANSWER, key), max(1, round(seconds * 1_000))

        def write(client: Redis) -> None:
            asked = client.pipeline(transaction=True)
            # The tags as long as the longest of what they name: an answer without them could not be cleared.
            for tag in tags:
                tagged = self._name(TAG, _digest(tag))
                asked.sadd(tagged, name)
                asked.pexpire(tagged, 2 * lasting, nx=True)
                asked.pexpire(tagged, 2 * lasting, gt=True)
            asked.set(name, value, px=lasting)
            asked.execute()

        if len(value) <= self._most_bytes:
            self._asked(write, None)

    def drop(self, tag: str) -> int:
        tagged = self._name(TAG, _digest(tag))

        def take(client: Redis) -> int:
            gone = _unlink(client, client.sscan_iter(tagged, count=AT_ONCE))
            client.unlink(tagged)
            return gone

        return self._asked(take, 0)

    def drop_all(self) -> int:
        def take(client: Redis) -> int:
            gone = _unlink(client, client.scan_iter(f"{self._own}{ANSWER}:*", count=AT_ONCE))
            _unlink(client, client.scan_iter(f"{self._place}*", count=AT_ONCE))
            return gone

        return self._asked(take, 0)

    def held(self) -> Held:
        return self._asked(self._counted, Held(None, None))

    def start(self) -> None:
        self.drop_all()

    def stop(self) -> None:
        self.drop_all()
        self._client.close()

    def _counted(self, client: Redis) -> Held:
        entries = size_bytes = 0
        names = iter(client.scan_iter(f"{self._own}{ANSWER}:*", count=AT_ONCE))
        while portion := list(islice(names, AT_ONCE)):
            asked = client.pipeline(transaction=False)
            for name in portion:
                asked.strlen(name)
            entries += len(portion)
            size_bytes += sum(int(each) for each in asked.execute())
        return Held(entries, size_bytes)

    def _name(self, kind: str, key: str) -> str:
        return f"{self._own}{kind}:{key}"

    def _asked(self, work: Callable[[Redis], T], otherwise: T) -> T:
        """What the client gives; `otherwise` while Redis is silent, and what goes wrong makes it so."""
        from redis.exceptions import RedisError

        if self._clock.monotonic() < self._silent_until:
            return otherwise
        try:
            return work(self._client)
        except (RedisError, OSError) as error:
            # Answers are read anew instead: slower, and as right.
            self._silent_until = self._clock.monotonic() + SILENT_SECONDS
            self._failed()
            log.warning("redis did not answer", error=type(error).__name__, again_after=SILENT_SECONDS)
            return otherwise


def _client(url: str, timeout_seconds: float) -> Redis:
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise InvalidSettings(
            "cache.url names a Redis, and its client is not installed", hint="pip install 'aforo[redis]'"
        ) from error
    try:
        return Redis.from_url(
            url,
            socket_connect_timeout=timeout_seconds,
            socket_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise InvalidSettings(
            "cache.url is no address of a Redis", hint="for example redis://127.0.0.1:6379/0"
        ) from error


def _unlink(client: Redis, names: Iterable[bytes]) -> int:
    gone, left = 0, iter(names)
    while portion := list(islice(left, AT_ONCE)):
        gone += int(client.unlink(*portion))
    return gone


def _digest(text: str) -> str:
    """Names of tenants and folders are nobody's business there."""
    return blake2b(text.encode(), digest_size=12).hexdigest()
