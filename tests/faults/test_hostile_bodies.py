"""Bodies that are made to hurt: each is refused in words, and the server's memory stays what it was."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import serving
from tests.faults.fire import SECONDS_FOR_ANYTHING, address, furnished
from tests.faults.model import fact

LIMIT = 8 * 2**20
FLAT_MB = 150  # what one body of the largest size may take for a moment, and an allocator keep of it
DEEP = b'{"a":' * 90_000 + b"1" + b"}" * 90_000
EVENT = json.dumps(fact(0, 1).as_json()).encode()


def field(name: str, value: str) -> bytes:
    """An event one of whose fields is written as it is given."""
    return EVENT.replace(f'"{name}": '.encode(), f'"{name}": {value}, "x": '.encode(), 1)


# Body, its encoding, status, and the code of the problem.
HOSTILE: dict[str, tuple[bytes, str, int, str]] = {
    "oversized": (b" " * (LIMIT + 1), "", 413, "body_too_large"),
    "many events": (b'{"events":[' + b"{}," * (LIMIT // 3 - 9) + b"{}]}", "", 413, "body_too_large"),
    "many lists": (b"[" + b"[]," * (LIMIT // 3 - 9) + b"[]]", "", 413, "body_too_large"),
    "many numbers": (b"[" + b"1," * (LIMIT // 2 - 9) + b"1]", "", 400, "invalid_request"),
    "deep": (DEEP, "", 400, "not_json"),
    "deep lists": (b"[" * 150_000, "", 400, "not_json"),
    "bomb": (gzip.compress(bytes(256 * 2**20), 1), "gzip", 413, "body_too_large"),
    "small bomb": (gzip.compress(b" " * LIMIT), "gzip", 413, "body_too_large"),
    "bombs in a row": (gzip.compress(b" " * 2**20) * 30, "gzip", 413, "body_too_large"),
    "bomb in a bomb": (gzip.compress(gzip.compress(bytes(2**26))), "gzip", 400, "not_json"),
    "a name twice": (EVENT.replace(b'"tenant"', b'"tenant": "x", "tenant"'), "", 400, "not_json"),
    "NaN": (field("litres", "NaN"), "", 400, "not_json"),
    "infinity": (field("litres", "-Infinity"), "", 400, "not_json"),
    "overflow": (field("litres", "1e999"), "", 400, "not_json"),
    "huge integer": (EVENT.replace(b'"litres": ', b'"litres": ' + b"9" * 1_000_000), "", 400, "not_json"),
    "lone surrogate": (EVENT.replace(b'"valve": "', b'"valve": "\\ud800'), "", 400, "not_json"),
    "NUL": (EVENT.replace(b'"tenant": "', b'"tenant": "\\u0000'), "", 400, "not_json"),
    "NUL itself": (EVENT.replace(b'"tenant": "', b'"tenant": "\0'), "", 400, "not_json"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """The server's process, and its URL."""
    folder = furnished(tmp_path_factory.mktemp("hostile"))
    settings = folder / "aforo.toml"
    settings.write_text(settings.read_text("utf-8") + "[http]\nbody_seconds = 0.3\n", "utf-8")
    with serving(folder) as (process, url):
        for _ in range(3):
            assert post(url, EVENT)[0] == 202  # all that is loaded when first used is there
        yield process.pid, url


def post(url: str, body: bytes, encoding: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", **({"Content-Encoding": encoding} if encoding else {})}
    with closing(HTTPConnection(*address(url), timeout=SECONDS_FOR_ANYTHING)) as connection:
        connection.request("POST", "/v1/events", body, headers)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_refused_in_words(server: tuple[int, str], name: str) -> None:
    body, encoding, status, code = HOSTILE[name]
    came, reply = post(server[1], body, encoding)
    assert came == status, reply
    assert (reply["code"], bool(reply["detail"])) == (code, True)
    assert post(server[1], EVENT)[0] == 202


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read as Linux tells it")
def test_memory_stays_what_it_was(server: tuple[int, str]) -> None:
    pid, url = server
    for body, encoding, _, _ in HOSTILE.values():
        post(url, body, encoding)
    before = forget_peak(pid)
    for _ in range(3):
        for body, encoding, _, _ in HOSTILE.values():
            post(url, body, encoding)
    assert peak_mb(pid) - before < FLAT_MB


def test_who_leaves_in_the_middle_of_a_body_leaves_nothing(server: tuple[int, str]) -> None:
    event = json.dumps(fact(9, 1).as_json()).encode()
    for length in (0, 1, len(event) // 2, len(event) - 1):
        with closing(begun(server[1], len(event))) as connection:
            connection.sendall(event[:length])
    assert post(server[1], event)[1]["accepted"] == 1


def test_a_body_that_does_not_come_is_not_waited_for(server: tuple[int, str]) -> None:
    with closing(begun(server[1], 1000)) as connection:
        connection.sendall(EVENT[:20])
        reply = connection.makefile("rb").readline()
    assert reply.startswith(b"HTTP/1.1 408 ")
    assert post(server[1], EVENT)[0] == 202


def begun(url: str, length: int) -> socket.socket:
    """A request whose body is still to come."""
    connection = socket.create_connection(address(url), SECONDS_FOR_ANYTHING)
    head = f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
    connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n")
    return connection


def peak_mb(pid: int) -> int:
    """The most memory that a process has had since its peak was forgotten."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def forget_peak(pid: int) -> int:
    Path(f"/proc/{pid}/clear_refs").write_text("5", "utf-8")
    return peak_mb(pid)
