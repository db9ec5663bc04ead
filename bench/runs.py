"""How soon an update of a dataset is a request for a run: `python bench/runs.py [--seconds 60] [--record]`.

Every update makes one request, in one transaction; the time is that from handing the update in until both are
committed, when any other connection sees the request in the outbox. PostgreSQL is the one of the tests'
packages, on a socket, with fsync. The way through queues is that through moto's SQS and SNS over HTTP, which
run in this process too. What is logged of each update is written nowhere.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import msgspec  # noqa: E402
from bench.measure import Figure, in_turn, machine, table  # noqa: E402
from bench.updates import GROUNDS, Tenant, quiet  # noqa: E402
from tests.amazon import REGION  # noqa: E402
from tests.buses.clouds import account  # noqa: E402
from tests.store.postgres import DURABLE, programs_of, server_of  # noqa: E402

from aforo.assembly.consuming import consumer_of  # noqa: E402
from aforo.buses.bus import Message  # noqa: E402
from aforo.buses.opening import bus_of  # noqa: E402
from aforo.clock import SystemClock  # noqa: E402
from aforo.objects.opening import Opener  # noqa: E402
from aforo.runs.reactive import Reactive  # noqa: E402
from aforo.settings import Aws, Buses, Settings  # noqa: E402
from aforo.store.channel import Channel  # noqa: E402
from aforo.store.connect import Store  # noqa: E402
from aforo.telemetry import Telemetry  # noqa: E402

METRICS, RATE, SECONDS = 250, 50, 60
PENDING, PENDING_ROUNDS, PENDING_UPDATES = 10_000, 7, 100
PROCESSES, UPDATES_EACH = 4, 500
MESSAGES, MESSAGE_SECONDS = 100, 30
HEADING = "## How soon an update is a request for a run"
P50_MS, P99_MS = {"SQLite": 5, "PostgreSQL": 10}, {"SQLite": 50, "PostgreSQL": 100}


def figures(seconds: int) -> list[Figure]:
    """All of them, over stores of their own."""
    with tempfile.TemporaryDirectory(prefix="aforo-runs-") as name:
        urls = (f"sqlite:///{name}/{number}/control.db" for number in itertools.count())
        found = [*_of_store("SQLite", urls, seconds), _one_process(next(urls))]
        programs = programs_of(18)
        assert programs is not None, "the tests' packages bring it"
        with server_of(programs, DURABLE) as server:
            fresh = (_made(server, f"bench_{number}") for number in itertools.count())
            found += [*_of_store("PostgreSQL", fresh, seconds), _processes(next(fresh))]
        return [*found, _through_queues(next(urls))]


def _made(server: object, database: str) -> str:
    server.run("CREATE DATABASE {}", database)  # type: ignore[attr-defined]
    return str(server.url(database))  # type: ignore[attr-defined]


def _of_store(kind: str, urls: Iterator[str], seconds: int) -> list[Figure]:
    with _tenant(next(urls)) as tenant:
        tenant.round(METRICS)  # every statement has been prepared
        alone = tenant.round(METRICS)
        took, processor_ms = sorted(alone.took), alone.processor / METRICS * 1000
        late = sorted(_steadily(tenant, seconds))
    with _tenant(next(urls)) as few, _tenant(next(urls)) as many:
        many.leave_pending(PENDING)
        for each in (few, many):
            each.round(PENDING_UPDATES)
        _, _, ratio = in_turn(partial(_median_of, few), partial(_median_of, many), PENDING_ROUNDS)
    p50, p99 = statistics.median(took) * 1000, _p99(took) * 1000
    late50, late99, most = statistics.median(late) * 1000, _p99(late) * 1000, late[-1] * 1000
    return [
        Figure(
            f"{kind}: update to request, median of {METRICS}",
            f"{p50:.1f} ms (99 %: {p99:.1f} ms; {processor_ms:.1f} ms of processor time)",
            f"<= {P50_MS[kind]} ms",
            p50 <= P50_MS[kind],
        ),
        Figure(
            f"{kind}: the same at {RATE} a second for {seconds} s, 99 %",
            f"{late99:.1f} ms (median {late50:.1f} ms, most {most:.1f} ms)",
            f"<= {P99_MS[kind]} ms",
            late99 <= P99_MS[kind],
        ),
        Figure(
            f"{kind}: the same beside {PENDING:,} pending runs, median of {PENDING_ROUNDS} pairs",
            f"{ratio:.2f} x",
            "<= 1.3 x",
            ratio <= 1.3,
        ),
    ]


def _steadily(tenant: Tenant, seconds: int) -> list[float]:
    """Seconds from when an update was due until its request was committed; each run is ended afterwards."""
    took: list[float] = []
    began = time.perf_counter()
    for number in range(RATE * seconds):
        due = began + number / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        made = tenant.update(f"d{number % METRICS}")
        took.append(time.perf_counter() - due)
        assert len(made) == 1, "every update makes one request"
        tenant.end(made[0])
    return took


def _median_of(tenant: Tenant) -> float:
    return statistics.median(tenant.round(PENDING_UPDATES).took)


def _one_process(url: str) -> Figure:
    rate = _rate(url, 1)
    return Figure("SQLite: updates a second, one process", f"{rate:,.0f}", ">= 200", rate >= 200)


def _processes(url: str) -> Figure:
    rate = _rate(url, PROCESSES)
    what = f"PostgreSQL: updates a second, {PROCESSES} processes"
    return Figure(what, f"{rate:,.0f}", ">= 500", rate >= 500)


def _rate(url: str, processes: int) -> float:
    """Updates a second, from the first process that begins to the last that ends."""
    Store(Path("unused"), url).close()
    command = [sys.executable, str(ROOT / "bench" / "updates.py"), url]
    started = [
        subprocess.Popen(
            [*command, f"tenant{number}", str(UPDATES_EACH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n", "it says why on stderr"
    for each in started:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    told = [json.loads(each.communicate()[0]) for each in started]
    assert all(each["requests"] == UPDATES_EACH for each in told), "every update makes one request"
    took = max(each["ended"] for each in told) - min(each["began"] for each in told)
    return processes * UPDATES_EACH / float(took)


def _through_queues(url: str) -> Figure:
    """From an update's message sent to SQS until the request is received from the queue behind SNS."""
    with _cloud() as aws, _tenant(url, MESSAGES) as tenant:
        settings = Settings(aws=aws, buses=Buses(kind="aws", wait_seconds=1))
        clock, telemetry = SystemClock(), Telemetry()
        reactive = Reactive(
            tenant.store,
            bus_of(settings, tenant.store, clock),
            clock,
            telemetry,
            settings.runs,
            grounds=GROUNDS,
            objects=Opener(),
            fold_of=lambda _stream, _tenant: None,
            consume=partial(consumer_of, settings, clock, telemetry),
            dice=random.Random(1),
        )
        reactive.start()
        took = sorted(_there_and_back(reactive, tenant))
        reactive.stop()
    value = f"{statistics.median(took) * 1000:.0f} ms (99 %: {_p99(took) * 1000:.0f} ms)"
    return Figure(
        f"message in to message out, SQS and SNS of moto, median of {MESSAGES}", value, "told", True
    )


