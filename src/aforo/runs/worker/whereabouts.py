"""Where versions of datasets may lie, and where the result of a run belongs, as it was registered."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection

from aforo.errors import NotFound, NotYourTenant
from aforo.store import catalog, runs
from aforo.store.connect import Store
from aforo.store.run import Dataset, Run, result_dataset


class Whereabouts(Protocol):
    """What a worker knows beside the messages."""

    def prefix_of(self, run_id: str, dataset_id: str) -> str:
        """Below which URI a dataset lies that the run reads."""
        ...

    def results_of(self, run_id: str) -> str:
        """Below which URI results of the run's metric lie."""
        ...


class StoredWhereabouts:
    """What the control store knows; NotYourTenant for a dataset that is not of the run's tenant."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def prefix_of(self, run_id: str, dataset_id: str) -> str:
        with self._store.reading() as connection:
            run, found = _run(connection, run_id), _dataset(connection, dataset_id)
        if found.tenant != run.tenant:
            raise NotYourTenant(
                f"run {run_id} is of tenant {run.tenant!r}, and dataset {dataset_id!r} is not"
            )
        return found.prefix

    def results_of(self, run_id: str) -> str:
        with self._store.reading() as connection:
            run = _run(connection, run_id)
            return _dataset(connection, result_dataset(run.tenant, run.metric_code)).prefix


def _run(connection: Connection, run_id: str) -> Run:
    found = runs.get(connection, run_id)
    if found is None:
        raise NotFound(
            f"there is no run {run_id!r}", hint="does this worker use the store that asked for it?"
        )
    return found


def _dataset(connection: Connection, dataset_id: str) -> Dataset:
    found = catalog.dataset(connection, dataset_id)
    if found is None:
        raise NotFound(f"there is no dataset {dataset_id!r}", hint="was it registered?")
    return found
