"""A server on real parts: the embedded engine in a folder of its own, the flights' model, no network."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from aforo.assembly.caching import cache_of
from aforo.assembly.reacting import reactive_over
from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.events.buffer import Buffer
from aforo.events.echoes import Echoes
from aforo.events.intake import Intake
from aforo.http import examples
from aforo.http.access.ring import KeyRing
from aforo.http.app import Rooms, create_app
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.tenant import Tenant
from aforo.packs import model_file
from aforo.questions.ask import Desk
from aforo.rollups.backfiller import Backfiller
from aforo.rollups.compaction import Compaction
from aforo.rollups.drift import DriftCheck
from aforo.rollups.erasure import Eraser
from aforo.rollups.folder import Folder
from aforo.rollups.lag import FoldLag
from aforo.rollups.periods import PeriodKeeper
from aforo.settings import Http, Settings
from aforo.store.audit import Audit
from aforo.store.backfills import Backfills
from aforo.store.connect import Store
from aforo.store.erasures import Erasures
from aforo.store.keys import Keys
from aforo.telemetry import Telemetry
from aforo.windows import parse_instant

URL = "http://127.0.0.1:8321"
TOKEN = "the-token-of-this-start"
NOW = parse_instant("2013-02-01T00:00:00Z")
BODY_LIMIT = 64 * 1024
EVENTS_LIMIT = 100


@dataclass(frozen=True)
class House:
    """The app with the parts behind it, so that a test can look at them or take one away."""

    app: Starlette
    rooms: Rooms
    buffer: Buffer
    clock: ManualClock

    def client(self, **more: Any) -> TestClient:
        return TestClient(self.app, base_url=URL, follow_redirects=False, **more)


VISITS = """
streams:
  visits:
    fields:
      page: {type: string}
    measures:
      all_visits: count
    rollups:
      site: {by: []}
metrics:
  visits: {formula: all_visits, unit: visits, format: integer, description: Pages seen}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    yield from standing(settings)


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with house.client() as client:
        yield client


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of one server for all tests that do not mind what others have sent there."""
    for house in standing(settings_in(tmp_path_factory.mktemp("shared"))):
        with house.client() as client:
            yield client


@pytest.fixture
def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}


def settings_in(folder: Path) -> Settings:
    http = replace(Http(), max_body_bytes=BODY_LIMIT, max_events_per_request=EVENTS_LIMIT, workers=2)
    return replace(Settings(), data=folder / "data", http=http)


def opened(directory: Path, model: Model) -> EmbeddedEngine:
    engine = EmbeddedEngine(directory, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(model, Tenant(name="default"))
    return engine


@cache
def cellar() -> TemporaryDirectory[str]:
    """Where data directories are kept to be copied, for as long as this process is there."""
    return TemporaryDirectory()


def furnished(model: Model) -> Path:
    """A data directory of the model with nothing in it; a copy takes less time than to make another."""
    directory = Path(cellar().name) / model.version
    if not directory.exists():
        opened(directory, model).close()
        Store(directory, Settings().store).close()
    return directory


def standing(settings: Settings, *more: Model) -> Iterator[House]:
    """A house that stands until it is asked for no more; `more` is declared beside flights and visits."""
    clock, telemetry = ManualClock(NOW), Telemetry()
    flights = read_model(model_file("flights").read_bytes(), source="flights")
    model = Model.merged([flights, read_model(VISITS, source="visits"), *more])
    if not settings.data.exists():
        copytree(furnished(model), settings.data)
    engine = opened(settings.data, model)
    lag = FoldLag(engine, clock, telemetry)
    buffer = Buffer(
        engine,
        clock,
        telemetry,
        future_seconds=600,
        commit_rows=1,
        after_seconds=0.0,
        queue_rows=1_000,
        echoes=Echoes(engine.untimed_ids, clock),
        sinks=(lag.came,),
    )
    kept_answers = cache_of(settings, clock, telemetry)
    store = Store(settings.data, settings.store)
    folder = Folder(engine, clock, telemetry, batch_rows=1_000, wake_after_seconds=1.0, lag=lag)
    backfiller = Backfiller(engine, model, Backfills(store, clock), clock, settings.backfill, folder.wake)
    drift = DriftCheck(
        engine,
        clock,
        telemetry,
        every_seconds=0,
        sample_days=0,
        marked=lambda: None,
        dice=random.Random(1),
    )
    reactive = reactive_over(store, settings, model, clock, telemetry, lambda _stream, _tenant: None)
    rooms = Rooms(
        settings=settings,
        clock=clock,
        telemetry=telemetry,
        model=model,
        engine=engine,
        store=store,
        intake=Intake(model, buffer, clock, future_seconds=600),
        periods=PeriodKeeper(engine, clock, telemetry, every_seconds=60.0),
        folder=folder,
        lag=lag,
        drift=drift,
        compaction=Compaction(
            engine, clock, telemetry, every_seconds=0, loose_share=0.05, most_rest_seconds=0
        ),
        desk=Desk(engine, model, settings, clock, telemetry, kept_answers),
        cache=kept_answers,
        ring=KeyRing(Keys(store, clock), clock, settings.access),
        audit=Audit(store, clock),
        backfiller=backfiller,
        eraser=Eraser(
            engine, model, Erasures(store, clock), b"key of tests", folder.wake, kept_answers.clear_tenant
        ),
        reactive=reactive,
    )
    buffer.start()
    yield House(create_app(rooms, TOKEN), rooms, buffer, clock)
    rooms.ring.stop()
    store.close()
    buffer.stop(10)
    engine.close()


def codes(receipt: dict[str, Any]) -> Sequence[tuple[int, str]]:
    """Index and code of every refusal."""
    return [(each["index"], each["code"]) for each in receipt["refused"]]


def filled(client: TestClient, bearer: dict[str, str]) -> None:
    """Sends the events of the reference's examples, and folds them."""
    for event in examples.EVENTS.values():
        assert client.post("/v1/events", json=event).status_code == 202
    assert client.post("/v1/fold", headers=bearer).status_code == 200
