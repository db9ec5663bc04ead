"""Senders in processes that end, fork and are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from tests.client.conftest import Aforo, Handler, Proxy, Sending, pass_on
from tests.client.test_spool import kept

from aforo.client import Refused, Sender

SRC = str(Path(__file__).parents[2] / "src")
AT = "2013-01-05T12:00:00Z"
BEGIN = f"""
import os, signal, sys, time
from pathlib import Path
from aforo.client import Sender
url, tenant, spool = sys.argv[1:]
AT = "{AT}"
"""


@contextmanager
def program(text: str, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", BEGIN + text, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": SRC}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def ran(text: str, *words: str | Path) -> str:
    with program(text, *words) as process:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return out


def test_it_imports_nothing_heavy() -> None:
    heavy = "numpy pyarrow duckdb msgspec starlette structlog asyncio ssl http.client email.message"
    text = f"print(*[name for name in {heavy.split()} if name in sys.modules])"
    assert ran(text, "-", "-", "-").strip() == ""


def test_in_the_background_and_flushed(proxy: Proxy, aforo: Aforo, tenant: str) -> None:
    with Sender(proxy.url, tenant=tenant, flush_after_seconds=60, batch_events=40) as sender:
        for _ in range(100):
            sender.track("visits", {}, time=AT)
        assert sender.flush(30)
        assert (aforo.events(tenant), sender.statistics().accepted) == (100, 100)
        sender.track("visits", {}, time=AT)
    assert aforo.events(tenant) == 101


def test_in_the_background_by_age_alone(proxy: Proxy, tenant: str) -> None:
    heard = Event()

    def tell(handler: Handler) -> None:
        pass_on(handler)
        heard.set()

    proxy.then(tell)
    with Sender(proxy.url, tenant=tenant, flush_after_seconds=0.01) as sender:
        sender.track("visits", {}, time=AT)
        assert heard.wait(30)


def test_a_callback_may_flush_track_and_close(proxy: Proxy, tenant: str) -> None:
    done = Event()

    def on_refused(each: Refused) -> None:
        sender.track("visits", {}, time=AT)
        sender.flush()
        sender.close()
        done.set()

    sender = Sender(proxy.url, tenant=tenant, flush_after_seconds=0, on_refused=on_refused)
    sender.track("visit", {}, time=AT)
    assert done.wait(30)


def test_closing_does_not_wait_for_an_answer_that_does_not_come(
    proxy: Proxy, tenant: str, tmp_path: Path
) -> None:
    arrived = Event()

    def never(handler: Handler) -> None:
        arrived.set()
        handler.connection.recv(1)
        handler.close_connection = True

    proxy.then(never)
    sender = Sender(proxy.url, tenant=tenant, flush_after_seconds=0, spool=tmp_path)
    sender.track("visits", {}, time=AT, id="1")
    assert arrived.wait(30)
    assert sender.close(0.01)
    assert kept(tmp_path) == ["1"]


def test_what_waits_is_sent_when_the_process_ends(
    proxy: Proxy, aforo: Aforo, tenant: str, tmp_path: Path
) -> None:
    ran(
        """
sender = Sender(url, tenant=tenant, flush_after_seconds=60)
for _ in range(7):
    sender.track("visits", {}, time=AT)
""",
        proxy.url,
        tenant,
        tmp_path,
    )
    assert aforo.events(tenant) == 7


def test_what_cannot_be_sent_when_the_process_ends_is_kept(proxy: Proxy, tenant: str, tmp_path: Path) -> None:
    ran(
        """
sender = Sender("http://127.0.0.1:9", tenant=tenant, flush_after_seconds=60, spool=Path(spool))
for number in range(7):
    sender.track("visits", {}, time=AT, id=str(number))
