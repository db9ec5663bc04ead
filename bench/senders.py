"""Senders of events over HTTP that cost little themselves: bodies made before, sockets of one thread.

Run as a process of its own: `python bench/senders.py URL FILE CONNECTIONS RATE`, with the bodies in FILE
and 0 for as fast as they are answered. Prints what came of it as JSON.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SEPARATOR = b"\n\x1e\n"
HEAD = (
    "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
)


@dataclass(slots=True, eq=False)
class Connection:
    """A socket, the number of the request that it waits for, when that was sent, and what has come so far."""

    socket: socket.socket
    number: int = -1
    since: float = 0.0
    came: bytearray = field(default_factory=bytearray)


def posted(url: str, path: str, body: bytes) -> bytes:
    """A request that brings JSON."""
    return HEAD.format(path=path, host=urlsplit(url).netloc, size=len(body)).encode() + body


def asked(url: str, path: str) -> bytes:
    """A request that asks a path with its query string."""
    return f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n\r\n".encode()


def drive(url: str, requests: list[bytes], connections: int, rate: float) -> dict[str, Any]:
    """Sends every request until it is taken, at most `rate` a second (0: none is held back)."""
    address = urlsplit(url)
    selector = selectors.DefaultSelector()
    idle: deque[Connection] = deque()
    for _ in range(connections):
        made = socket.create_connection((address.hostname, address.port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(made)
        selector.register(made, selectors.EVENT_READ, connection)
        idle.append(connection)
    waiting = deque(range(len(requests)))
    later: deque[tuple[float, int]] = deque()  # turned away: when to send again, and which
    seconds: list[float] = []
    statuses: Counter[int] = Counter()
    done = sent = 0
    started = time.perf_counter()
    while done < len(requests):
        now = time.perf_counter()
        while later and later[0][0] <= now:
            waiting.append(later.popleft()[1])
        while waiting and idle and (not rate or sent <= rate * (now - started)):
            connection = idle.popleft()
            connection.number, connection.since = waiting.popleft(), now
            connection.socket.sendall(requests[connection.number])
            sent += 1
        for key, _ in selector.select(0.001 if rate or later else None):
            connection = key.data
            if connection in idle and not connection.socket.recv(1, socket.MSG_PEEK):
                # Nothing was left to ask for so long that the server let go of it.
                selector.unregister(connection.socket)
                idle.remove(connection)
                continue
            status = _answer(connection)
            if status is None:
                continue
            statuses[status] += 1
            if status == 503:
                later.append((time.perf_counter() + 1.0, connection.number))
            else:
                seconds.append(time.perf_counter() - connection.since)
                done += 1
            idle.append(connection)
    took = time.perf_counter() - started
    ranked = sorted(seconds)
    return {
        "seconds": took,
        "statuses": dict(statuses),
        "p50_ms": ranked[len(ranked) // 2] * 1000,
        "p95_ms": ranked[int(len(ranked) * 0.95)] * 1000,
        "most_ms": ranked[-1] * 1000,
        "p99_ms": ranked[int(len(ranked) * 0.99)] * 1000,
    }


def _answer(connection: Connection) -> int | None:
    """The status of an answer that has come whole."""
    part = connection.socket.recv(1 << 16)
    if not part:
        raise ConnectionError("the server closed a connection")
    came = connection.came
    came += part
    end = came.find(b"\r\n\r\n")
    if end < 0:
        return None
    at = came.lower().find(b"content-length:", 0, end)
    size = int(came[at + 15 : came.find(b"\r\n", at)])
    if len(came) < end + 4 + size:
        return None
    status = int(came[9:12])
    came.clear()
    return status


def main() -> None:
    url, file, connections, rate = sys.argv[1:]
    bodies = Path(file).read_bytes().split(SEPARATOR)
    requests = [posted(url, "/v1/events", body) for body in bodies]
    print(json.dumps(drive(url, requests, int(connections), float(rate))))


if __name__ == "__main__":
    main()
