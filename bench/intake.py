"""Events over HTTP: how many are stored a second, and what of the app's own speed the storing leaves.

The server and its senders are processes of their own on the same machine. *Without storing* is the same
server whose engine says at once that all is durable. The server that stores folds meanwhile, as it does for
everybody.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.measure import Figure, processor_seconds, resident_mb  # noqa: E402
from bench.senders import SEPARATOR  # noqa: E402

CONNECTIONS = 32
BATCH, BATCHES, SINGLES = 100, 2_000, 6_000
RUNS = 3
VISITORS, PATHS, TENANTS = 300_000, 2_000, 20


@dataclass(frozen=True, slots=True)
class Run:
    """What one server took: events a second, the 99th percentile of the answers, its memory after it.

    `kept` are the events that it counts as accepted, `processor_us` is what it took for one on all cores.
    """

    rate: float
    processor_us: float
    p99_ms: float
    resident_mb: float
    turned_away: int
    kept: int


def figures() -> list[Figure]:
    """Every figure of the intake that is promised."""
    batches = in_turn(BATCH, BATCHES)
    singles = in_turn(1, SINGLES)
    half = run(BATCH, BATCHES // 2, rate=batches.rate / BATCH / 2)
    most = max(batches.resident_mb, singles.resident_mb, half.resident_mb)
    over = run(BATCH, BATCHES, "--small-queue", rate=2 * batches.rate / BATCH, connections=512)
    sent = BATCH * BATCHES
    return [
        Figure(
            "events stored a second, in batches of 100",
            f"{batches.rate:,.0f}",
            ">= 80,000",
            batches.rate >= 80_000,
        ),
        _ratio("the same, as a share of what is answered without storing", batches.ratio, 0.4),
        _processor("the server's processor time for one of these", batches.processor_us),
        Figure(
            "single events stored a second, 32 connections",
            f"{singles.rate:,.0f}",
            ">= 3,000",
            singles.rate >= 3_000,
        ),
        _ratio("the same, as a share of what is answered without storing", singles.ratio, 0.6),
        _processor("the server's processor time for a single event", singles.processor_us),
        Figure(
            "99 % of batches answered within, at half the top rate",
            f"{half.p99_ms:.0f} ms",
            "<= 100 ms",
            half.p99_ms <= 100,
        ),
        Figure("server memory, the most of these", f"{most:.0f} MB", "<= 600 MB", most <= 600),
        Figure(
            f"of {sent:,} events at twice the top rate and a queue of 20,000, kept once",
            f"{over.kept:,} ({over.turned_away:,} times a 503)",
            "all, some after a 503",
            over.kept == sent and over.turned_away > 0,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Compared:
    """Medians of runs in turn, with storing and without."""

    rate: float
    ratio: float
    processor_us: float
    resident_mb: float


def in_turn(batch: int, requests: int) -> Compared:
    """The server that stores and the one that does not, A B A B."""
    pairs = [(run(batch, requests), run(batch, requests, "--forget")) for _ in range(RUNS)]
    return Compared(
        statistics.median(stored.rate for stored, _ in pairs),
        statistics.median(stored.rate / forgot.rate for stored, forgot in pairs),
        statistics.median(stored.processor_us for stored, _ in pairs),
        max(stored.resident_mb for stored, _ in pairs),
    )


def run(batch: int, requests: int, *options: str, rate: float = 0.0, connections: int = CONNECTIONS) -> Run:
    """One fresh server, and all requests until they are answered with something else than a 503."""
    with tempfile.TemporaryDirectory(prefix="aforo-intake-") as name:
        folder = Path(name)
        bodies = folder / "bodies"
        bodies.write_bytes(SEPARATOR.join(_bodies(batch, requests)))
        with serving(folder / "data", *options) as (url, pid):
            began = processor_seconds(pid)
            sent = subprocess.run(
                [
                    sys.executable,
                    str(ROOT / "bench" / "senders.py"),
                    url,
                    str(bodies),
                    str(connections),
                    str(rate),
                ],
                check=True,
                capture_output=True,
                text=True,
            )
            told: dict[str, Any] = json.loads(sent.stdout)
            took = processor_seconds(pid) - began
            resident = resident_mb(pid)
            kept = _accepted(url)
    rate = batch * requests / told["seconds"]
    processor_us = took / (batch * requests) * 1_000_000
    return Run(rate, processor_us, told["p99_ms"], resident, told["statuses"].get("503", 0), kept)


@contextmanager
def serving(data: Path, *options: str) -> Iterator[tuple[str, int]]:
    """A server over an empty directory, ready, with its process's id."""
    command = [sys.executable, str(ROOT / "bench" / "serving.py"), str(data), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 30
        while not (data / "server.json").exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the server did not start")
            time.sleep(0.05)
        try:
            yield json.loads((data / "server.json").read_text(encoding="utf-8"))["url"], process.pid
        finally:
            process.terminate()


def _accepted(url: str) -> int:
    """How many events a server counts as accepted, each once."""
    lines = urlopen(f"{url}/internal/metrics", timeout=30).read().decode().splitlines()
    counted = (line.split()[-1] for line in lines if line.startswith("aforo_events_accepted_total{"))
    return round(sum(map(float, counted)))


def _bodies(batch: int, requests: int, *, spread: int = 0) -> Iterator[bytes]:
    """Requests' bodies; `spread` evenly over so many tenants, where else a few of 20 have most."""
    chance, now = random.Random(time.time_ns()), datetime.now(UTC)
    for _ in range(requests):
        events = [_event(chance, now, spread=spread) for _ in range(batch)]
        yield json.dumps({"events": events} if batch > 1 else events[0]).encode()


def _event(chance: random.Random, now: datetime, *, spread: int = 0) -> dict[str, object]:
    """A page view of the last ten minutes, one in a hundred of the last three months."""
    back = chance.random() * 600 if chance.random() < 0.99 else chance.random() * 89 * 86_400
    site = chance.randrange(spread) if spread else min(TENANTS - 1, int(chance.expovariate(0.5)))
    return {
        "stream": "views",
        "tenant": f"site-{site}",
        "id": uuid.UUID(int=chance.getrandbits(128)).hex,
        "time": (now - timedelta(seconds=back)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "fields": {
            "path": f"/p/{chance.randrange(PATHS)}",
            "visitor_id": f"v{chance.randrange(VISITORS)}",
            "session": f"s{chance.randrange(10**6)}",
            "source": chance.choice(["direct", "search", "social", "referral"]),
            "device": chance.choice(["mobile", "desktop", "tablet"]),
            "country": chance.choice(["ES", "MX", "AR", "CO"]),
            "duration": round(chance.random() * 300, 3),
            "amount": chance.randrange(100),
        },
    }


def _processor(what: str, value: float) -> Figure:
    return Figure(what, f"{value:.1f} µs", "told", met=True)


def _ratio(what: str, value: float, wanted: float) -> Figure:
    return Figure(what, f"{value:.2f}", f">= {wanted}", value >= wanted)


if __name__ == "__main__":
    for figure in figures():
        print(figure.row())
