"""No body ends in anything but a receipt's worth of drafts and refusals, or an error for people.

`AFORO_FUZZ_SEED=1234 .venv/bin/pytest tests/fuzz -k replayed` runs the one body of a seed that failed.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable

import pytest
from tests.engines.gauges import MODEL, NOON
from tests.fuzz.bodies import body

from aforo.errors import AforoError
from aforo.events.decoding import Decoder
from aforo.events.refusals import RefusalCode
from aforo.events.shape import drafts_of
from aforo.events.steps import Rules, as_table, walk
from aforo.http.body import Body, Format
from aforo.http.events import events_of
from aforo.windows import DAY

MOST = 100
DECODER = Decoder(MODEL)
ONE = os.environ.get("AFORO_FUZZ_SEED", "0")


def test_two_thousand_bodies() -> None:
    taken, refused, turned = fuzz(range(2_000))
    assert min(taken, refused, turned) > 200  # the dice reaches every end


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
def test_a_million_bodies(part: int) -> None:
    fuzz(range(part * 125_000, (part + 1) * 125_000))


def test_a_seed_that_is_replayed() -> None:
    fuzz([int(ONE)])


def fuzz(seeds: Iterable[int]) -> tuple[int, int, int]:
    """How many events were taken, how many refused, and how many bodies were turned away whole."""
    taken = refused = turned = 0
    for seed in seeds:
        came = body(random.Random(seed))
        try:
            good, bad = passed(came)
        except AforoError as error:
            turned += bool(error.detail.encode("utf-8"))  # what is told can be sent
        except BaseException as error:
            error.add_note(f"seed {seed}: {came.content[:2000]!r}, {came.format}, gzip {came.gzipped}")
            raise
        else:
            taken += good
            refused += bad
    return taken, refused, turned


def passed(came: Body) -> tuple[int, int]:
    """What the way in does before anything is kept; every event is taken or refused, and by its index."""
    content = came.plain()
    typed = DECODER.read(content, lines=came.format is Format.NDJSON)
    if typed is not None:
        typed.drafts()
    events = events_of(content, came.format, MOST)
    assert typed is None or len(typed) == len(events)
    drafts, refusals = drafts_of(events, MODEL)
    rules = Rules(NOON + DAY, 600, None, None)
    rows = 0
    for draft in drafts:
        whole, more = walk(draft, rules)
        refusals += more
        if whole.rows:
            rows += as_table(whole).num_rows
    assert rows + len(refusals) == len(events)
    assert {refusal.index for refusal in refusals} <= set(range(len(events)))
    for refusal in refusals:
        assert refusal.code in RefusalCode
        assert refusal.detail.encode("utf-8")
    return rows, len(refusals)
