"""That server with faults: what is asked of it next is answered with something else, or with nothing done."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

Start = Callable[[str, list[tuple[str, str]]], Any]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]


@dataclass(frozen=True)
class Fault:
    """What is answered to one request of an action of SQS; `done` where it is done all the same."""

    action: str
    status: str
    body: dict[str, Any]
    done: bool = False


class Faulty:
    """Answers as that server does, but for the faults that are ordered."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app
        self.faults: deque[Fault] = deque()
        self.asked: list[str] = []
        self.url = ""

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        action = re.sub(r".*\.", "", environ.get("HTTP_X_AMZ_TARGET", ""))
        self.asked.append(action)
        if not self.faults or self.faults[0].action != action:
            return self._app(environ, start)
        fault = self.faults.popleft()
        if fault.done:
            b"".join(self._app(environ, lambda *_: None))
        start(fault.status, [("Content-Type", "application/x-amz-json-1.0")])
        return [json.dumps(fault.body).encode()]


@contextmanager
def faulty_server() -> Iterator[Faulty]:
    """Such a server, with what the other one of this process has made."""
    faulty = Faulty(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, faulty, threaded=True)
    faulty.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield faulty
    server.shutdown()
    thread.join()
    server.server_close()
