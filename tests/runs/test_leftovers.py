"""What attempts have written that were lost, failed or refused is removed after a while, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace
from tests.amazon import REGION
from tests.runs.desk import ME, NOW, RULES, TENANT, Desk, dataset, event, growth
from tests.store_kinds import Stores

from aforo.clock import ManualClock
from aforo.objects.object import Objects
from aforo.objects.opening import Opener
from aforo.objects.s3 import s3_client
from aforo.runs.defined import Grounds
from aforo.runs.feedback import Effect
from aforo.runs.leftovers import Leftovers
from aforo.runs.messages import MetricRunRequestEvent, decode
from aforo.runs.worker.job import RESULT, Evaluated
from aforo.runs.worker.publishing import Published, Shelves
from aforo.runs.worker.whereabouts import StoredWhereabouts
from aforo.store import outbox
from aforo.store.connect import Store
from aforo.store.run import Run, RunState

HOUR_SECONDS = 3_600.0
EVALUATED = Evaluated(row_count=1, nulls={}, passed_over=0)


class Shop:
    """A desk whose workers write, and what they wrote."""

    def __init__(self, store: Store, folder: Path, results: str, opener: Opener) -> None:
        self._folder = folder
        grounds = Grounds(roots=(folder.as_uri() + "/",), results=results)
        self.clock = ManualClock(NOW)
        self.desk = Desk(store, self.clock, RULES, grounds)
        leftovers = Leftovers(store, opener, grounds.results_of, self.desk.telemetry)
        self.desk.upkeep._leftovers = leftovers
        self.objects: Objects = opener.under(grounds.results_of(TENANT))
        self._shelves = Shelves(opener, StoredWhereabouts(store), most_bytes=10_000)
        prefix = f"{folder.as_uri()}/a/"
        self.desk.define({**dataset("a", "SA"), "prefix": prefix}, metrics=[growth("G", "SA")])

    def asked(self) -> str:
        """A run that was asked for, by its id."""
        self.clock.advance(1)
        manifest = f"{self._folder.as_uri()}/a/{self.clock.now()}.json"
        return self.told_of("a", manifest)[0].id

    def told_of(self, name: str, manifest: str) -> tuple[Run, ...]:
        """The runs that a version of a dataset makes."""
        update = event(name, self.clock.now())
        return self.desk.reactor.take(replace(update, manifest_uri=manifest)).runs

    def wrote(self, run_id: str, attempt: int) -> Published:
        """An attempt has written its result, and has said nothing of it yet."""
        with self.desk.store.reading() as connection:
            body = outbox.of_run(connection, run_id)[attempt - 1].body
        (self._folder / RESULT).write_text(f"the rows of attempt {attempt}", encoding="utf-8")
        shelf = self._shelves.of(decode(body.encode(), MetricRunRequestEvent))
        return shelf.publish(self._folder, EVALUATED, "2026-01-01T00:00:00Z", "w")

    def lost(self, run_id: str) -> None:
        """Nothing is heard of an attempt until its lease is over; the next one is asked for."""
        self.clock.advance(301)
        self.desk.overseer.run_once()
        self.desk.overseer.run_once()

    def kept_up(self, hours: float) -> list[str]:
        """The attempts that have files so much later, as RUN/ATTEMPT, with how many each."""
        self.clock.advance(hours * HOUR_SECONDS)
        self.desk.upkeep.run_once()
        return self.attempts()

    def attempts(self) -> list[str]:
        folders = [uri.rpartition("/")[0] for uri in self.objects.below(self.objects.prefix.uri)]
        return [
            f"{'/'.join(folder.split('/')[-2:])}: {folders.count(folder)}" for folder in sorted({*folders})
        ]

    @property
    def removed(self) -> str:
        """What the counter tells."""
        lines = self.desk.telemetry.exposition().decode().splitlines()
        return next(line for line in lines if line.startswith("aforo_result_files_removed_total ")).split()[1]


@pytest.fixture
def shop(stores: Stores, tmp_path: Path) -> Shop:
    return Shop(stores.store, tmp_path, f"{tmp_path.as_uri()}/results/", Opener())


@pytest.fixture(params=["directory", "s3"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Over SQLite, with results in a directory or in a bucket."""
    results, opener = f"{tmp_path.as_uri()}/results/", Opener()
    if request.param == "s3":
        amazon, bucket = request.getfixturevalue("amazon"), f"bucket-{uuid4()}"
        s3_client(REGION, amazon).create_bucket(Bucket=bucket)
        results, opener = f"s3://{bucket}/results/", Opener(region=REGION, endpoint_url=amazon)
    with closing(Store(tmp_path)) as store:
        yield Shop(store, tmp_path, results, opener)


