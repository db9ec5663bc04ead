"""The parts of an open data directory, on which the verbs of the engine stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from aforo.clock import Clock, SystemClock
from aforo.engines.embedded import (
    compacting,
    rezoning,
    sealing,
    serving,
    standings,
)
from aforo.engines.embedded.appending import Appending
from aforo.engines.embedded.claiming import Claiming
from aforo.engines.embedded.database import Cursor, Database
from aforo.engines.embedded.deriving import Deriving
from aforo.engines.embedded.hashes import Hashes
from aforo.engines.embedded.journal import Journal
from aforo.engines.embedded.landing import Landing
from aforo.engines.embedded.leases import Leases
from aforo.engines.embedded.marks import Marks
from aforo.engines.embedded.ordinals import Ordinals
from aforo.engines.embedded.pending import Pending
from aforo.engines.embedded.period_building import PeriodBuilding
from aforo.engines.embedded.rows_at_hand import RowsAtHand
from aforo.engines.refused import SampleLimits
from aforo.model.model import Model
from aforo.model.tenant import Tenant
from aforo.windows import Zone

ENTITIES_AT_HAND = 500_000
"""Values of entities whose numbers are kept in memory: some 60 MB."""

ROWS_AT_HAND_BYTES = 128 * 2**20
"""Memory for rows of days, weeks and months that questions were answered from."""

LEASE_SECONDS = 300.0
"""How long a claim is held that nobody works on: longer than any fold takes."""

MACHINE_CLOCK = SystemClock()

DEFAULT_SAMPLES = SampleLimits()


class Opened:
    """DuckDB in this process, with what stands before and beside it in memory."""

    def __init__(
        self,
        directory: Path,
        *,
        memory_mb: int,
        threads: int,
        untimed_id_seconds: int,
        entities_at_hand: int = ENTITIES_AT_HAND,
        rows_at_hand_bytes: int = ROWS_AT_HAND_BYTES,
        samples: SampleLimits = DEFAULT_SAMPLES,
        clock: Clock = MACHINE_CLOCK,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._database = Database(directory, memory_mb=memory_mb, threads=threads)
        compacting.clear(directory)
        self._standings = standings.Standings(self._database)
        self._rows_at_hand = RowsAtHand(self._database, self._standings, rows_at_hand_bytes)
        self._limits = samples
        self._clock = clock
        pending, self._marks = Pending(), Marks()
        self._pending = pending
        self._journal = Journal(directory)
        self._hashes = Hashes(directory)
        ordinals = Ordinals(entities_at_hand, self._hashes)
        self._landing = Landing(self._journal, pending, self._marks, ordinals=ordinals, samples=samples)
        self._leases = Leases(clock, seconds=lease_seconds)
        self._claiming = Claiming(self._leases)
        self._seals = sealing.Seals()
        self._deriving = Deriving(self._landing, self._marks)
        self._database.accompany(self._landing)
        try:
            self._appending = Appending(
                self._database,
                self._journal,
                pending,
                self._marks,
                self._landing,
                untimed_id_seconds=untimed_id_seconds,
                samples=samples,
            )
        except BaseException:
            self._database.close()
            raise
        self._model: Model | None = None
        self._births: dict[tuple[str, str], dict[str, int]] = {}
        self._served = serving.Served(Model(streams={}, metrics={}, tenants={}))
        self._one_build_at_a_time = Lock()
        # What was found to be held by nothing must be so still when it goes, but for what events bring.
        self._one_purge_at_a_time = Lock()
        self._period_building = PeriodBuilding(self._database)
        self._rezoned: dict[tuple[str, str], rezoning.Rezoned] = {}
        # What the tenants' table holds, which only this process writes: every question needs a zone.
        self._tenants: dict[str, Tenant] = {}
        self._default_tenant = Tenant(name="", timezone="UTC", week_start="monday")

    @property
    def name(self) -> str:
        return "embedded"

    def tenant(self, name: str) -> Tenant | None:
        return self._tenants.get(name)

    def zone(self, tenant: str) -> Zone:
        found = self._tenants.get(tenant, self._default_tenant)
        return Zone(found.timezone, found.week_start)

    @contextmanager
    def _landed(self) -> Iterator[Cursor]:
        """A snapshot that has every commit made so far."""
        self._appending.land()
        with self._database.snapshot() as cursor:
            yield cursor

    @property
    def model(self) -> Model:
        """The model that was applied last."""
        if self._model is None:
            raise RuntimeError("apply_model comes before every other verb")
        return self._model
