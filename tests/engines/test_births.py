"""What a model's change makes of sealed time: the old stays, and the new begins at the seal."""

from __future__ import annotations

import msgspec
import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import DEFAULT, NOON, Bench, Sent, answered, ask

from aforo.clock import ManualClock
from aforo.engines.keeping import PurgeAsked
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import DAY, Grain, Window, Zone

BEFORE = """
tenants: {river: {timezone: America/New_York}}
streams:
  visits:
    fields: {page: string, probe: string, size: integer}
    entities: {probe: probe}
    measures:
      all_visits: count
      probes: {distinct: probe}
      sizes: {histogram: size}
      bytes: {sum: size}
      largest: {maximum: size}
    rollups:
      pages: {by: [page], measures: [MEASURES]}
metrics:
  visits: {formula: all_visits}
  probes_seen: {formula: probes}
  median_size: {formula: "percentile(sizes, 50)"}
  bytes_sent: {formula: bytes}
  largest_page: {formula: largest}
"""


def model(measures: str, more: str = "") -> Model:
    text = BEFORE.replace("MEASURES", measures).replace("    rollups:\n", f"    rollups:\n{more}")
    return read_model(text, source="visits.yaml")


OLD = model("all_visits, probes, sizes")
NEW = model("all_visits, probes, sizes, bytes, largest")
RIVER = Zone("America/New_York")
EVENTS = [
    Sent(
        id=str(at),
        time=NOON + at * DAY // 4,
        fields={"page": f"/{at % 3}", "probe": f"probe {at % 5}", "size": at},
    )
    for at in range(40)
]
WINDOW = Window(NOON - DAY, NOON + 11 * DAY)


def desk(bench: Bench, of: Model) -> Desk:
    return Desk(bench.engine, of, Settings(), ManualClock(NOON + 20 * DAY), Telemetry())


def days(metrics: tuple[str, ...], by: tuple[str, ...] = ()) -> Asked:
    return Asked(tenant="river", metrics=metrics, from_="2013-03-09", to="2013-03-19", grain=Grain.DAY, by=by)


def purged(opens: Opens, of: Model = OLD) -> tuple[Bench, int]:
    bench = Bench(opens(of, DEFAULT), of)
    bench.send(*EVENTS, stream=of.streams["visits"])
    bench.fold()
    return bench, bench.engine.purge(PurgeAsked("visits", "river", NOON + 5 * DAY, 0, 10**6)).seal.events_from


def test_a_measure_that_is_added_later_is_null_before_the_seal_and_the_others_stay(opens: Opens) -> None:
    """Law 7: a change of the model, which would build a rollup anew, keeps what was sealed."""
    bench, seal = purged(opens)
    old = days(("visits", "probes_seen", "median_size"))
    split = msgspec.structs.replace(old, by=("page",))
    kept = [desk(bench, OLD).ask(each).rows for each in (old, split)]
    bench.engine = opens(NEW, DEFAULT)
    bench.fold()
    asking = desk(bench, NEW)
    assert [asking.ask(each).rows for each in (old, split)] == kept
    answer = asking.ask(days(("visits", "bytes_sent", "largest_page")))
    for row in answer.rows:
        early = str(row["time"]) < RIVER.rfc3339(seal)[:10]
        assert (row["bytes_sent"] is None, row["largest_page"] is None) == (early, early)
    assert [row["visits"] for row in answer.rows] == [row["visits"] for row in kept[0]]
    late = [row for row in answer.rows if row["bytes_sent"] is not None]
    assert sum(int(str(row["bytes_sent"])) for row in late) == sum(
        int(str(each.fields["size"])) for each in EVENTS if each.time >= seal
    )
    until = RIVER.rfc3339(seal)
    assert answer.proof.as_json()["nulls"] == [
        {"metric": name, "reason": "before_measure", "until": until}
        for name in ("bytes_sent", "largest_page")
    ]
    assert "nulls" not in asking.ask(old).proof.as_json()
    by_page = asking.ask(days(("bytes_sent",), by=("page",)))
    assert {row["bytes_sent"] is None for row in by_page.rows if str(row["time"]) < until[:10]} == {True}
    bench.engine = opens(NEW, DEFAULT)
    assert desk(bench, NEW).ask(old).rows == kept[0], "and so it stays when it is opened again"


@pytest.mark.parametrize("whole", [False, True])
def test_a_rollup_of_another_split_begins_at_the_seal(opens: Opens, whole: bool) -> None:
    """One that reaches further back is taken before it, though it has more dimensions."""
    bench, seal = purged(opens)
    kept = desk(bench, OLD).ask(days(("visits",))).rows
    both = model("all_visits, probes, sizes", "      whole: {by: [], measures: [all_visits]}\n")
    alone = read_model(
        BEFORE.replace("      pages: {by: [page], measures: [MEASURES]}", "      whole: {by: []}"),
        source="alone",
    )
    of = both if whole else alone
    bench.engine = opens(of, DEFAULT)
    bench.fold()
    answer = desk(bench, of).ask(days(("visits",)))
    early = [row for row in answer.rows if str(row["time"]) < RIVER.rfc3339(seal)[:10]]
    if whole:
        assert answer.rows == kept
        assert answer.proof.source.rollup == "pages"
    else:
        assert {row["visits"] for row in early} == {None}
        assert answer.rows[len(early) :] == kept[len(early) :]
    recent = desk(bench, of).ask(
        Asked(tenant="river", metrics=("visits",), from_="2013-03-15", to="2013-03-17", grain=Grain.DAY)
    )
    assert recent.proof.source.rollup == "whole"
    assert [row["visits"] for row in recent.rows] == [row["visits"] for row in kept[6:9]]


def test_what_was_taken_over_is_merged_with_what_is_folded(opens: Opens) -> None:
    """A set over both sides of the seal is the union of both: an entity keeps its number."""
    bench, _ = purged(opens)
    bench.engine = opens(NEW, DEFAULT)
    bench.fold()
    visits = NEW.streams["visits"]
    request = ask(
        visits, visits.rollups["pages"], window=WINDOW, zone=RIVER, measures=("all_visits", "probes")
    )
    [values] = answered(bench.engine.read_states(request, time_limit_seconds=60)).values()
    assert values == {"all_visits": len(EVENTS), "probes": 5}