def test_what_a_worker_wrote_that_was_killed_before_it_could_tell(shop: Shop) -> None:
    run_id = shop.asked()
    shop.desk.started(run_id)
    shop.wrote(run_id, 1)
    shop.lost(run_id)
    taken = shop.wrote(run_id, 2)
    assert shop.desk.completed(run_id, 2) is Effect.TAKEN
    both = [f"{run_id}/1: 2", f"{run_id}/2: 2"]
    assert shop.kept_up(hours=23.9) == both
    assert shop.kept_up(hours=0.2) == both[1:]
    assert shop.desk.run(run_id).manifest_uri == taken.manifest_uri
    assert shop.objects.read(taken.manifest_uri, 10_000)
    assert shop.removed == "2.0"


def test_what_comes_too_late_is_removed_after_all(either: Shop) -> None:
    run_id = either.asked()
    either.lost(run_id)
    either.wrote(run_id, 2)
    either.desk.completed(run_id, 2)
    assert either.kept_up(hours=25) == [f"{run_id}/2: 2"]
    either.wrote(run_id, 1)
    assert either.desk.completed(run_id, 1) is Effect.STALE
    assert len(either.kept_up(hours=23)) == 2
    assert either.kept_up(hours=2) == [f"{run_id}/2: 2"]


def test_of_a_run_that_came_to_nothing_all_goes(either: Shop) -> None:
    failed = either.asked()
    for attempt in range(1, RULES.most_attempts + 1):
        either.wrote(failed, attempt)
        either.lost(failed)
    assert either.desk.run(failed).state is RunState.FAILED
    cancelled = either.asked()
    either.wrote(cancelled, 1)
    assert either.kept_up(hours=25) == [f"{cancelled}/1: 2"], "which is not over"
    either.desk.asking.cancel(cancelled, ME)
    assert either.kept_up(hours=23) == [f"{cancelled}/1: 2"]
    assert either.kept_up(hours=2) == []


def test_nothing_else_is_touched(shop: Shop) -> None:
    """Neither what a version names, nor what no worker of ours writes, nor what lies elsewhere."""
    named = shop.asked()
    version = shop.wrote(named, 1)
    shop.desk.asking.cancel(named, ME)
    other = shop.asked()
    manifest = shop.wrote(other, 1).manifest_uri
    for name in ("1/notes.txt", "1/more/manifest.json", "2/manifest.json", "01/manifest.json"):
        shop.objects.create(manifest.replace("1/manifest.json", name), b"{}")
    shop.desk.asking.cancel(other, ME)
    theirs = {"id": "theirs", "prefix": shop.objects.prefix.uri, "series": [{"code": "ST"}]}
    shop.desk.define(theirs, metrics=[])
    shop.told_of("theirs", version.manifest_uri)
    before = [*shop.objects.below(shop.objects.prefix.uri)]
    shop.kept_up(hours=25)
    after = [*shop.objects.below(shop.objects.prefix.uri)]
    gone = sorted({*before} - {*after})
    assert gone == sorted([manifest, next(uri for uri in gone if "/result-" in uri)])
    assert f"{named}/1: 2" in shop.attempts()
    shop.desk.upkeep.run_once()
    assert shop.removed == "2.0", "the log was read once"


def test_a_metric_whose_results_lie_elsewhere_is_left_alone(shop: Shop, tmp_path: Path) -> None:
    shop.desk.define(metrics=[{**growth("G", "SA"), "prefix": f"{tmp_path.as_uri()}/mine/"}])
    run_id = shop.asked()
    shop.wrote(run_id, 1)
    shop.desk.asking.cancel(run_id, ME)
    shop.kept_up(hours=25)
    assert len([*(tmp_path / "mine" / run_id / "1").iterdir()]) == 2


def test_one_that_cannot_be_looked_at_holds_no_other_back(shop: Shop, tmp_path: Path) -> None:
    bad = shop.asked()
    shop.desk.asking.cancel(bad, ME)
    good = shop.asked()
    shop.wrote(good, 1)
    shop.desk.asking.cancel(good, ME)
    (tmp_path / "results" / TENANT / "G" / bad).write_text("no folder", encoding="utf-8")
    assert shop.kept_up(hours=25) == [f"{TENANT}/G: 1"]
