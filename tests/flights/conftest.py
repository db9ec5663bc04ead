"""All flights of 2013, loaded once for the tests that ask about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aforo.assembly import Chunk, Local
from aforo.assembly.demo import ORDER, chunks
from aforo.clock import SystemClock
from aforo.settings import Settings

YEAR = {"tenant": "nyc", "from": "2013-01-01", "to": "2013-12-31"}
Ask = Callable[..., dict[str, Any]]


def opened(directory: Path) -> Local:
    return Local(replace(Settings(), data=directory), SystemClock())


def load(local: Local, pieces: Iterable[Chunk]) -> tuple[int, int]:
    loaded = local.load(pieces, ORDER, lambda _loaded: None)
    assert not loaded.refused, loaded.samples
    return loaded.accepted, loaded.duplicates


def shuffled(seed: int, rows: int) -> Iterator[Chunk]:
    """The same flights in another order and in chunks of another size."""
    whole = list(chunks())
    names = list(whole[0].columns)
    table = pa.table(
        {name: pa.concat_arrays([pa.array(each.columns[name]) for each in whole]) for name in names}
    )
    mixed = table.take(pa.array(np.random.default_rng(seed).permutation(table.num_rows))).combine_chunks()
    for first in range(0, mixed.num_rows, rows):
        yield of_rows(whole[0], mixed.slice(first, rows), first)


def of_rows(like: Chunk, rows: pa.Table, first: int = 0) -> Chunk:
    """A chunk of other rows of the same file."""
    return replace(
        like,
        first_row=first,
        rows=rows.num_rows,
        columns={name: rows[name].combine_chunks() for name in rows.column_names},
        numbers=np.arange(first, first + rows.num_rows),
    )


@pytest.fixture(scope="session")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    local = opened(tmp_path_factory.mktemp("flights"))
    assert load(local, chunks()) == (336_776, 0)
    local.fold(lambda _slots: None)
    yield local
    local.close()


@pytest.fixture(scope="session")
def ask(flights: Local) -> Ask:
    def asked(*metrics: str, **more: object) -> dict[str, Any]:
        return flights.ask({**YEAR, "metrics": list(metrics), **more})

    return asked
