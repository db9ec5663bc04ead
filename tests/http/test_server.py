"""The server in a process of its own: ready on a free port, and an end in order."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from starlette.applications import Starlette
from tests.http.conftest import BODY_LIMIT

from aforo.errors import AddressInUse, InvalidSettings
from aforo.http import examples
from aforo.http.server import Server
from aforo.settings import Http, Settings

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
from aforo.http.server import Server
from tests.http.conftest import settings_in, standing

settings = settings_in(Path(sys.argv[1]))
settings = replace(settings, http=replace(settings.http, port=0, host=sys.argv[2]))
for house in standing(settings):
    Server(house.app, settings, keyed=False).run(lambda url: print(url, flush=True))
    print("ended in order", flush=True)
"""


@contextmanager
def serving(folder: Path, host: str = "127.0.0.1") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-c", PROGRAM, str(folder), host]
    environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def call(url: str, body: bytes | None = None) -> tuple[int, Any]:
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        with urlopen(Request(url, body, headers), timeout=30) as reply:
            return reply.status, json.load(reply)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_once_it_says_so_and_ends_in_order(tmp_path: Path, told: signal.Signals) -> None:
    with serving(tmp_path) as (url, process):
        assert url.startswith("http://127.0.0.1:")
        assert not url.endswith((":0", ":8321"))
        assert call(f"{url}/ready") == (200, {"ready": True})
        status, receipt = call(f"{url}/v1/events", json.dumps(examples.UA_1545).encode())
        assert (status, receipt["accepted"]) == (202, 1)
        status, problem = call(f"{url}/v1/events", b" " * (BODY_LIMIT * 20))
        assert (status, problem["code"]) == (413, "body_too_large")
        process.send_signal(told)
        assert process.stdout is not None
        assert process.stdout.read().strip() == "ended in order"
        assert process.wait(30) == 0


def settings(host: str, port: int = 0) -> Settings:
    return replace(Settings(), http=replace(Http(), host=host, port=port))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_it_does_not_listen_where_others_can_reach_it(host: str) -> None:
    with pytest.raises(InvalidSettings, match="no key is there"):
        Server(Starlette(), settings(host), keyed=False)


def test_an_address_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUse, match=f"127.0.0.1:{port}: another process listens there") as raised:
            Server(Starlette(), settings("127.0.0.1", port), keyed=False).run(lambda _url: None)
    assert "http.port" in raised.value.hint


def test_what_goes_wrong_when_it_is_ready_is_heard_of() -> None:
    def refuse(_url: str) -> None:
        raise PermissionError("cannot say so")

    with pytest.raises(PermissionError):
        Server(Starlette(), settings("localhost"), keyed=False).run(refuse)
