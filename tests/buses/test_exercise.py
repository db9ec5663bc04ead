"""What every bus does, whatever carries its messages."""

from __future__ import annotations

import pytest
from tests.buses.rig import Rig, message, number_of, numbers

from aforo.buses.bus import MOST_BYTES, Message
from aforo.errors import MessageRejected


def test_a_message_is_given_out_as_it_was_sent_until_it_is_deleted(rig: Rig) -> None:
    rig.send(1)
    (found,) = rig.take()
    assert found.body == message(1).body
    assert found.receives == 1
    assert found.group == ("g" if rig.ordered else "")
    assert rig.queue.depth() == (0, 1, 0)
    rig.queue.delete([found])
    rig.again(found)
    assert rig.take() == []
    assert rig.queue.depth() == (0, 0, 0)


def test_what_is_in_hand_is_nobody_elses_until_its_time_is_over(rig: Rig) -> None:
    rig.send(1)
    (first,) = rig.take()
    assert rig.take() == []
    rig.again(first)
    (second,) = rig.take()
    assert (second.id, second.body, second.receives) == (first.id, first.body, 2)
    assert second.receipt != first.receipt


def test_nothing_is_lost_and_everybody_gets_something_else(rig: Rig) -> None:
    for number in range(25):
        rig.send(number, group=f"g{number % 12}")
    found: list[int] = []
    while taken := rig.take(7):
        assert len(taken) <= 7
        assert not {*numbers(taken)} & {*found}
        found += numbers(taken)
        rig.queue.delete(taken)
    assert sorted(found) == [*range(25)]


def test_ten_are_the_most_that_are_given_out_at_once(rig: Rig) -> None:
    for number in range(12):
        rig.send(number, group=f"g{number}")
    assert len(rig.take(1_000)) == 10


def test_what_is_given_back_is_given_out_again(rig: Rig) -> None:
    rig.send(1)
    (found,) = rig.take()
    rig.queue.release(found, 0)
    (again,) = rig.take()
    assert again.receives == 2
    rig.queue.release(again, 600)
    assert rig.take() == []


def test_what_is_asked_with_a_receipt_from_before_is_no_error(rig: Rig) -> None:
    rig.send(1)
    (first,) = rig.take()
    rig.queue.delete([first])
    rig.queue.delete([first])
    rig.queue.extend([first], 60)
    rig.queue.release(first, 0)
    assert rig.take() == []


def test_some_that_are_gone_keep_none_from_being_deleted_or_extended(rig: Rig) -> None:
    for number in range(3):
        rig.send(number, group=f"g{number}")
    found = rig.take(3)
    rig.queue.delete(found[:1])
    rig.queue.extend(found, 600)
    rig.queue.delete(found)
    assert rig.queue.depth() == (0, 0, 0)


def test_the_buried_are_kept_with_the_reason_and_are_given_out_again_when_redriven(rig: Rig) -> None:
    rig.send(1, 2)
    found = rig.take(1)
    rig.queue.bury(found[0], "the number\nis odd")
    assert rig.queue.depth() == (1, 0, 1)
    (buried,) = rig.queue.buried(5)
    assert (buried.body, buried.reason) == (found[0].body, "the number is odd")
    (other,) = rig.take()
    assert number_of(other) == 2
    rig.queue.delete([other])
    assert rig.queue.redrive(10) == 1
    assert rig.queue.redrive(10) == 0
    (again,) = rig.take()
    assert (number_of(again), again.receives) == (1, 1)
    rig.queue.delete([again])
    assert rig.queue.depth() == (0, 0, 0)


def test_no_more_are_redriven_than_was_said(rig: Rig) -> None:
    for number in range(14):
        rig.send(number, group=f"g{number}")
    while taken := rig.take():
        for each in taken:
            rig.queue.bury(each, "all are")
    assert rig.queue.redrive(3) == 3
    assert rig.queue.depth() == (3, 0, 11)
    assert rig.queue.redrive(100) == 11


def test_a_message_buried_again_and_redriven_again_is_not_taken_for_known(rig: Rig) -> None:
    rig.send(1)
    for _ in range(3):
        (found,) = rig.take()
        rig.queue.bury(found, "again")
        assert rig.queue.redrive(1) == 1
    assert numbers(rig.take()) == [1]


def test_a_long_or_empty_reason_is_made_to_fit(rig: Rig) -> None:
    rig.send(1, 2)
    for reason in ("x" * 100_000, "\0"):
        rig.queue.bury(rig.take(1)[0], reason)
    reasons = sorted(each.reason for each in rig.queue.buried(2))
    assert reasons[0] == "no reason was given"
    assert reasons[1].startswith("xxx")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "without a body"),
        (b"x" * (MOST_BYTES + 1), "262,145 bytes"),
        (b'"\xff"', "UTF-8"),
        ('"\ufffe"'.encode(), r"U\+FFFE"),
    ],
)
def test_what_some_bus_would_not_carry_is_rejected_by_all(rig: Rig, body: bytes, told: str) -> None:
    with pytest.raises(MessageRejected, match=told):
        rig.topic.publish(Message(body, "g", "d"))
    with pytest.raises(MessageRejected, match="group"):
        rig.topic.publish(Message(b"{}", "", "d"))
    assert rig.take() == []


def test_the_largest_body_and_any_letters_are_carried_and_buried(rig: Rig) -> None:
    largest = ("é𝄞\t\n" * MOST_BYTES).encode()[: MOST_BYTES - 6] + b"......"
    rig.topic.publish(Message(largest.decode("utf-8", "replace").encode()[:MOST_BYTES], "g", "d"))
    (found,) = rig.take()
    assert len(found.body) == MOST_BYTES
    rig.queue.bury(found, "it is large")
    assert rig.queue.redrive(1) == 1
    assert rig.take()[0].body == found.body


@pytest.mark.parametrize("name", ["métrica diaria", "x" * 500, "a b", "\ud800"])
def test_any_group_and_any_id_are_carried(rig: Rig, name: str) -> None:
    rig.topic.publish(Message(b"{}", name, name))
    assert len(rig.take()) == 1


def test_an_id_that_is_known_is_not_sent_again(rig: Rig) -> None:
    if not rig.ordered:
        pytest.skip("a standard queue knows no ids")
    rig.send(1, 1, 2, 1)
    found: list[int] = []
    while taken := rig.take(1):
        found += numbers(taken)
        rig.queue.delete(taken)
    assert found == [1, 2]


def test_a_group_keeps_its_order_and_waits_for_what_is_in_hand(rig: Rig) -> None:
    if not rig.ordered:
        pytest.skip("a standard queue keeps no order")
    rig.send(1, 2, 3, group="a")
    rig.send(4, group="b")
    first = rig.take(1)
    assert numbers(first) == [1]
    assert numbers(rig.take()) == [4]
    rig.queue.release(first[0], 0)
    again = rig.take(1)
    assert numbers(again) == [1]
    rig.queue.delete(again)
    assert numbers(rig.take(1)) == [2]


def test_whoever_waits_is_given_what_comes(rig: Rig) -> None:
    rig.send(1)
    assert numbers(rig.queue.receive(1, 20)) == [1]
