"""The one way in: what senders bring becomes drafts, the buffer commits them, and a receipt tells of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from aforo.clock import Clock
from aforo.events.batch import Batch, Outcome
from aforo.events.buffer import Buffer
from aforo.events.composing import UNKNOWN, outcomes
from aforo.events.decoding import Decoder, TypedEvents
from aforo.events.draft import Draft
from aforo.events.identity import Occurrences
from aforo.events.receipt import Receipt
from aforo.events.refusals import Refusal, RefusalCode, shown
from aforo.events.shape import drafts_of
from aforo.events.steps import Rules, walk
from aforo.model.model import Model


class Intake:
    """Takes batches of events from whoever brings them; every sender goes through here."""

    def __init__(self, model: Model, buffer: Buffer, clock: Clock, *, future_seconds: int) -> None:
        self._model = model
        self._buffer = buffer
        self._clock = clock
        self._future_seconds = future_seconds
        self._decoder = Decoder(model)

    def read(self, content: bytes, *, lines: bool = False) -> TypedEvents | None:
        """The events of a JSON text, or of one in each line, where every one is as its stream declares it.

        None where any is not: decoded one by one, `take` finds out which and why.
        """
        return self._decoder.read(content, lines=lines)

    def take(
        self,
        events: Sequence[object] | TypedEvents,
        *,
        tenant: str | None = None,
        owns: frozenset[str] | None = None,
    ) -> Future[Receipt]:
        """Takes decoded JSON; `tenant` is given to events that name none, and only those of `owns` are taken.

        The future is done when all that was accepted is durable. Raises `IntakeFull`, `Stopping`.
        """
        refusals: list[Refusal] = []
        if isinstance(events, TypedEvents):
            drafts = events.drafts()
        else:
            drafts, refusals = drafts_of(events, self._model)
        return self.take_drafts(drafts, len(events), tenant=tenant, owns=owns, refusals=refusals)

    def take_drafts(
        self,
        drafts: Sequence[Draft],
        places: int,
        *,
        tenant: str | None = None,
        owns: frozenset[str] | None = None,
        refusals: Sequence[Refusal] = (),
    ) -> Future[Receipt]:
        """Takes columns of decoded JSON, of several streams, and refusals of what belongs to none.

        Rows are named by their place among the `places` that were sent. Raises as `take` does.
        """
        refused = Counter((UNKNOWN, tenant or UNKNOWN, str(refusal.code)) for refusal in refusals)
        taken, found = list(drafts), list(refusals)
        for at, draft in enumerate(drafts):
            if owns is not None:
                draft, foreign = _own(draft, owns)  # noqa: PLW2901  (what is left of it)
                found += foreign
                # Nobody is to count under a tenant that is not theirs.
                refused[draft.stream.name, tenant or UNKNOWN, RefusalCode.NOT_YOUR_TENANT] += len(foreign)
            taken[at] = draft if tenant is None else _filled(draft, tenant)
        return self._buffer.submit(Batch(tuple(taken), places, tuple(found), +refused))

    def take_draft(
        self,
        draft: Draft,
        *,
        tenant: str | None = None,
        occurrences: Occurrences | None = None,
        refusals: Sequence[Refusal] = (),
    ) -> Future[Receipt]:
        """Takes columns of one stream, as readers of files bring them, with what they could not read.

        `occurrences` tells equal rows of one file apart. Raises as `take` does.
        """
        refused: Counter[Outcome] = Counter(
            (draft.stream.name, tenant or UNKNOWN, str(refusal.code)) for refusal in refusals
        )
        whole, more = walk(draft, Rules(self._clock.now(), self._future_seconds, tenant, occurrences))
        refused.update(outcomes(draft, more, tenant))
        return self._buffer.submit(Batch((whole,), 0, (*refusals, *more), refused, walked=True))

    def check(self) -> None:
        """Raises `IntakeFull` or `Stopping` where no event would be taken now."""
        self._buffer.check()


def _filled(draft: Draft, tenant: str) -> Draft:
    """The draft with the tenant where an event names none; what is no name stays, and is refused as that."""
    named = draft.columns.get("tenant")
    if named is None:
        return draft.having({"tenant": [tenant] * draft.rows})
    return draft.having({"tenant": [tenant if name is None or name == "" else name for name in named]})


def _own(draft: Draft, owns: frozenset[str]) -> tuple[Draft, list[Refusal]]:
    """The draft without the events of tenants that their sender may not bring any of, and these refused."""
    named = draft.columns.get("tenant", [])
    foreign = [isinstance(name, str) and name != "" and name not in owns for name in named]
    if not any(foreign):
        return draft, []
    mask = np.array(foreign, np.bool_)
    refusals = [
        Refusal(
            int(draft.index[row]),
            RefusalCode.NOT_YOUR_TENANT,
            f"tenant: came {shown(named[row])}, and the key is not for it",
        )
        for row in np.flatnonzero(mask).tolist()
    ]
    return draft.kept(~mask), refusals
