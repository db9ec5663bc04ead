"""What every test runs under."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.amazon", "tests.store_kinds")

TESTS = Path(__file__).parent
# What lives long, or comes from outside: measuring which lines are visited takes as long again, and the tests
# of the rooms visit enough without these. They begin first, so that none is left alone at the end.
UNMEASURED = tuple(
    str(TESTS / name)
    for name in (
        "lives/",
        "runs/test_stateful.py",
        "runs/simulation/",
        "runs/crashes/",
        "runs/crowd/",
        "runs/stopped/",
        "fuzz/",
        "flights/",
        "laws/",
        "faults/",
        "cli/",
        "runs/test_expression_laws.py",
        "runs/test_expression_oracle.py",
        "examples/",
        "test_tutorial.py",
    )
)
# On PostgreSQL the same lines are visited as on SQLite, but for those of the store.
MEASURED_ON_POSTGRESQL = str(TESTS / "store/")


# Hardly any test asks what a disk does, and all of them wait for it: what is temporary stays in memory where
# there is room. A process that is killed loses nothing there, and PostgreSQL has its folders on the disk.
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 1024**3


def _temporary_in_memory() -> None:
    """For this process, those of pytest-xdist and those that tests begin, unless a place was asked for."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ROOM_BYTES:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


_temporary_in_memory()
# Else each of the many processes that tests begin compiles this source again, a quarter of its start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What the oldest PostgreSQL that is supported runs in `make test`; the rest of it is in `make test-long`.
OF_POSTGRESQL_15 = tuple(str(TESTS / name) for name in ("store/", "runs/test_stateful.py"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with what is not measured, the longest first, as it is listed."""
    for item in items:
        if "[postgresql-15" in item.name and not str(item.path).startswith(OF_POSTGRESQL_15):
            item.add_marker(pytest.mark.long)
        elsewhere = "[postgresql-" in item.name and not str(item.path).startswith(MEASURED_ON_POSTGRESQL)
        if elsewhere or _rank(item) < len(UNMEASURED):
            item.add_marker(pytest.mark.no_cover)
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    path = str(item.path)
    return next((at for at, name in enumerate(UNMEASURED) if path.startswith(name)), len(UNMEASURED))


# A machine busy with other tests is slow now and then; that says nothing about the law under test.
settings.register_profile(
    "aforo", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("aforo")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """A setting in the shell that runs the tests reaches none of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name.startswith("AFORO_"):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A test that owns the process for a while, as the command line does, leaves no logging to the next."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
