"""Files of attempts that are over and were not taken: what workers wrote that were lost, or came too late.

The log of runs tells which attempts are over, and again of one that says something after its end. Removed is
only what the built-in worker writes, in the folder of the attempt, below our place of results; and nothing in
a folder that a version of a dataset lies in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import unquote

import structlog

from aforo.errors import AforoError, ObjectsUnavailable, StorageError
from aforo.objects.object import Objects
from aforo.objects.opening import Opener
from aforo.runs.worker.publishing import is_result
from aforo.store import catalog, event_log, runs, updates, upkeep
from aforo.store.connect import Store
from aforo.store.run import ENDED, LogKind, Run, RunState, UpkeepWork, result_dataset
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

OVER = frozenset(
    {
        LogKind.RUN_SUCCEEDED,
        LogKind.RUN_FAILED,
        LogKind.RUN_CANCELLED,
        LogKind.RUN_ABSORBED,
        LogKind.MESSAGE_STALE,
    }
)
"""Lines after which a run may have files that nobody took."""


class Leftovers:
    """Goes through the log of runs, from where it, or another process, has ended before."""

    def __init__(
        self, store: Store, objects: Opener, results_of: Callable[[str], str], telemetry: Telemetry
    ) -> None:
        """`results_of` tells below which URI the results of a tenant are ours to remove."""
        self._store = store
        self._objects = objects
        self._results_of = results_of
        self._telemetry = telemetry

    def step(self, before: int, most: int, stopping: Callable[[], bool]) -> bool:
        """Deals with at most so many lines that were told before then; whether there may be more.

        Raises StorageError, and ObjectsUnavailable, after which the same lines are dealt with again.
        """
        with self._store.reading() as connection:
            done = upkeep.through(connection, UpkeepWork.LEFTOVERS)
            told = event_log.told(connection, done, before, most)
        for run_id in dict.fromkeys(said.run_id for said in told if said.kind in OVER):
            if stopping():
                return False
            assert run_id is not None, "what is over is a run's"
            self._remove_told(run_id)
        if told:
            with self._store.working() as connection:
                upkeep.reached(connection, UpkeepWork.LEFTOVERS, told[-1].id)
        return len(told) == most

    def _remove_told(self, run_id: str) -> None:
        """One that cannot be removed is told, and holds none of the others back."""
        try:
            removed = self._remove(run_id)
        except (StorageError, ObjectsUnavailable):
            raise
        except AforoError as error:
            log.warning("files of a run stay", run=run_id, code=error.code, detail=error.detail)
            return
        if removed:
            self._telemetry.count("result_files_removed_total", removed)
            log.info("files that no run has taken were removed", run=run_id, files=removed)

    def _remove(self, run_id: str) -> int:
        with self._store.reading() as connection:
            run = runs.get(connection, run_id)
            if run is None or run.state not in ENDED:
                return 0
            results = catalog.dataset(connection, result_dataset(run.tenant, run.metric_code))
        if results is None or not results.prefix.startswith(self._results_of(run.tenant)):
            return 0
        objects = self._objects.under(results.prefix)
        found = [*self._untaken(objects, run), *_unfinished(objects, run)]
        for uri in found:
            objects.remove(uri)
        return len(found)

    def _untaken(self, objects: Objects, run: Run) -> list[str]:
        """Results of all attempts but the one that was taken; the manifest before what it names."""
        taken = run.attempt if run.state is RunState.SUCCEEDED else None
        if taken == 1:
            return []  # there was no other
        written = [
            (attempt, uri)
            for uri in objects.below(_folder(objects, run))
            if (attempt := _attempt_of(objects, run, uri, is_result)) not in (None, taken)
        ]
        if not written:
            return []
        with self._store.reading() as connection:
            versions = [unquote(uri) for uri in updates.naming(connection, run.id)]
        return [
            uri
            for attempt, uri in written
            if not any(f"/{run.id}/{attempt}/" in version for version in versions)
        ]


def _unfinished(objects: Objects, run: Run) -> Iterator[str]:
    for uri in objects.unfinished(_folder(objects, run)):
        if _attempt_of(objects, run, uri, lambda _name: True) is not None:
            yield uri


def _folder(objects: Objects, run: Run) -> str:
    return f"{objects.prefix.uri}{run.id}/"


def _attempt_of(objects: Objects, run: Run, uri: str, wanted: Callable[[str], bool]) -> int | None:
    """In the folder of which attempt of a run a file with a wanted name lies; None for any other file."""
    match objects.prefix.steps(uri):
        case (run.id, attempt, name) if wanted(name):
            return next((each for each in range(1, run.attempt + 1) if attempt == str(each)), None)
    return None
