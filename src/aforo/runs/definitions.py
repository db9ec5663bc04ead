"""Definitions of datasets, their series, and metrics: applied together, or not at all."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from aforo.errors import Conflict
from aforo.runs.defined import Defined, Grounds, read
from aforo.runs.drafting import Draft
from aforo.runs.hand import Turns
from aforo.store import audit
from aforo.store.act import Action, Actor


class Definitions:
    """Takes definitions of one tenant at a time."""

    def __init__(self, turns: Turns, grounds: Grounds) -> None:
        self._turns = turns
        self._grounds = grounds

    def apply(self, tenant: str, asked: object, actor: Actor) -> Defined:
        """Defines what is asked for, beside what is there. Raises InvalidRequest with every fault.

        A metric whose meaning changed is computed in the new way from its next run on. Raises Conflict where
        somebody has defined something of the same name at the same moment.
        """
        datasets, metrics, faults = read(asked)
        try:
            with self._turns.taken() as hand:
                draft = Draft(hand, tenant, self._grounds, faults)
                for place, dataset in datasets:
                    draft.dataset(place, dataset)
                draft.metrics(metrics)
                draft.raise_if_any()
                kept = draft.write()
                told = f"{kept.datasets} datasets, {kept.series} series, {kept.metrics} metrics"
                audit.add(hand.connection, hand.now, Action.CATALOG_CHANGED, actor, tenant, told)
        except IntegrityError as error:
            raise Conflict(
                "something of the same name was defined at the same moment; nothing of this was applied",
                hint="send it again",
            ) from error
        return kept
