"""Eight senders that send until they have a receipt, and a server that is killed under them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any
from urllib.parse import urlsplit

from tests.cli.conftest import serving
from tests.faults.model import YAML, fact

SENDERS = 8
STEP, BATCH = 20, 30  # each batch begins so much later than the one before, and repeats the rest of it
SECONDS_FOR_ANYTHING = 60
BREAKS_OFF = 0.05  # the share of batches of which half a body is sent first, by a sender that then hangs up


@dataclass
class Where:
    """The address of the server that lives now, and what senders were told by all that lived."""

    changed: Condition = field(default_factory=Condition)
    address: tuple[str, int] | None = None
    acknowledged: int = 0
    accepted: int = 0

    def move(self, address: tuple[str, int] | None) -> None:
        with self.changed:
            self.address = address
            self.changed.notify_all()

    def find(self) -> tuple[str, int]:
        with self.changed:
            assert self.changed.wait_for(lambda: self.address, SECONDS_FOR_ANYTHING), "no server came back"
            assert self.address is not None
            return self.address

    def told(self, accepted: int) -> None:
        with self.changed:
            self.acknowledged += 1
            self.accepted += accepted
            self.changed.notify_all()

    def wait_for_receipts(self, more: int) -> None:
        """Until so many more batches were acknowledged."""
        with self.changed:
            wanted = self.acknowledged + more
            came = self.changed.wait_for(lambda: self.acknowledged >= wanted, SECONDS_FOR_ANYTHING)
            assert came, f"{wanted - self.acknowledged} receipts did not come"


class Sender(Thread):
    """Sends batch after batch of a pool, each until it is acknowledged; another sender sends the same."""

    def __init__(self, number: int, where: Where, seed: int) -> None:
        super().__init__(name=f"sender {number}")
        self.pool = number // 2
        self.where = where
        self.dice = random.Random(f"{seed} {number}")
        self.enough = Event()
        self.end = 0
        self.failure: BaseException | None = None
        self._connection: HTTPConnection | None = None

    def run(self) -> None:
        try:
            batch = 0
            while not self.enough.is_set():
                self._send(batch)
                self.end = batch * STEP + BATCH
                batch += 1
        except BaseException as failure:
            self.failure = failure
        finally:
            self._hang_up()

    def _send(self, batch: int) -> None:
        first = batch * STEP
        events = [fact(self.pool, number).as_json() for number in range(first, first + BATCH)]
        self.dice.shuffle(events)
        body = json.dumps({"events": events}).encode()
        if self.dice.random() < BREAKS_OFF:
            self._break_off(body)
        while (reply := self._post(body)) is None:
            self._hang_up()
        status, receipt = reply
        assert status == 202, receipt
        assert (receipt["accepted"] + receipt["duplicates"], receipt["refused"]) == (BATCH, []), receipt
        self.where.told(receipt["accepted"])

    def _post(self, body: bytes) -> tuple[int, Any] | None:
        """Status and reply; None where there is no telling what became of the events."""
        try:
            connection = self._connected()
            connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            content = reply.read()
        except (OSError, HTTPException):
            return None
        return reply.status, json.loads(content)

    def _break_off(self, body: bytes) -> None:
        try:
            connection = self._connected()
            connection.putrequest("POST", "/v1/events")
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body[: self.dice.randrange(len(body))])
        except (OSError, HTTPException):
            pass  # a server that is gone hears no half of it either
        self._hang_up()

    def _connected(self) -> HTTPConnection:
        if self._connection is None:
            self._connection = HTTPConnection(*self.where.find(), timeout=SECONDS_FOR_ANYTHING)
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@dataclass(frozen=True)
class Served:
    """A server that lives, over a folder."""

    folder: Path
    url: str

    def post(self, path: str, body: object) -> Any:
        """The reply of an address, as its operator."""
        told = json.loads((self.folder / "aforo-data" / "server.json").read_text(encoding="utf-8"))
        connection = HTTPConnection(*address(self.url), timeout=SECONDS_FOR_ANYTHING)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {told['token']}"}
        connection.request("POST", path, json.dumps(body), headers)
        reply = connection.getresponse()
        content = json.loads(reply.read())
        connection.close()
        assert reply.status == 200, content
        return content


def furnished(folder: Path) -> Path:
    """Puts the model of these senders into a folder, and no pack."""
    (folder / "aforo.toml").write_text("packs = []\n", encoding="utf-8")
    models = folder / "aforo-data" / "models"
    models.mkdir(parents=True)
    (models / "fire.yaml").write_text(YAML, encoding="utf-8")
    return folder


@contextmanager
def living(folder: Path, where: Where) -> Iterator[Served]:
    """A server over the folder that the senders find; it is killed at the end, and must have died quietly."""
    with serving(folder) as (process, url):
        where.move(address(url))
        try:
            yield Served(folder, url)
        finally:
            where.move(None)
            process.kill()
            assert process.stderr is not None
            said = process.stderr.read()
    assert "Traceback" not in said, said


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port
