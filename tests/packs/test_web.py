"""The pack of sites: its names, and the example of every metric on its page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest
from tests.packs import example

from aforo.assembly import LoadOrder, Local, read_chunks
from aforo.clock import ManualClock
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.packs import MODEL_FILES, model_file
from aforo.packs.web.asked import asked_of
from aforo.packs.web.summary import summary
from aforo.settings import Settings
from aforo.windows import parse_instant

NOW = parse_instant("2026-03-05T12:00:00Z")


@pytest.fixture(scope="module")
def model() -> Model:
    return read_model(model_file("web").read_bytes(), source="web")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The events of the page, loaded as a reader would."""
    folder = tmp_path_factory.mktemp("site")
    settings = replace(Settings(), data=folder / "data")
    order = LoadOrder(path=folder / "site.ndjson")
    order.path.write_text(example.block("site.ndjson"), encoding="utf-8")
    local = Local(settings, ManualClock(NOW))
    loaded = local.load(read_chunks(order, settings), order, lambda _loaded: None)
    assert (loaded.accepted, loaded.refused.total()) == (12, 0), loaded.samples
    local.fold(lambda _slots: None)
    yield local
    local.close()


def test_every_name_is_told_and_none_can_be_another_s(model: Model) -> None:
    names = [*model.streams, *model.metrics]
    assert all(name.startswith("web_") for name in names)
    assert all(stream.description for stream in model.streams.values())
    assert all(metric.unit and metric.owner and metric.description for metric in model.metrics.values())
    sent = [field for stream in model.sent_streams.values() for field in stream.fields.values()]
    assert all(field.description for field in sent)


def test_all_packs_are_one_model() -> None:
    models = [read_model(model_file(pack).read_bytes(), source=pack) for pack in MODEL_FILES]
    assert Model.merged(models).metrics.keys() >= {"flights", "web_visitors", "visitors"}


def test_the_page_has_an_example_of_every_metric(model: Model) -> None:
    assert example.values().keys() == model.metrics.keys()


def test_the_summary_of_the_page(site: Local) -> None:
    given = {"propertyId": "site", "from": "2026-03-03", "to": "2026-03-03", "compareTo": "previous"}
    reply = json.loads(msgspec.json.encode(summary(site.aforo.desk, asked_of(given, "default"))))
    assert "proof" in reply
    del reply["proof"]
    assert reply == json.loads(example.block("summary"))


def test_the_examples_of_the_page(site: Local, model: Model) -> None:
    for stream in model.streams:
        names = [name for name, metric in model.metrics.items() if metric.stream == stream]
        reply = site.ask({"tenant": "site", "metrics": names, "from": "2026-03-03", "to": "2026-03-03"})
        exact = reply["proof"]["exact"]
        for name, value in reply["rows"][0].items():
            within = 0.0005 if exact[name] is True else exact[name]["relativeError"]
            assert value == pytest.approx(example.values()[name], rel=within), name
