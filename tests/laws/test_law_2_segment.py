"""Law 2 for Segment's calls: what a library sends again counts once, with an id of its own or without."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.gauges import NOON
from tests.laws.shelf import MODEL, READINGS, Desk, Shelf, content, instant

from aforo.events.segment import Switch
from aforo.model.segment import Call, CallRule
from aforo.windows import DAY, Window

FOREVER = Window(NOON - 400 * DAY, NOON + 400 * DAY)
TAKING = replace(READINGS, segment=(CallRule(calls=(Call.TRACK,)),))
SWITCH = Switch(replace(MODEL, streams={**MODEL.streams, "readings": TAKING}))


def call(number: int, *, named: bool) -> dict[str, object]:
    """What no field takes tells calls apart as well: every third is of the same content and time."""
    said = {
        "type": "track",
        "timestamp": instant(NOON + number // 3),
        "anonymousId": f"visitor {number}",
        "properties": content(number // 3),
    }
    return {**said, "messageId": f"m-{number}"} if named else said


sent = st.lists(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=6), max_size=5)


@settings(max_examples=15)
@given(sent, st.integers(1, 12))
def test_calls_that_are_sent_again_count_once(
    shelf: Shelf, batches: list[list[tuple[int, bool]]], commit_rows: int
) -> None:
    """Each library writes its own moment of sending into what it sends, and that is no part of a call."""
    desk, tenant = Desk.of(shelf, commit_rows), shelf.tenant()
    waiting = []
    for attempt, batch in enumerate([*batches, *batches]):
        calls = [
            {**call(number, named=named), "sentAt": instant(NOON + attempt * DAY)} for number, named in batch
        ]
        drafts, refusals = SWITCH.drafts(calls)
        waiting.append(desk.intake.take_drafts(drafts, len(calls), tenant=tenant, refusals=refusals))
    receipts = desk.receipts(waiting)
    different = {each for batch in batches for each in batch}
    assert sum(receipt.accepted for receipt in receipts) == len(different)
    assert all(receipt.refused == () for receipt in receipts)
    assert shelf.engine.estimate_raw("readings", tenant, FOREVER) == len(different)
