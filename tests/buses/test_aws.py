"""SNS and SQS: what they refuse, what they fail with in part, and what others put into their queues."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.amazon import REGION
from tests.buses.clouds import Account, account
from tests.buses.faulty import Fault, Faulty, faulty_server
from tests.buses.rig import Rig, message, numbers

from aforo.buses.aws import SETTINGS, AwsBus
from aforo.buses.bus import Message
from aforo.buses.envelope import unwrapped
from aforo.buses.local import LocalBus
from aforo.buses.opening import bus_of
from aforo.clock import SystemClock
from aforo.errors import BusUnavailable, InvalidSettings, MessageRejected
from aforo.settings import Aws, Buses, Settings
from aforo.store.channel import Channel
from aforo.store.connect import Store

OK, DOWN = "200 OK", "500 Internal Server Error"


def failed(*ids: int) -> dict[str, object]:
    """A reply that says of some that SQS failed with them, and of no other anything else."""
    return {"Failed": [{"Id": str(n), "Code": "InternalError", "SenderFault": False} for n in ids]}


@pytest.fixture
def faulty(amazon: str) -> Iterator[Faulty]:
    with faulty_server() as faulty:
        yield faulty


@pytest.fixture
def troubled(cloud: Account, faulty: Faulty) -> Iterator[Rig]:
    """A FIFO bus that is asked through the server with faults."""
    through = account(faulty.url)
    yield through.rig(cloud.made(fifo=True, raw=True), fifo=True)
    through.sns.close()
    through.sqs.close()


def three_in_hand(rig: Rig) -> None:
    for number in range(3):
        rig.send(number, group=f"g{number}")


def test_those_of_a_batch_that_failed_are_asked_for_again(troubled: Rig, faulty: Faulty) -> None:
    three_in_hand(troubled)
    found = troubled.take()
    faulty.faults.append(Fault("DeleteMessageBatch", OK, failed(0, 2)))
    faulty.asked.clear()
    troubled.queue.delete(found)
    assert faulty.asked == ["DeleteMessageBatch"] * 2
    # What SQS said nothing of counts as done, and the others were.
    left = troubled.queue.depth()
    assert left == (0, 1, 0)


def test_what_fails_to_the_last_is_told_and_all_others_are_done(troubled: Rig, faulty: Faulty) -> None:
    for number in range(13):
        troubled.send(number, group=f"g{number}")
    found = [*troubled.take(), *troubled.take()]
    assert len(found) == 13
    faulty.faults.extend([Fault("DeleteMessageBatch", OK, failed(4), done=True)] * 3)
    with pytest.raises(BusUnavailable, match="failed with 1 of 13 messages"):
        troubled.queue.delete(found)
    assert troubled.queue.depth() == (0, 0, 0)


def test_a_message_whose_deleting_failed_after_its_burial_lies_there_once(
    troubled: Rig, faulty: Faulty
) -> None:
    troubled.send(1)
    (found,) = troubled.take()
    faulty.faults.append(Fault("DeleteMessageBatch", DOWN, {"__type": "InternalError"}))
    with pytest.raises(BusUnavailable):
        troubled.queue.bury(found, "it is odd")
    troubled.again(found)
    (again,) = troubled.take()
    troubled.queue.bury(again, "it is odd")
    assert troubled.queue.depth() == (0, 0, 1)


def test_a_redriven_message_whose_deleting_failed_comes_once(troubled: Rig, faulty: Faulty) -> None:
    troubled.send(1)
    troubled.queue.bury(troubled.take()[0], "it is odd")
    faulty.faults.append(Fault("DeleteMessage", DOWN, {"__type": "InternalError"}, done=True))
    with pytest.raises(BusUnavailable):
        troubled.queue.redrive(1)
    assert troubled.queue.redrive(1) == 0
    assert numbers(troubled.take()) == [1]
    assert troubled.take() == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (DOWN, "InternalError"),
        ("400 Bad Request", "ThrottlingException"),
        ("400 Bad Request", "com.amazonaws.sqs#QueueDoesNotExist"),
        ("403 Forbidden", "AccessDenied"),
    ],
)
def test_what_may_be_mended_makes_no_message_a_bad_one(
    cloud: Account, faulty: Faulty, status: str, code: str
) -> None:
    through = account(faulty.url)
    rig = through.rig(cloud.made(through_topic=False))
    faulty.faults.append(Fault("SendMessage", status, {"__type": code, "message": "not now"}))
    with pytest.raises(BusUnavailable, match="not now"):
        rig.send(1)
    rig.send(1)
    assert numbers(rig.take()) == [1]
    through.sns.close()
    through.sqs.close()


@pytest.mark.parametrize("code", ["InvalidMessageContents", "InvalidParameterValue"])
def test_what_is_wrong_with_a_message_rejects_it(cloud: Account, faulty: Faulty, code: str) -> None:
    through = account(faulty.url)
    rig = through.rig(cloud.made(through_topic=False))
    faulty.faults.append(
        Fault("SendMessage", "400 Bad Request", {"__type": code, "message": "not this message"})
    )
    with pytest.raises(MessageRejected, match="not this message"):
        rig.send(1)
    faulty.faults.append(Fault("ReceiveMessage", "400 Bad Request", {"__type": code, "message": "no"}))
    with pytest.raises(BusUnavailable, match="no"):
        rig.take()
    through.sns.close()
    through.sqs.close()


def test_a_topic_that_is_not_there_is_no_fault_of_a_message(cloud: Account) -> None:
    aws = cloud.made()
    assert aws.requests_topic_arn is not None
    gone = replace(aws, requests_topic_arn=aws.requests_topic_arn + "-gone")
    with pytest.raises(BusUnavailable, match="gone") as told:
        cloud.rig(gone).send(1)
    assert "does it exist" in told.value.hint


def test_a_server_that_is_not_there(cloud: Account) -> None:
    nowhere = account("http://127.0.0.1:1")
    rig = nowhere.rig(cloud.made())
    for ask in (rig.take, rig.queue.depth, lambda: rig.send(1), lambda: rig.queue.redrive(1)):
        with pytest.raises(BusUnavailable, match="cannot be reached"):
            ask()
    nowhere.sns.close()
    nowhere.sqs.close()


def test_without_credentials_one_is_told_where_they_are_looked_for(
    cloud: Account, amazon: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    nobody = account(amazon)
    with pytest.raises(BusUnavailable) as told:
        nobody.rig(cloud.made()).send(1)
    assert "role of the machine" in told.value.hint
    nobody.sns.close()
    nobody.sqs.close()


def test_what_sqs_buries_by_its_own_policy_is_seen_and_redriven_as_it_was_sent(cloud: Account) -> None:
    dead = cloud.queue(fifo=False)
    policy = json.dumps({"deadLetterTargetArn": cloud.arn(dead), "maxReceiveCount": 1})
    queue = cloud.queue(fifo=False, RedrivePolicy=policy)
    topic = cloud.topic(queue, fifo=False, raw=False)
    rig = cloud.rig(Aws(requests_topic_arn=topic, requests_queue_url=queue, requests_dead_letter_url=dead))
    rig.send(1)
    (found,) = rig.take()
    rig.again(found)
    assert rig.take() == []
    (buried,) = rig.queue.buried(1)
    assert (buried.body, buried.reason) == (message(1).body, "")
    assert rig.queue.redrive(10) == 1
    assert rig.take()[0].body == message(1).body


def test_what_others_send_straight_into_a_queue_is_taken_too(cloud: Account) -> None:
    aws = cloud.made()
    cloud.sqs.send_message(QueueUrl=aws.requests_queue_url, MessageBody='{"number": 7}')
    (found,) = cloud.rig(aws).take()
    assert (numbers([found]), found.group) == ([7], "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Type": "Notification", "TopicArn": "arn:x", "Message": "{}", "Timestamp": "now"}', "{}"),
        ('{"Type": "SubscriptionConfirmation", "TopicArn": "arn:x", "Message": "{}"}', None),
        ('{"Type": "Notification", "TopicArn": "arn:x", "Message": 1}', None),
        ('{"type": "x", "note": "a \\"TopicArn\\" in it"}', None),
        ('"TopicArn"', None),
        ('{"TopicArn": ' + "[" * 100_000, None),
        ('no JSON, and a "TopicArn"', None),
    ],
)
def test_an_envelope_is_known_by_its_members(text: str, message: str | None) -> None:
    assert unwrapped(text) == (text if message is None else message)


def test_a_channel_that_the_settings_do_not_name(cloud: Account) -> None:
    assert {*SETTINGS} == {*Channel}
    for channel in Channel:
        bus = cloud.rig(Aws()).bus
        key = f"aws.{SETTINGS[channel]}_queue_url"
        with pytest.raises(InvalidSettings, match=key):
            bus.topic(channel).publish(Message(b"{}", "g", "d"))
        with pytest.raises(InvalidSettings, match=r"_dead_letter_url|_queue_url"):
            bus.queue(channel)
        url = cloud.queue(fifo=False)
        named = {f"{SETTINGS[channel]}_queue_url": url, f"{SETTINGS[channel]}_dead_letter_url": url}
        bus = cloud.rig(replace(Aws(), **named)).bus
        bus.topic(channel).publish(Message(b"{}", "g", "d"))
        assert [each.body for each in bus.queue(channel).receive(1, 0)] == [b"{}"]


def test_the_settings_choose_the_bus(
    tmp_path: Path, credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = Store(tmp_path), SystemClock()
    assert isinstance(bus_of(Settings(), store, clock), LocalBus)
    of_amazon = Settings(buses=Buses(kind="aws"), aws=Aws(region=REGION))
    bus = bus_of(of_amazon, store, clock)
    assert isinstance(bus, AwsBus)
    bus.close()
    with pytest.raises(InvalidSettings, match="endpoint"):
        bus_of(replace(of_amazon, aws=Aws(region=REGION, endpoint_url="http://[")), store, clock)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(InvalidSettings, match="not installed") as told:
        bus_of(of_amazon, store, clock)
    assert "aforo[aws]" in told.value.hint
    store.close()
