"""The server: a bound socket, uvicorn over it, and an end that lets what is under way finish."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from contextlib import closing
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from aforo.errors import AddressInUse, InvalidSettings
from aforo.http.access.hosts import is_loopback
from aforo.http.joining import Joining
from aforo.settings import Settings

BACKLOG = 2_048


class Server:
    """Serves an app on the address of the settings; `InvalidSettings` where others reach it without keys."""

    def __init__(self, app: ASGIApp, settings: Settings, *, keyed: bool) -> None:
        """`keyed` says that whoever asks has to show a key, and that there is one to show."""
        if not keyed and not is_loopback(settings.http.host):
            raise InvalidSettings(
                f"http.host is {settings.http.host!r}, which others can reach, and no key is there",
                hint="make one (aforo keys create NAME --scope admin), set ADMIN_API_KEY, "
                "or listen on 127.0.0.1",
            )
        self._host = settings.http.host
        self._port = settings.http.port
        self._config = uvicorn.Config(
            app,
            http=Joining,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            # Whoever is still served after this is cut off; 0 would cut off at once.
            timeout_graceful_shutdown=max(1, round(settings.stop.drain_seconds)),
        )

    def run(self, on_ready: Callable[[str], None]) -> None:
        """Serves until SIGINT or SIGTERM, then ends in order; `on_ready` is given the URL once it answers.

        Raises `AddressInUse`.
        """
        with closing(self._bound()) as listening:
            url = self._url(listening.getsockname()[1])
            server = _Uvicorn(self._config, lambda: on_ready(url))
            server.run(sockets=[listening])
        if server.failure is not None:
            raise server.failure

    def _bound(self) -> socket.socket:
        """A socket that listens before anything is served, so that the port is known and is ours."""
        host = self._host.strip("[]")
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            bound = socket.socket(family, kind, protocol)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            if os.name == "posix":
                # A port that a server just left may be taken again at once.
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(BACKLOG)
        except OSError as error:
            bound.close()
            raise self._unusable(error) from error
        bound.setblocking(False)
        return bound

    def _unusable(self, error: OSError) -> AddressInUse:
        why = (
            "another process listens there"
            if error.errno == errno.EADDRINUSE
            else error.strerror or str(error)
        )
        return AddressInUse(
            f"cannot listen on {self._host}:{self._port}: {why}",
            hint="choose another port (http.port, --port); 0 takes any free one",
        )

    def _url(self, port: int) -> str:
        host = self._host.strip("[]")
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Uvicorn(uvicorn.Server):
    """Says when it serves, and lets its caller end in order.

    uvicorn raises a signal that stopped it once more when it is done, which would end the process
    before the parts below it were stopped.
    """

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self.failure: BaseException | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if not self.started:
            return
        try:
            self._on_ready()
        except BaseException as failure:
            # Raised when all is stopped: out of a running loop it would leave what serves half way.
            self.failure = failure
            self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  (uvicorn's signature)
        # The second one does not wait for requests under way.
        self.force_exit = self.should_exit
        self.should_exit = True
