"""Whatever stands between a sender and its receipt, an event counts once, and none is lost (law 2)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.client.conftest import (
    Aforo,
    Misdeed,
    Proxy,
    Sending,
    a_page,
    adds_up,
    another_receipt,
    drop,
    half_an_answer,
    lose_receipt,
    pass_on,
    pass_on_and_hang_up,
    run,
    says,
    too_slow,
)

from aforo.client.backoff import Backoff
from aforo.clock import ManualClock

UNHEARD: list[Misdeed] = [lose_receipt, half_an_answer, too_slow]
UNTAKEN: list[Misdeed] = [
    drop,
    a_page,
    another_receipt,
    says(500),
    says(502, b"<html>"),
    says(307),
    says(408),
    says(429),
]


@pytest.mark.parametrize("misdeed", UNHEARD, ids=lambda each: each.__name__)
def test_a_lost_receipt_makes_no_second_event(
    misdeed: Misdeed, sending: Sending, proxy: Proxy, clock: ManualClock, aforo: Aforo, tenant: str
) -> None:
    sender = sending(timeout_seconds=0.2 if misdeed is too_slow else 30)
    proxy.then(misdeed)
    for _ in range(3):
        sender.track("visits", {"page": "/"})
    assert not sender.flush()
    assert aforo.events(tenant) == sender.statistics().waiting == 3
    run(sender, clock)
    now = sender.statistics()
    assert (now.accepted, now.duplicates, aforo.events(tenant)) == (0, 3, 3)


@pytest.mark.parametrize("misdeed", UNTAKEN, ids=lambda each: each.__name__)
def test_what_has_no_receipt_is_sent_again(
    misdeed: Misdeed, sending: Sending, proxy: Proxy, clock: ManualClock, aforo: Aforo, tenant: str
) -> None:
    sender = sending()
    proxy.then(misdeed, misdeed)
    sender.track("visits", {})
    run(sender, clock)
    assert (len(proxy.came), sender.statistics().accepted, aforo.events(tenant)) == (3, 1, 1)


def test_a_connection_that_was_closed_while_idle_is_no_failure(
    sending: Sending, proxy: Proxy, aforo: Aforo, tenant: str
) -> None:
    sender = sending()
    proxy.then(*[pass_on_and_hang_up] * 3)
    for _ in range(3):
        sender.track("visits", {})
        assert sender.flush()
    assert (aforo.events(tenant), sender.statistics().accepted) == (3, 3)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_when_to_come_back_is_not_asked_before(
    status: int, sending: Sending, proxy: Proxy, clock: ManualClock
) -> None:
    sender = sending(retry_first_seconds=0.5)
    proxy.then(says(status, Retry_After="7"))
    sender.track("visits", {})
    assert not sender.flush()
    assert sender.due_in_seconds() == 7.5  # and the whole of the jitter, so that not all come at once
    clock.advance(7.4)
    assert not sender.flush()
    assert len(proxy.came) == 1
    clock.advance(0.2)
    assert sender.flush()


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ("Fri, 01 Feb 2013 00:00:20 GMT", 20.0),
        ("Thu, 31 Jan 2013 00:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("nan", 0.0),
        ("-5", 0.0),
        ("1e9", 600.0),
    ],
)
def test_when_to_come_back_may_be_a_date_or_nonsense(
    after: str, seconds: float, sending: Sending, proxy: Proxy, clock: ManualClock
) -> None:
    def reply(handler: object) -> None:
        handler.date_time_string = lambda: "Fri, 01 Feb 2013 00:00:00 GMT"  # type: ignore[attr-defined]
        says(503, Retry_After=after)(handler)  # type: ignore[arg-type]

    sender = sending(retry_first_seconds=0.5)
    proxy.then(reply)
    sender.track("visits", {})
    assert not sender.flush()
    assert sender.due_in_seconds() == seconds + 0.5


def test_pauses_double_up_to_their_most_and_are_random_within() -> None:
    most = Backoff(0.5, 8.0, lambda: 1.0)
    assert [most.failed() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert most.succeeded()
    assert not most.succeeded()
    assert most.failed() == 0.5
    drawn = iter([0.25, 0.0, 0.5])
    some = Backoff(4.0, 60.0, lambda: next(drawn))
    assert [some.failed(), some.failed(), some.failed(asked_seconds=30)] == [1.0, 0.0, 38.0]
    for _ in range(5_000):
        assert most.failed() <= 8.0


def test_it_is_said_once_that_the_server_is_away(
    sending: Sending, proxy: Proxy, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "aforo.client")
    sender = sending()
    proxy.then(*[says(500)] * 4)
    sender.track("visits", {})
    run(sender, clock)
    assert caplog.text.count("events wait for the server") == 1
    assert caplog.text.count("takes events again") == 1


DEEDS = st.sampled_from([pass_on, lose_receipt, half_an_answer, drop, says(503), another_receipt, a_page])
STEPS = st.lists(
    st.one_of(st.integers(1, 6), st.sampled_from(["wait", "run", "keep", "restart"])), max_size=25
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(script=st.lists(DEEDS, max_size=8), steps=STEPS, spooled=st.booleans())
def test_every_event_is_accounted_for_and_counts_once(
    script: list[Misdeed],
    steps: list[int | str],
    spooled: bool,
    sending: Sending,
    proxy: Proxy,
    clock: ManualClock,
    aforo: Aforo,
) -> None:
    with TemporaryDirectory() as folder:
        tenant = f"law-{id(steps)}-{clock.now()}"
        clock.advance(0.001)
        proxy.script.clear()
        proxy.then(*script)
        spool = Path(folder) if spooled else None
        make = lambda: sending(tenant=tenant, batch_events=4, queue_events=9, when_full="raise", spool=spool)  # noqa: E731
        sender, tracked = make(), 0
        for step in steps:
            if isinstance(step, int):
                for _ in range(step):
                    if sender.statistics().waiting < 9 or spool is not None:
                        sender.track("visits", {})
                        tracked += 1
            elif step == "wait":
                clock.advance(1)
            elif step == "run":
                sender.run_once()
            elif spool is not None:
                sender.keep() if step == "keep" else sender.close(0)
                sender = make() if step == "restart" else sender
            assert adds_up(sender)
        run(sender, clock)
        sender.close()
        assert aforo.events(tenant) == tracked
