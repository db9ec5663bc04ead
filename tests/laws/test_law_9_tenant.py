"""Law 9: a question reads the rows of one tenant, and there is no way to ask otherwise."""

from __future__ import annotations

import inspect

from hypothesis import given, settings
from tests.engines.gauges import NOON, Sent, answered, ask, of_events
from tests.laws.shelf import READINGS, Desk, Shelf, batches, of_tenant

from aforo.engines.behind import BehindRequest
from aforo.engines.engine import Engine
from aforo.engines.folds import Period
from aforo.engines.keeping import ErasureAsked, PurgeAsked
from aforo.engines.reads import PathsRequest, StatesRequest
from aforo.model import ingest
from aforo.questions.funnel_asked import FunnelQuestion
from aforo.questions.question import Question
from aforo.questions.retention_asked import RetentionAsked
from aforo.windows import DAY, Window, Zone

ALL = Window(NOON - 3 * DAY, NOON + 3 * DAY)
# Verbs that are no questions: what the writer does for all, and what only an operator asks.
WITHOUT_A_TENANT = {
    *("name", "apply_model", "build_periods", "append", "claim", "release", "fold", "replace"),
    *("forget", "close"),
    *("dirty_slots", "statistics", "refused", "purgeable", "purge", "unname", "tenants_of", "kept_days"),
    *("build", "builds", "derive", "writes", "tidy", "storage", "waiting_commits"),
}


def test_every_question_of_the_protocol_names_a_tenant() -> None:
    verbs = {name: value for name, value in vars(Engine).items() if not name.startswith("_")}
    for name in verbs.keys() - WITHOUT_A_TENANT - {"read_states", "read_paths", "read_behind", "tenant"}:
        tenant = inspect.signature(verbs[name]).parameters["tenant"]
        assert tenant.annotation == "str", name
        assert tenant.default is inspect.Parameter.empty, name
    assert verbs.keys() >= WITHOUT_A_TENANT


def test_every_request_and_question_is_of_one_tenant() -> None:
    asked = (StatesRequest, PathsRequest, BehindRequest, Question, RetentionAsked, FunnelQuestion)
    for kind in (*asked, PurgeAsked, ErasureAsked):
        assert kind.__annotations__["tenant"] == "str"


@settings(max_examples=6)
@given(batches, batches, batches)
def test_no_tenant_sees_what_another_sent(
    shelf: Shelf, both: list[Sent], mine: list[Sent], theirs: list[Sent]
) -> None:
    """With the same ids, times and entities, appended together and folded together."""
    names = shelf.tenant(), shelf.tenant()
    bench = shelf.bench(*names)
    bench.send(*of_tenant(names[0], [*both, *mine]), *of_tenant(names[1], [*theirs, *both]), stream=READINGS)
    bench.fold()
    for name in names:
        for rollup in READINGS.rollups.values():
            for by in ((), rollup.dimensions):
                request = ask(READINGS, rollup, tenant=name, window=ALL, zone=Zone(shelf.zone), by=by)
                assert bench.check(request) == bench.check(of_events(request))


def test_no_tenant_sees_what_another_had_refused(shelf: Shelf) -> None:
    """Counts of arrivals are read by tenant like all else, and what nobody is named for is nobody's."""
    one, other = shelf.tenant(), shelf.tenant()
    desk = Desk.of(shelf)
    desk.take([{"stream": "readings", "tenant": name, "id": "1"} for name in (one, other)])
    desk.take([{"stream": "readings", "tenant": one, "fields": {"flow": "seven"}}, "no event"])
    for name, arrived in ((one, 2), (other, 1)):
        request = ask(
            ingest.STREAM,
            ingest.STREAM.rollups["ledger"],
            tenant=name,
            window=Window(shelf.clock.now(), shelf.clock.now() + 1),
            zone=Zone(shelf.zone),
            period=Period.SLOT,
            measures=("arrived",),
        )
        [values] = answered(shelf.engine.read_states(request, time_limit_seconds=60)).values()
        assert values == {"arrived": arrived}
