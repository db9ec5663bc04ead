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
from urllib.parse import urlsplit

SEPARATOR = b"\n\x1e\n"
HEAD = (
    "POST /v1/events HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    "Content-Length: {size}\r\n\r\n"
)


@dataclass(slots=True)
class Connection:
    """A socket, the number of the request that it waits for, when that was sent, and what has come so far."""

    socket: socket.socket
    number: int = -1
    since: float = 0.0
    came: bytearray = field(default_factory=bytearray)


def drive(url: str, bodies: list[bytes], connections: int, rate: float) -> dict[str, object]:
    """Sends every body until it is taken, at most `rate` requests a second (0: none is held back)."""
    address = urlsplit(url)
    requests = [HEAD.format(host=address.netloc, size=len(body)).encode() + body for body in bodies]
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
    print(json.dumps(drive(url, bodies, int(connections), float(rate))))


if __name__ == "__main__":
    main()
