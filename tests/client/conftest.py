"""A real server that listens, and a proxy before it that misbehaves as a script says."""

from __future__ import annotations

import gzip
import json
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, Lock, Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import uvicorn
from tests.http.conftest import NOW, House, settings_in, standing

from aforo.client import Sender
from aforo.clock import ManualClock
from aforo.windows import DAY, Window

FOREVER = Window(NOW - 400 * DAY, NOW + 400 * DAY)
SECONDS_FOR_ANYTHING = 30


@dataclass(frozen=True)
class Aforo:
    """A server that runs, and what it holds."""

    url: str
    house: House

    def events(self, tenant: str) -> int:
        """How many different events of a tenant it has."""
        return self.house.rooms.engine.estimate_raw("visits", tenant, FOREVER)


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready.set()


@contextmanager
def listening(house: House) -> Iterator[Aforo]:
    ready = Event()
    server = _Uvicorn(uvicorn.Config(house.app, ws="none", log_config=None, access_log=False), ready)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        thread = Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        assert ready.wait(SECONDS_FOR_ANYTHING)
        try:
            yield Aforo(f"http://127.0.0.1:{bound.getsockname()[1]}", house)
        finally:
            server.should_exit = server.force_exit = True
            thread.join(SECONDS_FOR_ANYTHING)


@pytest.fixture(scope="session")
def aforo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aforo]:
    for house in standing(settings_in(tmp_path_factory.mktemp("aforo"))):
        with listening(house) as server:
            yield server


_tenants = count()


@pytest.fixture
def tenant() -> str:
    """One that no other test has."""
    return f"tenant{next(_tenants)}"


@dataclass(frozen=True)
class Came:
    """A request as the proxy saw it."""

    headers: dict[str, str]
    events: list[dict[str, Any]]
    connection: int


Misdeed = Callable[["Handler"], None]


@dataclass
class Proxy:
    """Does to each request what the next of `script` says; after the last it passes all on."""

    aforo: Aforo
    url: str
    script: deque[Misdeed] = field(default_factory=deque)
    came: list[Came] = field(default_factory=list)
    connections: int = 0
    lock: Lock = field(default_factory=Lock)

    def then(self, *misdeeds: Misdeed) -> None:
        self.script.extend(misdeeds)

    @property
    def sizes(self) -> list[int]:
        """The number of events in each request."""
        return [len(each.events) for each in self.came]


class Handler(BaseHTTPRequestHandler):
    """One connection to the proxy."""

    protocol_version = "HTTP/1.1"
    timeout = SECONDS_FOR_ANYTHING
    proxy: Proxy

    def setup(self) -> None:
        super().setup()
        with self.proxy.lock:
            self.proxy.connections += 1
            self.number = self.proxy.connections

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        gzipped = self.headers.get("Content-Encoding") == "gzip"
        plain = gzip.decompress(self.body) if gzipped else self.body
        events = [json.loads(line) for line in plain.splitlines()]
        with self.proxy.lock:
            self.proxy.came.append(Came(dict(self.headers.items()), events, self.number))
            misdeed = self.proxy.script.popleft() if self.proxy.script else pass_on
        misdeed(self)

    def asked(self) -> tuple[int, bytes]:
        """What the real server says of the body."""
        passed = {
            name: self.headers[name]
            for name in ("Authorization", "Content-Type", "Content-Encoding")
            if self.headers[name]
        }
        try:
            url = self.proxy.aforo.url + self.path
            with urlopen(Request(url, self.body, passed), timeout=SECONDS_FOR_ANYTHING) as reply:
                return reply.status, reply.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def reply(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's word)
        """Says nothing."""


def pass_on(handler: Handler) -> None:
    handler.reply(*handler.asked())


def drop(handler: Handler) -> None:
    """The body never reaches the server."""
    handler.close_connection = True


def lose_receipt(handler: Handler) -> None:
    """The server has the events, and nobody hears of it."""
    handler.asked()
    handler.close_connection = True


def half_an_answer(handler: Handler) -> None:
    status, content = handler.asked()
    handler.reply(status, content[: len(content) // 2], Content_Length=str(len(content)))
    handler.close_connection = True


def too_slow(handler: Handler) -> None:
    """The server has the events; the sender has hung up by the time it would hear of it."""
    handler.asked()
    handler.connection.recv(1)
    handler.close_connection = True


def a_page(handler: Handler) -> None:
    """A proxy's own word: a success that is no receipt."""
    handler.reply(200, b"<html>Please log in</html>", Content_Type="text/html")


def another_receipt(handler: Handler) -> None:
    handler.reply(202, b'{"accepted": 0, "duplicates": 0, "refused": []}')


def pass_on_and_hang_up(handler: Handler) -> None:
    """As a server does to a connection that was idle for long; the other side sees it when it speaks next."""
    pass_on(handler)
    handler.close_connection = True


def says(status: int, body: bytes = b"", **headers: str) -> Misdeed:
    return lambda handler: handler.reply(status, body, **headers)


@pytest.fixture
def proxy(aforo: Aforo) -> Iterator[Proxy]:
    with misbehaving(aforo) as before:
        yield before


@contextmanager
def misbehaving(aforo: Aforo) -> Iterator[Proxy]:
    """A proxy before a server."""

    class Mine(Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Mine) as server:
        Mine.proxy = Proxy(aforo, f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Mine.proxy
        server.shutdown()
        thread.join(SECONDS_FOR_ANYTHING)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


Sending = Callable[..., Sender]


@pytest.fixture
def sending(proxy: Proxy, clock: ManualClock, tenant: str) -> Iterator[Sending]:
    """Senders to the proxy that do nothing by themselves; their jitter is always at its most."""
    made: list[Sender] = []

    def make(**more: Any) -> Sender:
        usual = {
            "tenant": tenant,
            "clock": clock,
            "random": lambda: 1.0,
            "background": False,
            "url": proxy.url,
        }
        made.append(Sender(**{**usual, **more}))
        return made[-1]

    yield make
    for sender in made:
        sender.close(0)


def adds_up(sender: Sender) -> bool:
    """Whether every event that was ever taken is accounted for."""
    now = sender.statistics()
    gone = now.accepted + now.duplicates + now.refused + now.dropped
    return now.tracked + now.found == gone + now.waiting + now.spooled


def run(sender: Sender, clock: ManualClock, rounds: int = 200) -> None:
    """Lets time pass until nothing waits any more."""
    for _ in range(rounds):
        due = sender.due_in_seconds()
        if due is None:
            return
        clock.advance(due)
        sender.run_once()
        assert adds_up(sender)
    raise AssertionError(f"still waiting: {sender.statistics()}")
