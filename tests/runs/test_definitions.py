"""Definitions of datasets, series and metrics: all of them, or none with every fault."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.runs.desk import ME, NOW, TENANT, Desk, dataset, event, growth, ratio
from tests.store_kinds import Stores

from aforo.errors import Conflict, InvalidRequest, NotYourTenant, OutsidePrefix, UnknownName
from aforo.store import catalog


@pytest.fixture
def desk(stores: Stores) -> Desk:
    return Desk(stores.store)


def apply(desk: Desk, **asked: object) -> None:
    desk.definitions.apply(TENANT, asked, ME)


def faults(desk: Desk, **asked: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        apply(desk, **asked)
    return [(fault.path, fault.code) for fault in refused.value.faults]


def test_units_come_from_what_is_read_through_metrics_in_any_order(desk: Desk) -> None:
    euros = {**dataset("a"), "series": [{"code": "SA", "unit": "EUR"}]}
    visits = {**dataset("b"), "series": [{"code": "SB", "unit": "visit"}]}
    apply(desk, datasets=[euros, visits], metrics=[growth("G", "R"), ratio("R", "SA", "SB")])
    with desk.store.reading() as connection:
        units = {each.code: each.unit for each in catalog.all_metrics(connection, frozenset({TENANT}))}
    assert units == {"R": "EUR/visit", "G": None}
    assert faults(desk, metrics=[{**ratio("R", "SA", "SB"), "unit": "EUR"}]) == [("metrics[0].unit", "units")]


def test_every_fault_is_told_and_nothing_is_kept(desk: Desk) -> None:
    told = faults(
        desk,
        datasets=[
            {"id": "x", "prefix": "file:///etc/", "series": [{"code": "no spaces"}]},
            {"id": "rollup:visit:acme", "series": []},
            {"id": "metric:acme:M", "prefix": f"file:///srv/{TENANT}/m/"},
            {"id": "y", "prefix": f"file:///srv/{TENANT}/../other/"},
            {"identifier": "z"},
        ],
        metrics=[ratio("M", "NONE", "NEITHER"), {**growth("N", "M"), "requiredDays": 0}],
        serieses=[],
    )
    assert {path for path, _ in told} == {
        "serieses",
        "datasets[0].prefix",
        "datasets[0].series[0].code",
        "datasets[1].id",
        "datasets[2].id",
        "datasets[3].prefix",
        "datasets[4]",
        "metrics[0].expressionJson.numerator.series",
        "metrics[0].expressionJson.denominator.series",
        "metrics[1].requiredDays",
    }
    with desk.store.reading() as connection:
        assert catalog.all_datasets(connection, None) == []


def test_metrics_that_use_each_other_in_a_ring_are_named(desk: Desk) -> None:
    desk.define(dataset("a", "SA"), metrics=[growth("A", "SA"), growth("B", "A")])
    with pytest.raises(InvalidRequest, match="A → B → A"):
        desk.define(metrics=[growth("A", "B")])


def test_a_tenants_files_are_its_own(desk: Desk) -> None:
    """Neither another tenant's folder nor its results can be registered, nor a dataset it has."""
    desk.define(dataset("a", "SA"), metrics=[growth("A", "SA")])
    others = {"id": "b", "prefix": f"file:///srv/results/{TENANT}/A/", "series": [{"code": "S"}]}
    for prefix in (others["prefix"], f"file:///srv/{TENANT}/"):
        with pytest.raises(InvalidRequest, match="lies under none of"):
            desk.definitions.apply("globex", {"datasets": [{**others, "prefix": prefix}]}, ME)
    with pytest.raises(InvalidRequest, match="taken"):
        desk.definitions.apply("globex", {"datasets": [{"id": "a", "prefix": "file:///srv/globex/"}]}, ME)


def test_of_two_tenants_who_define_one_dataset_at_once_one_has_it(stores: Stores) -> None:
    """Whichever comes second is told, and changes nothing of the other's."""
    desks = {"acme": Desk(stores.store), "globex": Desk(stores.beside())}

    def define(tenant: str, number: int) -> str | None:
        wanted = {"id": f"d{number}", "prefix": f"file:///srv/{tenant}/{number}/"}
        try:
            desks[tenant].definitions.apply(tenant, {"datasets": [wanted]}, ME)
        except (Conflict, InvalidRequest):
            return None
        return tenant

    with ThreadPoolExecutor(2) as threads:
        for number in range(12):
            winners = [each for each in threads.map(define, desks, (number, number)) if each is not None]
            with stores.store.reading() as connection:
                kept = catalog.dataset(connection, f"d{number}")
            assert kept is not None
            assert winners == [kept.tenant]
            assert kept.prefix == f"file:///srv/{kept.tenant}/{number}/"


def test_two_halves_of_a_ring_do_not_pass_each_other(stores: Stores) -> None:
    first, second = Desk(stores.store), Desk(stores.beside())
    first.define(dataset("a", "SA"), metrics=[growth("A", "SA"), growth("B", "SA")])

    def define(desk: Desk, code: str, of: str) -> bool:
        try:
            desk.define(metrics=[growth(code, of)])
        except InvalidRequest:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        for _ in range(6):
            assert sorted(threads.map(define, (first, second), "AB", "BA")) == [False, True]
            first.define(metrics=[growth("A", "SA"), growth("B", "SA")])


def test_our_own_rollups_are_datasets_of_what_the_model_measures(desk: Desk) -> None:
    apply(desk, datasets=[{"id": "rollup:visits:acme", "series": [{"code": "visits.count"}]}])
    assert faults(
        desk, datasets=[{"id": "rollup:visits:acme", "series": [{"code": "V", "column": "visits.cuont"}]}]
    ) == [("datasets[0].series[0].column", "unknown_name")]


def test_a_meaning_that_changes_raises_the_version_and_a_name_does_not(desk: Desk) -> None:
    def version() -> int:
        with desk.store.reading() as connection:
            found = catalog.metric(connection, TENANT, "M")
        assert found is not None
        return found.version

    desk.define(dataset("a", "SA"), dataset("b", "SB"), metrics=[ratio("M", "SA", "SB")])
    desk.define(metrics=[{**ratio("M", "SA", "SB"), "name": "A name"}])
    assert version() == 1
    desk.define(metrics=[ratio("M", "SA", "SB", 3)])
    desk.define(metrics=[ratio("M", "SB", "SA", 3)])
    assert version() == 3


def test_updates_that_nobody_may_send(desk: Desk) -> None:
    desk.define(dataset("a", "SA"), metrics=[growth("M", "SA")])
    with pytest.raises(UnknownName):
        desk.reactor.take(event("nothing", NOW))
    with pytest.raises(NotYourTenant):
        desk.reactor.take(event("a", NOW), frozenset({"globex"}))
    with pytest.raises(InvalidRequest, match="made here"):
        desk.reactor.take(event(f"metric:{TENANT}:M", NOW))
    with pytest.raises(InvalidRequest, match="ahead"):
        desk.reactor.take(event("a", NOW + 3_600_000_000))
    with pytest.raises(OutsidePrefix):
        desk.reactor.take(
            event("a", NOW).__class__(
                dataset_id="a",
                manifest_uri=f"file:///srv/{TENANT}/a/../b/1.json",
                updated_at="2023-01-01T00:00:00Z",
            )
        )
    assert desk.all() == []
