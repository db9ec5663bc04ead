"""Every engine there is; each takes the whole exercise suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from shutil import copytree
from typing import Protocol

import pytest
from tests.engines.gauges import DEFAULT, MODEL, Bench

from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.engine import Engine
from aforo.model.model import Model
from aforo.model.tenant import Tenant


def embedded(directory: Path) -> Engine:
    return EmbeddedEngine(directory, memory_mb=256, threads=2, untimed_id_seconds=86_400)


# One engine, one line: how it is opened where a test may put what it keeps.
ENGINES: Mapping[str, Callable[[Path], Engine]] = {"embedded": embedded}


class Opens(Protocol):
    """Opens the engine under test, on the same kept data each time; it is closed after the test."""

    def __call__(self, model: Model = MODEL, default: Tenant = DEFAULT) -> Engine: ...


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """What each engine keeps once the model of the gauges was applied; a copy takes less time."""
    found = {name: tmp_path_factory.mktemp(name) for name in ENGINES}
    for name, directory in found.items():
        engine = ENGINES[name](directory)
        engine.apply_model(MODEL, DEFAULT)
        engine.close()
    return found


@pytest.fixture(params=ENGINES)
def opens(request: pytest.FixtureRequest, tmp_path: Path, furnished: Mapping[str, Path]) -> Iterator[Opens]:
    opened: list[Engine] = []
    directory = tmp_path / "data"

    def opens(model: Model = MODEL, default: Tenant = DEFAULT) -> Engine:
        while opened:
            opened.pop().close()
        if model is MODEL and default is DEFAULT and not directory.exists():
            copytree(furnished[request.param], directory)
        engine = ENGINES[request.param](directory)
        opened.append(engine)
        engine.apply_model(model, default)
        return engine

    yield opens
    while opened:
        opened.pop().close()


@pytest.fixture
def engine(opens: Opens) -> Engine:
    return opens()


@pytest.fixture
def bench(engine: Engine) -> Bench:
    return Bench(engine)
