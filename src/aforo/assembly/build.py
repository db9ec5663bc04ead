"""Every long-lived part, built with what it uses, started in order and stopped in the reverse order."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aforo.assembly.caching import cache_of
from aforo.clock import Clock
from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.refused import SampleLimits
from aforo.errors import Fault, InvalidModel
from aforo.events.buffer import Buffer
from aforo.events.echoes import Echoes
from aforo.events.intake import Intake
from aforo.model.model import Model
from aforo.model.reading import read_file, read_model
from aforo.model.tenant import Tenant
from aforo.packs import model_file
from aforo.questions.ask import Desk
from aforo.questions.warming import Warmer, read_named
from aforo.rollups.compaction import Compaction
from aforo.rollups.drift import DriftCheck
from aforo.rollups.folder import Folder
from aforo.rollups.lag import FoldLag
from aforo.rollups.periods import PeriodKeeper
from aforo.rollups.retention import Retention
from aforo.settings import Settings
from aforo.telemetry import Telemetry

MODEL_SUFFIXES = (".yaml", ".yml")
DEFAULT_TENANT = Tenant(name="default", timezone="UTC", week_start="monday")


class Aforo:
    """One process's parts over one data directory; raises `DataInUse` where another process holds it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.telemetry = Telemetry()
        self.model = load_model(settings)
        samples = SampleLimits(settings.intake.refused_per_reason, settings.intake.refused_in_all)
        self.engine = EmbeddedEngine(
            settings.data,
            memory_mb=settings.engine.memory_mb,
            threads=settings.engine.threads,
            untimed_id_seconds=settings.intake.untimed_id_seconds,
            rows_at_hand_bytes=settings.engine.rows_at_hand_mb * 2**20,
            samples=samples,
            clock=clock,
            lease_seconds=settings.fold.lease_seconds,
        )
        try:
            self.engine.apply_model(self.model, DEFAULT_TENANT)
        except BaseException:
            self.engine.close()
            raise
        self.lag = FoldLag(self.engine, clock, self.telemetry)
        self.folder = Folder(
            self.engine,
            clock,
            self.telemetry,
            batch_rows=settings.fold.batch_rows,
            write_rows=settings.fold.write_rows,
            wake_after_seconds=settings.fold.wake_after_seconds,
            core_share=settings.fold.core_share,
            most_rest_seconds=settings.fold.most_rest_seconds,
            least_rest_seconds=settings.fold.least_rest_seconds,
            lag=self.lag,
            folded=self._folded,
        )
        self.cache = cache_of(settings, clock, self.telemetry)
        self.retention = Retention(
            self.engine,
            self.model,
            clock,
            self.telemetry,
            batch_rows=settings.retention.batch_rows,
            check_after_seconds=settings.retention.check_after_seconds,
            untimed_id_seconds=settings.intake.untimed_id_seconds,
            purged=self.cache.clear_tenant,
        )
        self.periods = PeriodKeeper(
            self.engine, clock, self.telemetry, every_seconds=settings.fold.periods_every_seconds
        )
        self.drift = DriftCheck(
            self.engine,
            clock,
            self.telemetry,
            every_seconds=settings.drift.every_seconds,
            sample_days=settings.drift.sample_days,
            marked=self.folder.wake,
            dice=random.Random(),  # noqa: S311 - which days are looked at is no secret
        )
        self.compaction = Compaction(
            self.engine,
            clock,
            self.telemetry,
            every_seconds=settings.compaction.every_seconds,
            loose_share=settings.compaction.loose_share,
        )
        tenants = frozenset(self.model.tenants) if settings.intake.tenants == "fixed" else None
        self.buffer = Buffer(
            self.engine,
            clock,
            self.telemetry,
            future_seconds=settings.intake.future_seconds,
            tenants=tenants,
            commit_rows=settings.intake.commit_rows,
            after_seconds=settings.intake.commit_after_seconds,
            queue_rows=settings.intake.queue_rows,
            echoes=Echoes(self.engine.untimed_ids, clock),
            sinks=(self.lag.came, self.folder.came),
        )
        self.intake = Intake(
            self.model,
            self.buffer,
            clock,
            future_seconds=settings.intake.future_seconds,
            tenants=tenants,
            samples=samples,
        )
        self.desk = Desk(self.engine, self.model, settings, clock, self.telemetry, self.cache)
        self.warmer = Warmer(
            {} if settings.cache.warm is None else read_named(settings.cache.warm),
            self.desk.ask,
            self.telemetry,
            after_seconds=settings.cache.warm_after_seconds,
        )
        self._told_of_folds: list[Callable[[], None]] = [self.warmer.wake]

    def on_folded(self, told: Callable[[], None]) -> None:
        """Has `told` called whenever rollups have become others; ask for it before folding begins."""
        self._told_of_folds.append(told)

    def start_taking(self) -> None:
        """Begins to take events."""
        self.buffer.start()

    def start_folding(self) -> None:
        """Begins to fold, to purge what is past its retention, to check for drift and to compact.

        All of it in the background.
        """
        self.folder.start()
        self.retention.start()
        self.periods.start()
        self.drift.start()
        self.warmer.start()
        self.compaction.start()

    def _folded(self) -> None:
        """The folder is built before who is told of folds, and folds only after all are."""
        for told in self._told_of_folds:
            told()

    def stop(self) -> None:
        """Commits what waits, ends the fold under way and lets go of the data directory."""
        self.buffer.stop(self.settings.stop.drain_seconds)
        self.warmer.stop()
        self.retention.stop()
        self.periods.stop()
        self.drift.stop()
        self.compaction.stop()
        self.folder.stop()
        self.cache.stop()
        self.engine.close()


def load_model(settings: Settings) -> Model:
    """The model of the packs and of every file in the model folder; all faults of all files at once."""
    models: list[Model] = []
    faults: list[Fault] = []
    details: list[str] = []
    for read in [*_packs(settings), *_files(settings.model_folder)]:
        try:
            models.append(read())
        except InvalidModel as error:
            details.append(error.detail)
            faults += error.faults
    if details:
        raise InvalidModel("; ".join(details), faults=faults)
    return Model.merged(models)


def _packs(settings: Settings) -> list[Callable[[], Model]]:
    files = [model_file(name) for name in settings.packs]
    return [
        partial(read_model, file.read_bytes(), source=f"pack {name}")
        for name, file in zip(settings.packs, files, strict=True)
    ]


def _files(folder: Path) -> list[Callable[[], Model]]:
    if not folder.is_dir():
        return []
    paths = sorted(path for path in folder.iterdir() if path.suffix in MODEL_SUFFIXES)
    return [partial(read_file, path) for path in paths]
