"""Segment's own library for Python, as it comes from PyPI, sends to a server that listens."""

from __future__ import annotations

import atexit
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from urllib.request import Request, urlopen

import pytest
from segment import analytics
from segment.analytics import request
from segment.analytics.client import Client
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.client.conftest import (
    SECONDS_FOR_ANYTHING,
    Aforo,
    half_an_answer,
    listening,
    lose_receipt,
    misbehaving,
    says,
)
from tests.http.conftest import TOKEN, House, settings_in, standing
from tests.http.shop import SHOP

from aforo.clock import SystemClock
from aforo.events.buffer import Buffer
from aforo.events.intake import Intake
from aforo.http.app import create_app
from aforo.model.reading import read_model

PAGE = Path(__file__).parents[2] / "docs/how-to/take-segments-calls.md"
TENANT = "corner"
AFTERNOON = datetime(2013, 1, 31, 17, 5, tzinfo=UTC)
Libraries = Callable[..., Client]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield from standing(settings_in(tmp_path), SHOP)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Libraries]:
    """Clients of the library, which fail the test when they give something up; gone when it ends."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made: list[Client] = []
    given_up: list[object] = []

    def make(url: str, **more: Any) -> Client:
        made.append(
            Client(
                TENANT,
                host=url,
                upload_interval=0.05,
                max_total_backoff_duration=SECONDS_FOR_ANYTHING,
                on_error=lambda error, batch: given_up.append((error, batch)),
                **more,
            )
        )
        return made[-1]

    yield make
    for client in made:
        client.shutdown()
        atexit.unregister(client.join)
    request._session.close()
    assert given_up == []


def order(client: Client, number: int) -> None:
    client.track(
        f"user-{number % 7}",
        "Order Completed",
        {"total": number, "order": f"o-{number}"},
        timestamp=AFTERNOON + timedelta(milliseconds=number),
    )


def asked(server: Aforo, *metrics: str, on: str) -> dict[str, Any]:
    """The server's answer for one day, after a fold."""
    posted(server, "/v1/fold", {})
    question = {"tenant": TENANT, "from": on, "to": on, "grain": "total"}
    return {
        metric: posted(server, "/v1/query", {**question, "metrics": [metric]})["rows"][0][metric]
        for metric in metrics
    }


def today(house: House) -> str:
    return datetime.fromtimestamp(house.clock.now() / 1e6, UTC).date().isoformat()


def posted(server: Aforo, path: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    sent = Request(server.url + path, json.dumps(body).encode(), headers)
    with urlopen(sent, timeout=SECONDS_FOR_ANYTHING) as reply:
        return json.loads(reply.read())


@pytest.mark.parametrize("gzip", [False, True])
def test_every_call_is_taken_as_the_library_sends_it(house: House, library: Libraries, gzip: bool) -> None:
    """At the library's own time: the moment of each call."""
    house.clock.set(SystemClock().now())
    with listening(house) as server:
        client = library(server.url, gzip=gzip)
        client.track("u-1", "Order Completed", {"total": 39.9, "order": "o-1"}, {"page": {"path": "/"}})
        client.track(anonymous_id=17, event="Order Completed", properties={"total": 0.1, "order": "o-2"})
        client.page("u-1", "Docs", "Home", {"path": "/docs"})
        client.screen("u-1", "Docs", "Home")
        client.identify("u-1", {"plan": "pro"})
        client.group("u-1", "g-1", {"seats": 12})
        client.alias("anonymous", "u-1")
        client.flush()
        metrics = ("orders", "revenue", "buyers", "seen", "told", "seats", "merged")
        assert asked(server, *metrics, on=today(house)) == {
            "orders": 2,
            "revenue": 40.0,
            "buyers": 2,
            "seen": 2,
            "told": 1,
            "seats": 12,
            "merged": 1,
        }
    assert house.rooms.engine.statistics().outcomes == {"accepted": 9}


def test_the_page_on_it_says_what_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its model is read, and its program, with another address, has its calls counted."""
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("write_key", "host", "default_client"):
        monkeypatch.setattr(analytics, name, getattr(analytics, name))
    for house in standing(settings_in(tmp_path), read_model(blocks["yaml"], source="the page")):
        house.clock.set(SystemClock().now())
        with listening(house) as server:
            exec(blocks["python"].replace("http://127.0.0.1:8321", server.url))
            analytics.shutdown()
            atexit.unregister(analytics.default_client.join)
            request._session.close()
            answer = asked(server, "revenue", "buyers", "page_views", on=today(house))
        assert answer == {"revenue": 39.9, "buyers": 1, "page_views": 1}


def test_a_call_that_no_stream_takes_is_counted_and_not_repeated(house: House, library: Libraries) -> None:
    with listening(house) as server, misbehaving(server) as proxy:
        client = library(proxy.url)
        client.track("u-1", "Order Lost", timestamp=AFTERNOON)
        client.flush()
        assert len(proxy.came) == 1
    assert house.rooms.engine.statistics().outcomes == {"unknown_stream": 1}


def test_receipts_that_are_lost_make_the_library_repeat_and_nothing_counts_twice(
    house: House, library: Libraries
) -> None:
    with listening(house) as server, misbehaving(server) as proxy:
        misdeeds = (lose_receipt, half_an_answer, says(429, Retry_After="1"))
        proxy.then(*misdeeds)
        client = library(proxy.url, upload_size=40)
        for number in range(100):
            order(client, number)
        client.flush()
        assert len(proxy.came) > len(misdeeds)
        answer = asked(server, "orders", "revenue", "buyers", on="2013-01-31")
    assert answer == {"orders": 100, "revenue": 4950.0, "buyers": 7}
    outcomes = house.rooms.engine.statistics().outcomes
    assert outcomes["accepted"] == 200
    assert outcomes["duplicate"] > 0


class Watched:
    """An app that tells when it has answered with a status."""

    def __init__(self, app: ASGIApp, status: int) -> None:
        self._app = app
        self._status = status
        self.answered = Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            await send(message)
            if message.get("status") == self._status:
                self.answered.set()

        await self._app(scope, receive, sending)


def test_a_library_comes_back_to_a_server_that_was_full(house: House, library: Libraries) -> None:
    """The server's own 503 with its Retry-After; then each order counts once."""
    rooms = house.rooms
    full = Buffer(
        rooms.engine,
        house.clock,
        rooms.telemetry,
        future_seconds=600,
        commit_rows=1_000,
        after_seconds=0.0,
        queue_rows=1,
    )
    intake = Intake(rooms.model, full, house.clock, future_seconds=600)
    waiting = intake.take([{"stream": "visits", "tenant": TENANT, "time": "2013-01-31T00:00:00Z"}])
    app = Watched(create_app(replace(rooms, intake=intake), TOKEN), 503)
    with listening(replace(house, app=app)) as server:  # type: ignore[arg-type]  # uvicorn takes any app
        client = library(server.url)
        for number in range(10):
            order(client, number)
        assert app.answered.wait(SECONDS_FOR_ANYTHING)
        assert not waiting.done()
        full.start()
        client.flush()
        answer = asked(server, "orders", "revenue", on="2013-01-31")
        assert full.stop(SECONDS_FOR_ANYTHING)
    assert answer == {"orders": 10, "revenue": 45.0}
    assert rooms.engine.statistics().outcomes == {"accepted": 21}
