"""Law 2: an event counts once, however often, late, reordered or concurrently it is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.gauges import NOON, Sent
from tests.laws.shelf import READINGS, Desk, Shelf, as_json, batches, content, instant, of_tenant

from aforo.events.columns import Source
from aforo.events.draft import Draft
from aforo.events.identity import Occurrences
from aforo.windows import DAY, Window

FOREVER = Window(NOON - 400 * DAY, NOON + 400 * DAY)


@settings(max_examples=15)
@given(st.lists(batches, max_size=5), st.integers(1, 12))
def test_batches_that_overlap_count_what_is_different(
    shelf: Shelf, sent: list[list[Sent]], commit_rows: int
) -> None:
    """Any batching by senders and by the buffer: each sender's receipt adds up, and the total is exact."""
    desk, tenant = Desk.of(shelf, commit_rows), shelf.tenant()
    waiting = [desk.intake.take([as_json(event) for event in of_tenant(tenant, batch)]) for batch in sent]
    receipts = desk.receipts(waiting)
    different = {event.name for batch in sent for event in batch}
    assert sum(receipt.accepted for receipt in receipts) == len(different)
    for batch, receipt in zip(sent, receipts, strict=True):
        assert receipt.accepted + receipt.duplicates == len(batch)
    assert shelf.engine.estimate_raw("readings", tenant, FOREVER) == len(different)


def test_senders_at_once_count_once(shelf: Shelf) -> None:
    """Eight threads send the same forty events in their own orders and batches."""
    desk, tenant = Desk.of(shelf), shelf.tenant()
    desk.buffer.start()
    events = [as_json(Sent(tenant=tenant, id=str(n), time=NOON + n, fields=content(n))) for n in range(40)]

    def send(sender: int) -> int:
        mine = Random(sender).sample(events, len(events))
        size = sender + 3
        waiting = [desk.intake.take(mine[at : at + size]) for at in range(0, len(mine), size)]
        return sum(each.result(timeout=60).accepted for each in waiting)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(8))) == len(events)
    assert desk.buffer.stop(60)
    assert shelf.engine.estimate_raw("readings", tenant, FOREVER) == len(events)


def without_id(number: int, time: int | None = NOON) -> dict[str, object]:
    event: dict[str, object] = {"stream": "readings", "fields": content(number)}
    return event if time is None else {**event, "time": instant(time)}


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=8))
def test_without_an_id_content_and_time_are_the_id(shelf: Shelf, sent: list[tuple[int, int]]) -> None:
    desk, tenant = Desk.of(shelf), shelf.tenant()
    for half in (sent[::2], sent[1::2], sent):
        desk.take([without_id(number, NOON + time) for number, time in half], tenant)
    assert shelf.engine.estimate_raw("readings", tenant, FOREVER) == len(set(sent))


def test_with_neither_id_nor_time_each_counts_and_learns_its_id(shelf: Shelf) -> None:
    desk, tenant = Desk.of(shelf), shelf.tenant()
    batch = [without_id(1, None), without_id(1, None), as_json(Sent(id="1", fields={}))]
    receipts = [desk.take(batch, tenant) for _ in range(2)]
    assert [receipt.accepted for receipt in receipts] == [3, 2]
    given_ids = [id_ for receipt in receipts for _, id_ in receipt.ids]
    assert [[index for index, _ in receipt.ids] for receipt in receipts] == [[0, 1], [0, 1]]
    assert len(set(given_ids)) == 4
    # Whoever sends again under the id that was given is recognised.
    named = {**without_id(1, None), "id": given_ids[0]}
    assert desk.take([named], tenant).duplicates == 1


def test_an_id_without_a_time_is_known_for_a_day(shelf: Shelf) -> None:
    desk, tenant = Desk.of(shelf), shelf.tenant()
    event = {**without_id(1, None), "id": "again"}
    accepted = []
    now = shelf.clock.now()
    for hours in (0, 1, -20, 23, 24, 25, 49):
        shelf.clock.set(now + hours * 3_600_000_000)
        accepted.append(desk.take([event], tenant).accepted)
    shelf.clock.set(now)
    assert accepted == [1, 0, 0, 0, 0, 1, 0]


def test_equal_rows_of_a_file_are_several_and_the_file_again_adds_none(shelf: Shelf) -> None:
    """In whatever portions the file is read: the number of its like before it names a row."""
    rows = [1, 2, 1, 1, 3, 2]
    tenant = shelf.tenant()
    accepted = []
    for portion in (2, 6, 1):
        desk, occurrences = Desk.of(shelf), Occurrences()
        total = 0
        for at in range(0, len(rows), portion):
            numbers = rows[at : at + portion]
            columns = {
                **{name: [content(n).get(name) for n in numbers] for name in READINGS.fields},
                "time": [instant(NOON)] * len(numbers),
            }
            index = np.arange(at, at + len(numbers))
            draft = Draft(READINGS, Source.JSON, columns, index)
            waiting = desk.intake.take_draft(draft, tenant=tenant, occurrences=occurrences)
            [receipt] = desk.receipts([waiting])
            total += receipt.accepted
        accepted.append(total)
    assert accepted == [len(rows), 0, 0]
