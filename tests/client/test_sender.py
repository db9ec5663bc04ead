"""What goes out, when, and in what company."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.client.conftest import Aforo, Proxy, Sending, adds_up, run, says
from tests.http.conftest import EVENTS_LIMIT

from aforo.client import BY_STREAM, QueueFull, Refused, Sender
from aforo.clock import ManualClock


def test_an_event_gets_an_id_and_the_time_of_the_call(
    sending: Sending, proxy: Proxy, clock: ManualClock, tenant: str
) -> None:
    sender = sending()
    given = sender.track("visits", {"page": "/"})
    clock.advance(100)
    run(sender, clock)
    [request] = proxy.came
    assert request.events == [
        {
            "stream": "visits",
            "tenant": tenant,
            "id": given,
            "time": "2013-02-01T00:00:00Z",
            "fields": {"page": "/"},
        }
    ]
    assert len(given) == 32
    assert given != sender.track("visits", {"page": "/"})


def test_what_an_event_brings_is_kept(sending: Sending, proxy: Proxy, clock: ManualClock) -> None:
    sender = sending(key="secret")
    at = datetime(2013, 1, 5, 12, 0, 0, 250_000, UTC)
    assert sender.track("visits", {"page": at}, id="7", time=at, tenant="other") == "7"
    sender.track("visits", {}, id=BY_STREAM, time="2013-01-05T13:00:00+01:00")
    run(sender, clock)
    first, second = proxy.came[0].events
    written = "2013-01-05T12:00:00.250000Z"
    assert first == {
        "stream": "visits", "tenant": "other", "id": "7", "time": written, "fields": {"page": written},
    }  # fmt: skip
    assert (second["id"], second["time"]) == ("", "2013-01-05T13:00:00+01:00")
    assert proxy.came[0].headers["Authorization"] == "Bearer secret"


def test_the_stream_may_make_the_id(sending: Sending, clock: ManualClock, aforo: Aforo, tenant: str) -> None:
    sender = sending()
    for page in ("/", "/", "/prices"):
        sender.track("visits", {"page": page}, id=BY_STREAM)
    run(sender, clock)
    now = sender.statistics()
    assert (now.accepted, now.duplicates, aforo.events(tenant)) == (2, 1, 2)


def test_what_was_given_may_change_afterwards(sending: Sending, proxy: Proxy, clock: ManualClock) -> None:
    sender, fields = sending(), {"page": "before"}
    sender.track("visits", fields)
    fields["page"] = "after"
    run(sender, clock)
    assert proxy.came[0].events[0]["fields"] == {"page": "before"}


def test_a_batch_goes_when_it_is_full(sending: Sending, proxy: Proxy) -> None:
    sender = sending(batch_events=3)
    for _ in range(2):
        sender.track("visits", {})
    sender.run_once()
    assert proxy.sizes == []
    for _ in range(6):
        sender.track("visits", {})
    for _ in range(9):
        sender.run_once()
    assert proxy.sizes == [3, 3]


def test_a_batch_goes_when_its_oldest_event_has_waited(
    sending: Sending, proxy: Proxy, clock: ManualClock
) -> None:
    sender = sending(flush_after_seconds=2.0)
    assert sender.due_in_seconds() is None
    sender.track("visits", {})
    clock.advance(1.5)
    sender.track("visits", {})
    assert sender.due_in_seconds() == 0.5
    sender.run_once()
    assert proxy.sizes == []
    clock.advance(0.5)
    sender.run_once()
    assert proxy.sizes == [2]


def test_a_batch_is_bounded_in_bytes(sending: Sending, proxy: Proxy, clock: ManualClock) -> None:
    sender = sending(batch_bytes=1_000)
    for _ in range(5):
        sender.track("visits", {"page": "x" * 300})
    sender.run_once()
    sender.run_once()
    assert proxy.sizes == [2, 2]
    with pytest.raises(ValueError, match=r"an event of 1,1.. bytes came, and below 1,000 may"):
        sender.track("visits", {"page": "x" * 1_000})
    run(sender, clock)
    assert proxy.sizes == [2, 2, 1]


def test_batches_share_a_connection_and_are_compressed(
    sending: Sending, proxy: Proxy, clock: ManualClock
) -> None:
    sender = sending(batch_events=20)
    for number in range(60):
        sender.track("visits", {"page": f"/{number}"})
    run(sender, clock)
    assert proxy.sizes == [20, 20, 20]
    assert {each.connection for each in proxy.came} == {1}
    assert {each.headers["Content-Encoding"] for each in proxy.came} == {"gzip"}


def test_the_receipt_is_counted_and_refusals_are_told(
    sending: Sending, clock: ManualClock, aforo: Aforo, tenant: str
) -> None:
    refused: list[Refused] = []
    sender = sending(on_refused=refused.append)
    sender.track("visits", {"page": "/"}, id="same")
    sender.track("visits", {"page": 5}, id="wrong")
    sender.track("visits", {"page": "/"}, id="same")
    sender.track("visit", {}, id="unknown")
    run(sender, clock)
    assert [(each.event["id"], each.code) for each in refused] == [
        ("wrong", "wrong_type"),
        ("unknown", "unknown_stream"),
    ]
    assert "did you mean visits" in refused[1].detail
    now = sender.statistics()
    assert (now.tracked, now.sent, now.accepted, now.duplicates, now.refused) == (4, 4, 1, 1, 2)
    assert aforo.events(tenant) == 1


def test_a_callback_that_fails_stops_nothing(
    sending: Sending, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(each: Refused) -> None:
        raise LookupError(each.code)

    sender = sending(on_refused=fail)
    sender.track("visit", {})
    sender.track("visits", {})
    run(sender, clock)
    assert (sender.statistics().accepted, sender.statistics().refused) == (1, 1)
    assert "on_refused failed" in caplog.text


def test_a_server_that_takes_less_at_once_gets_less(
    sending: Sending, proxy: Proxy, clock: ManualClock, aforo: Aforo, tenant: str
) -> None:
    sender = sending(batch_events=3 * EVENTS_LIMIT)
    for _ in range(4 * EVENTS_LIMIT):
        sender.track("visits", {})
    run(sender, clock)
    assert proxy.sizes[:3] == [300, 150, 75]
    assert aforo.events(tenant) == sender.statistics().accepted == 400
    assert sender.statistics().refused == 0


def test_an_event_that_alone_is_too_large_is_refused(
    sending: Sending, proxy: Proxy, clock: ManualClock
) -> None:
    refused: list[Refused] = []
    sender = sending(on_refused=refused.append)
    proxy.then(says(413, b'{"code": "body_too_large", "detail": "too large"}'))
    sender.track("visits", {}, id="large")
    run(sender, clock)
    assert [(each.event["id"], each.code, each.detail) for each in refused] == [
        ("large", "body_too_large", "too large")
    ]


@pytest.mark.parametrize(
    ("status", "code"), [(401, "unauthorized"), (404, "status_404"), (415, "status_415")]
)
def test_a_request_refused_as_a_whole_is_told_and_not_repeated(
    sending: Sending, proxy: Proxy, clock: ManualClock, status: int, code: str
) -> None:
    refused: list[Refused] = []
    sender = sending(on_refused=refused.append)
    proxy.then(says(status, b'{"code": "unauthorized"}' if status == 401 else b"?"))
    sender.track("visits", {}, id="1")
    sender.track("visits", {}, id="2")
    run(sender, clock)
    assert [(each.event["id"], each.code) for each in refused] == [("1", code), ("2", code)]
    assert (len(proxy.came), sender.statistics().refused) == (1, 2)


@pytest.mark.parametrize(
    ("fields", "time", "says"),
    [
        ({"page": float("nan")}, None, "Out of range float"),
        ({"page": {1, 2}}, None, "a value of type set came"),
        ({"page": "\ud800"}, None, "surrogates not allowed"),
        ({"page": datetime(2013, 1, 1)}, None, "has no time zone"),  # noqa: DTZ001
        ({}, datetime(2013, 1, 1), "has no time zone"),  # noqa: DTZ001
    ],
)
def test_what_json_cannot_say_is_told_at_once(
    sending: Sending, fields: dict[str, object], time: datetime | None, says: str
) -> None:
    sender = sending()
    with pytest.raises(ValueError, match=says):
        sender.track("visits", fields, time=time)
    assert sender.statistics().tracked == 0


def test_values_that_would_break_a_line_do_not(
    sending: Sending, clock: ManualClock, aforo: Aforo, tenant: str
) -> None:
    sender = sending()
    for page in ("a\nb", "c\r\nd", "\u2028\u0085", "é\U0001f600"):
        sender.track("visits", {"page": page})
    run(sender, clock)
    assert (aforo.events(tenant), sender.statistics().accepted) == (4, 4)


def test_a_full_queue_drops_and_counts(sending: Sending, caplog: pytest.LogCaptureFixture) -> None:
    sender = sending(queue_events=2)
    for _ in range(5):
        sender.track("visits", {})
    now = sender.statistics()
    assert (now.tracked, now.waiting, now.dropped) == (5, 2, 3)
    assert caplog.text.count("events are dropped") == 1
    assert adds_up(sender)


def test_a_full_queue_raises_where_that_is_wanted(sending: Sending, clock: ManualClock) -> None:
    sender = sending(queue_events=2, when_full="raise")
    for _ in range(2):
        sender.track("visits", {})
    with pytest.raises(QueueFull, match="2 events wait"):
        sender.track("visits", {})
    run(sender, clock)
    assert sender.statistics().accepted == sender.statistics().tracked == 2


def test_flush_sends_without_waiting_for_more(sending: Sending, proxy: Proxy) -> None:
    sender = sending()
    sender.track("visits", {})
    assert sender.flush()
    assert proxy.sizes == [1]
    proxy.then(says(500))
    sender.track("visits", {})
    assert not sender.flush()


def test_closing_sends_what_waits_and_takes_no_more(sending: Sending, proxy: Proxy) -> None:
    sender = sending()
    sender.track("visits", {})
    assert sender.close()
    assert sender.close()
    assert proxy.sizes == [1]
    with pytest.raises(RuntimeError, match="was closed"):
        sender.track("visits", {})


def test_closing_without_a_spool_says_what_is_lost(sending: Sending, proxy: Proxy) -> None:
    sender = sending()
    proxy.then(says(500))
    sender.track("visits", {})
    assert not sender.close()
    assert (sender.statistics().dropped, sender.statistics().waiting) == (1, 0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"url": "ftp://a"}, "is no URL"), ({"key": "a\n"}, "a key is of"), ({"batch_events": 0}, "above 0")],
)
def test_what_cannot_be_meant(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Sender(**{"url": "http://127.0.0.1:1", **wrong})  # type: ignore[arg-type]