""",
        proxy.url,
        tenant,
        tmp_path,
    )
    assert kept(tmp_path) == [str(number) for number in range(7)]


def test_the_page_works_as_it_is_written(proxy: Proxy, aforo: Aforo, tenant: str, tmp_path: Path) -> None:
    """Only what must differ here differs: where the server is, and which year it believes it is there."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "send-from-python.md").read_text("utf-8")
    program = page.split("```python\n")[1].split("```")[0]
    for written, here in (
        ("http://127.0.0.1:8321", proxy.url),
        ('"corner"', repr(tenant)),
        ('{"page": "/"})', f'{{"page": "/"}}, time="{AT}")'),
    ):
        assert written in program
        program = program.replace(written, here)
    ran(f"os.chdir(spool)\n{program}", "-", tenant, tmp_path)
    assert aforo.events(tenant) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_a_forked_child_begins_with_nothing_waiting(
    proxy: Proxy, aforo: Aforo, tenant: str, tmp_path: Path
) -> None:
    out = ran(
        """
sender = Sender(url, tenant=tenant, flush_after_seconds=60, spool=Path(spool))
sender.track("visits", {}, time=AT, id="before")
sender.flush()
sender.track("visits", {}, time=AT, id="parent")
sender.keep()
sender.track("visits", {}, time=AT, id="parent too")
child = os.fork()
if child == 0:
    print(sender.statistics().tracked, sender.statistics().waiting, sender.statistics().spooled)
    sender.track("visits", {}, time=AT, id="child")
    print(sender.flush(30), sender.statistics().accepted, sender.statistics().found, flush=True)
    sender.close()
    os._exit(0)
os.waitpid(child, 0)
sender.close(30)
print(sender.statistics().accepted, sender.statistics().duplicates)
""",
        proxy.url,
        tenant,
        tmp_path,
    )
    assert out.split("\n") == ["0 0 0", "True 1 0", "3 0", ""]
    assert aforo.events(tenant) == 4
    assert list(tmp_path.iterdir()) == []


KEEPING = """
sender = Sender("http://127.0.0.1:9", tenant=tenant, batch_events=5, flush_after_seconds=0, spool=Path(spool))
for number in range(1_000_000):
    sender.track("visits", {"page": "x" * 200}, time=AT, id=str(number))
    if number % 20 == 19:
        assert sender.keep()
        print(number, flush=True)
"""


@pytest.mark.parametrize("reports", [1, 9])
def test_kill_9_loses_nothing_that_was_kept(
    sending: Sending, aforo: Aforo, tenant: str, tmp_path: Path, reports: int
) -> None:
    with program(KEEPING, "-", tenant, tmp_path) as process:
        assert process.stdout is not None
        for _ in range(reports):
            promised = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    on_the_disk = set(kept(tmp_path))
    assert {str(number) for number in range(promised + 1)} <= on_the_disk
    sender = sending(spool=tmp_path, batch_events=50, batch_bytes=60_000)
    while not sender.flush():
        pass
    assert aforo.events(tenant) == len(on_the_disk)
    assert sender.close()
    assert list(tmp_path.iterdir()) == []


SENDING = """
sender = Sender(url, tenant=tenant, batch_events=10, flush_after_seconds=60, spool=Path(spool))
for number in range(95):
    sender.track("visits", {}, time=AT, id=str(number))
sender.keep()
sender.flush(60)
"""


@pytest.mark.parametrize("requests", [0, 5])
@pytest.mark.parametrize("stored", [True, False], ids=["stored", "not stored"])
def test_kill_9_while_sending_makes_no_second_event(
    sending: Sending, proxy: Proxy, aforo: Aforo, tenant: str, tmp_path: Path, requests: int, stored: bool
) -> None:
    """Killed after so many receipts, with a request under way that the server took, or did not."""
    before = Event()

    def kill(handler: Handler) -> None:
        if stored:
            handler.asked()
        before.set()
        handler.connection.recv(1)  # until the process is gone
        handler.close_connection = True

    proxy.then(*[pass_on] * requests, kill)
    with program(SENDING, proxy.url, tenant, tmp_path) as process:
        assert before.wait(30)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    taken = {each["id"] for came in proxy.came[: requests + stored] for each in came.events}
    assert aforo.events(tenant) == len(taken)
    sender = sending(spool=tmp_path)
    assert sender.flush()
    assert aforo.events(tenant) == 95
    now = sender.statistics()
    assert (now.found, now.accepted + now.duplicates) == (95, 95)