def _there_and_back(reactive: Reactive, tenant: Tenant) -> Iterator[float]:
    inward = reactive.bus.topic(Channel.PROJECTION_UPDATES)
    outward = reactive.bus.queue(Channel.METRIC_RUN_REQUESTS)
    for number in range(MESSAGES):
        event = tenant.event(f"d{number}", number + 2)
        began = time.perf_counter()
        inward.publish(Message(body=msgspec.json.encode(event), group="bench", dedup=event.key))
        while not (found := outward.receive(1, 1)):
            assert time.perf_counter() - began < MESSAGE_SECONDS, "every update makes one request"
        yield time.perf_counter() - began
        outward.delete(found)


@contextmanager
def _cloud() -> Iterator[Aws]:
    from moto.server import ThreadedMotoServer

    for each in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[each] = "of-a-bench"  # moto does not look at it
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint_url = f"http://{host}:{port}"
        cloud = account(endpoint_url)
        names = ("requests", "started", "heartbeats", "completed", "updates")
        queues = {name: cloud.queue(fifo=False) for name in names}
        yield Aws(
            region=REGION,
            endpoint_url=endpoint_url,
            requests_topic_arn=cloud.topic(queues["requests"], fifo=False, raw=False),
            **{f"{name}_queue_url": queue for name, queue in queues.items()},
            **{f"{name}_dead_letter_url": cloud.queue(fifo=False) for name in names},
        )
    finally:
        server.stop()


@contextmanager
def _tenant(url: str, count: int = METRICS) -> Iterator[Tenant]:
    store = Store(Path("unused"), url)
    try:
        yield Tenant(store, "acme", count)
    finally:
        store.close()


def _p99(took: list[float]) -> float:
    return took[int(len(took) * 0.99)]


def section(found: list[Figure], seconds: int) -> str:
    """What stands in docs/benchmarks.md."""
    today = datetime.datetime.now(datetime.UTC).date()
    load = os.getloadavg()[0]
    lines = [
        HEADING,
        "",
        f"`python bench/runs.py --seconds {seconds} --record`, {machine()}, {today},",
        f"load {load:.1f} when it ended. Every update makes one request, of a metric of two datasets;",
        "the time is that until both are committed. PostgreSQL 18 on the same machine, with fsync.",
        "",
        table(found),
    ]
    return "\n".join(lines) + "\n"


def record(text: str) -> None:
    """Puts the section in the place of the one before; what people wrote below the table stays."""
    page = ROOT / "docs" / "benchmarks.md"
    before, heading, after = page.read_text(encoding="utf-8").partition(HEADING)
    if not heading:
        page.write_text(f"{before.rstrip()}\n\n{text}", encoding="utf-8")
        return
    lines = after.splitlines(keepends=True)
    ends = next(at for at, line in enumerate(lines) if line.startswith("|---")) + 1
    while ends < len(lines) and lines[ends].startswith("|"):
        ends += 1
    page.write_text(before + text + "".join(lines[ends:]), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    quiet()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # moto would tell each request
    found = figures(asked.seconds)
    text = section(found, asked.seconds)
    print(text)
    if asked.record:
        record(text)
    return 0 if all(figure.met for figure in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
