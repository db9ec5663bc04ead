"""Whether a metric can be computed: decided from the versions there are, and from nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aforo.clock import MICROSECONDS
from aforo.store.run import Version

DAY = 86_400 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Readiness:
    """The exact versions to compute from, and what is missing, with the oldest version that would do."""

    versions: tuple[Version, ...]
    missing: Mapping[str, int | None]

    @property
    def ready(self) -> bool:
        return not self.missing

    @property
    def triggered_at(self) -> int:
        """When the newest of the versions was made; 0 where there is none."""
        return max((version.updated_at for version in self.versions), default=0)


def readiness(
    required: Collection[str], newest: Mapping[str, Version], required_days: int | None
) -> Readiness:
    """No version may be older than the newest one's time minus `required_days`; None: of any age."""
    triggered_at = max((version.updated_at for version in newest.values()), default=0)
    since = None if required_days is None else triggered_at - required_days * DAY
    good = {
        dataset_id: version
        for dataset_id, version in newest.items()
        if since is None or version.updated_at >= since
    }
    return Readiness(
        versions=tuple(good[dataset_id] for dataset_id in sorted(good)),
        missing={dataset_id: since for dataset_id in sorted(required) if dataset_id not in good},
    )


def deadline(readiness: Readiness, required_days: int | None, now: int) -> int | None:
    """When what is missing has to be there: as long after the newest version as others may be older.

    Counted from now where that version tells of an earlier time: what is brought in late waits as long.
    """
    if readiness.ready or required_days is None:
        return None
    return max(readiness.triggered_at, now) + required_days * DAY
