"""Laws 1 and 2 for the server as a process: killed under eight senders, it loses none and doubles none.

The seed is in the test's name; `AFORO_FIRE_SEED=7 AFORO_FIRE_ROUNDS=20 .venv/bin/pytest -k five_times
tests/faults` replays another. A seed decides when the server is killed, counted in receipts and parts of a
second, and what each sender sends; the machine decides how the two fall together.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import duckdb
import pytest
from tests.faults.fire import SENDERS, Sender, Served, Where, furnished, living
from tests.faults.model import FROM, TENANTS, TO, Fact, Ledger, fact

SEED = int(os.environ.get("AFORO_FIRE_SEED", "1"))
ROUNDS = int(os.environ.get("AFORO_FIRE_ROUNDS", "5"))
MOST_RECEIPTS = 30  # between two kills
MOST_SECONDS = 0.05  # from the last of those receipts to the kill, about three commits


def test_a_server_killed_five_times_under_eight_senders(tmp_path: Path) -> None:
    under_fire(tmp_path, ROUNDS, SEED)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_a_server_killed_fifty_times_under_eight_senders(tmp_path: Path, seed: int) -> None:
    under_fire(tmp_path, 50, seed)


def under_fire(folder: Path, rounds: int, seed: int) -> None:
    dice, never = random.Random(seed), Event()
    where = Where()
    furnished(folder)
    senders = [Sender(number, where, seed) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    try:
        for _ in range(rounds):
            with living(folder, where):
                where.wait_for_receipts(dice.randint(0, MOST_RECEIPTS))
                never.wait(dice.uniform(0, MOST_SECONDS))  # the fault itself comes at any moment
        with living(folder, where) as served:
            where.wait_for_receipts(SENDERS)
            for sender in senders:
                sender.enough.set()
            for sender in senders:
                sender.join()
            assert [sender.failure for sender in senders] == [None] * SENDERS
            facts = list(sent(senders))
            hold_what_is_asked(served, facts)
    finally:
        for sender in senders:
            sender.enough.set()
        where.move(where.address or ("127.0.0.1", 9))  # nobody waits for a server any more
    hold_what_is_kept(folder, facts, where)


def sent(senders: Iterable[Sender]) -> Iterable[Fact]:
    """Every event that any sender has sent and seen acknowledged, once."""
    ends: dict[int, int] = {}
    for sender in senders:
        ends[sender.pool] = max(sender.end, ends.get(sender.pool, 0))
    return (fact(pool, number) for pool, end in ends.items() for number in range(end))


def hold_what_is_asked(served: Served, facts: list[Fact]) -> None:
    """Counts, sums, maxima and distinct counts by local day and split, read from rollups that are true."""
    ledger = Ledger()
    ledger.add(facts)
    served.post("/v1/fold", {})
    for tenant in TENANTS:
        for metrics, by, stream in (
            (["taps", "litres", "most_litres", "probes_seen"], ["valve"], "taps"),
            (["visits", "turns"], ["page"], "visits"),
        ):
            answer = ask(served, tenant, metrics, by=by, grain="day", to=TO)
            rows = [row for row in answer["rows"] if row[metrics[0]]]
            assert rows == ledger.rows(stream, tenant)
            assert answer["proof"]["staleSeconds"] == 0
        tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()  # it may be that there already
        answer = ask(served, tenant, ["clicks", "click_turns"], grain="total", to=tomorrow)
        assert answer["rows"] == [{name: ledger.clicks[tenant, name] for name in ("clicks", "click_turns")}]


def ask(served: Served, tenant: str, metrics: list[str], *, to: str, **more: object) -> Any:
    return served.post("/v1/query", {"tenant": tenant, "metrics": metrics, "from": FROM, "to": to, **more})


def hold_what_is_kept(folder: Path, facts: list[Fact], where: Where) -> None:
    """The events in the file are those sent, each once, and each was counted as accepted once."""
    with duckdb.connect(folder / "aforo-data" / "events.duckdb", read_only=True) as file:
        for stream in ("taps", "clicks"):
            kept = file.execute(f"SELECT tenant, id FROM events_{stream} ORDER BY ALL").fetchall()
            assert kept == sorted((each.tenant, each.id) for each in facts if each.stream == stream)
        turns = file.execute("SELECT tenant, turn FROM events_visits ORDER BY ALL").fetchall()
        assert turns == sorted(
            (each.tenant, each.fields["turn"]) for each in facts if each.stream == "visits"
        )
        counted = file.execute("SELECT reason, sum(events)::BIGINT FROM outcomes GROUP BY reason").fetchall()
    outcomes = dict(counted)
    assert outcomes["accepted"] == len(facts)
    assert "duplicate" in outcomes
    # A commit whose receipts were lost with the server told nobody of what it accepted.
    assert where.accepted <= len(facts)
