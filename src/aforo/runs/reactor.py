"""An update comes in: it is recognised and kept, and every metric that reads its dataset considers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from aforo.errors import InvalidRequest, NotYourTenant, UnknownName
from aforo.objects.prefix import Prefix
from aforo.runs.considering import consider
from aforo.runs.hand import Hand, Turns
from aforo.runs.messages import ProjectionUpdateEvent
from aforo.store import catalog, updates
from aforo.store.run import Dataset, DatasetKind, LogKind, Run, Version
from aforo.store.standing import Standing, standings
from aforo.windows import Zone


@dataclass(frozen=True, slots=True)
class Reaction:
    """What an update came to: its number, whether it was there already, and the runs it made or joined."""

    update_id: int
    repeated: bool = False
    older: bool = False
    runs: tuple[Run, ...] = ()


class Reactor:
    """Takes updates of datasets, from any thread and beside other processes."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def take(self, event: ProjectionUpdateEvent, tenants: frozenset[str] | None = None) -> Reaction:
        """One effect for one event, durable when this returns.

        `tenants` are those of the caller, None: all. Raises UnknownName, NotYourTenant, InvalidRequest,
        and OutsidePrefix where the version does not lie where those of the dataset are read.
        """
        with self._turns.taken() as hand:
            dataset = _dataset(hand, event, tenants)
            Prefix.of(dataset.prefix).steps(event.uri)
            return react(hand, event, dataset)


def react(hand: Hand, event: ProjectionUpdateEvent, dataset: Dataset) -> Reaction:
    """Takes an update of a dataset in."""
    _refuse(hand, event)
    taken = _recognise(hand, event, dataset)
    if taken is None:
        known = updates.known(hand.connection, dataset.tenant, event.key)
        assert known is not None, "what was there when it was to be written is there"
        return Reaction(known.id, repeated=True)
    version = Version(id=taken, dataset_id=dataset.id, manifest_uri=event.uri, updated_at=event.made_at)
    metrics = catalog.hold_readers(hand.connection, dataset.id)
    stands = standings(hand.connection, [metric.id for metric in metrics]) if metrics else {}
    newest = _newest(hand, dataset, stands)
    if newest.id != taken:
        hand.tell_of(LogKind.UPDATE_OLDER, dataset, version, f"update {newest.id} is of {_at(newest)}")
        return Reaction(taken, older=True)
    if not metrics:
        hand.tell_of(LogKind.UPDATE_UNUSED, dataset, version)
        return Reaction(taken)
    hand.tell_of(LogKind.UPDATE_TAKEN, dataset, version, ", ".join(metric.code for metric in metrics))
    made = [consider(hand, metric, version, stands.get(metric.id, Standing())) for metric in metrics]
    return Reaction(taken, runs=tuple(run for run in made if run is not None))


def _newest(hand: Hand, dataset: Dataset, stands: Mapping[int, Standing]) -> Version:
    known = (each.newest.get(dataset.id) for each in stands.values())
    found = next(filter(None, known), None) or updates.newest(hand.connection, dataset.id)
    assert found is not None, "the one that came is there"
    return found


def _dataset(hand: Hand, event: ProjectionUpdateEvent, tenants: frozenset[str] | None) -> Dataset:
    found = catalog.dataset(hand.connection, event.dataset_id)
    if found is None:
        raise UnknownName(
            f"there is no dataset {event.dataset_id!r}",
            hint="aforo runs datasets lists those there are; aforo runs define makes one",
        )
    if tenants is not None and found.tenant not in tenants:
        raise NotYourTenant(f"dataset {event.dataset_id!r} is not of a tenant of this key")
    if found.kind is not DatasetKind.OUTSIDE:
        raise InvalidRequest(
            f"the versions of {event.dataset_id!r} are made here and told by nobody else",
            hint="its metric's runs make them" if found.kind is DatasetKind.METRIC else "folds make them",
        )
    return found


def _refuse(hand: Hand, event: ProjectionUpdateEvent) -> None:
    latest = hand.in_seconds(hand.rules.future_seconds)
    if event.made_at > latest:
        raise InvalidRequest(
            f"updatedAt {event.updated_at} is more than {hand.rules.future_seconds:g} s ahead",
            hint="it would be the newest version until then; see to the sender's clock",
        )


def _recognise(hand: Hand, event: ProjectionUpdateEvent, dataset: Dataset) -> int | None:
    """Its number, None where it was taken before. Whoever takes the same one now is waited for."""
    told: Sequence[object] = event.series
    return updates.take(
        hand.connection,
        tenant=dataset.tenant,
        dataset_id=dataset.id,
        event_key=event.key,
        manifest_uri=event.uri,
        updated_at=event.made_at,
        row_count=event.row_count,
        series=msgspec.json.encode(told).decode() if told else None,
        received_at=hand.now,
    )


def _at(version: Version) -> str:
    return Zone("UTC").rfc3339(version.updated_at)
