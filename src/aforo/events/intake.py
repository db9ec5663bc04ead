"""The one way in: what senders bring becomes drafts, the buffer commits them, and a receipt tells of all."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from aforo.clock import Clock
from aforo.engines.appends import UNKNOWN, OutcomeCount
from aforo.engines.refused import Sample, SampleLimits
from aforo.events.batch import Batch
from aforo.events.buffer import Buffer
from aforo.events.decoding import Decoder, TypedEvents
from aforo.events.draft import Draft
from aforo.events.identity import Occurrences
from aforo.events.receipt import Receipt
from aforo.events.refusals import Refusal, RefusalCode, shown
from aforo.events.samples import Refused
from aforo.events.shape import drafts_of
from aforo.events.steps import Rules, walk
from aforo.model.model import Model

DEFAULT_SAMPLES = SampleLimits()


class Intake:
    """Takes batches of events from whoever brings them; every sender goes through here.

    Where `tenants` are given, only those may have events; the buffer is given the same.
    """

    def __init__(
        self,
        model: Model,
        buffer: Buffer,
        clock: Clock,
        *,
        future_seconds: int,
        tenants: frozenset[str] | None = None,
        samples: SampleLimits = DEFAULT_SAMPLES,
    ) -> None:
        self._model = model
        self._buffer = buffer
        self._clock = clock
        self._future_seconds = future_seconds
        self._decoder = Decoder(model)
        self._tenants = tenants
        self._samples = samples

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
        size: int = 0,
    ) -> Future[Receipt]:
        """Takes decoded JSON of `size` bytes; `tenant` is given to events that name none.

        Where `owns` is there, only events of its tenants are taken. The future is done when all that was
        accepted is durable. Raises `IntakeFull`, `Stopping`.
        """
        refused = Refused(self._samples)
        if isinstance(events, TypedEvents):
            return self._take(events.drafts(), len(events), refused, (), tenant, owns, size)
        drafts, refusals = drafts_of(events, self._model)
        for refusal in refusals:
            refused.add_event(events[refusal.index], self._model, refusal, tenant, owns)
        return self._take(drafts, len(events), refused, refusals, tenant, owns, size)

    def take_drafts(
        self,
        drafts: Sequence[Draft],
        places: int,
        *,
        tenant: str | None = None,
        refusals: Sequence[Refusal] = (),
        size: int = 0,
    ) -> Future[Receipt]:
        """Takes columns of decoded JSON, of several streams, and refusals of what belongs to none.

        Rows are named by their place among the `places` that were sent. Raises as `take` does.
        """
        refused = Refused(self._samples)
        for refusal in refusals:
            refused.add(UNKNOWN, tenant or UNKNOWN, refusal, dict)
        return self._take(drafts, places, refused, refusals, tenant, None, size)

    def take_draft(
        self,
        draft: Draft,
        *,
        tenant: str | None = None,
        occurrences: Occurrences | None = None,
        refusals: Sequence[Refusal] = (),
        size: int = 0,
    ) -> Future[Receipt]:
        """Takes columns of one stream, as readers of files bring them, with what they could not read.

        `occurrences` tells equal rows of one file apart. Raises as `take` does.
        """
        refused = Refused(self._samples)
        refused.add_unread(draft.stream.name, tenant, refusals)
        rules = Rules(self._clock.now(), self._future_seconds, tenant, occurrences, self._tenants)
        whole, more = walk(draft, rules)
        for refusal in more:
            refused.add_of(draft, refusal, tenant)
        batch = Batch(
            (whole,), 0, refused, (*refusals, *more), tenant, _owners(tenant, None), size, walked=True
        )
        return self._buffer.submit(batch)

    def report(self, refused: Sequence[OutcomeCount], samples: Sequence[Sample]) -> Future[Receipt]:
        """Counts what a sender has refused itself, on the model's word, before it sent the rest.

        The future is done when the counts are durable. Raises as `take` does.
        """
        nothing = Refused(self._samples)
        return self._buffer.submit(
            Batch((), 0, nothing, reported=tuple(refused), reported_samples=tuple(samples))
        )

    def check(self) -> None:
        """Raises `IntakeFull` or `Stopping` where no event would be taken now."""
        self._buffer.check()

    def _take(
        self,
        drafts: Sequence[Draft],
        places: int,
        refused: Refused,
        refusals: Sequence[Refusal],
        tenant: str | None,
        owns: frozenset[str] | None,
        size: int,
    ) -> Future[Receipt]:
        taken, found = list(drafts), list(refusals)
        for at, draft in enumerate(drafts):
            taken[at] = draft if tenant is None else _filled(draft, tenant)
            if owns is not None:
                taken[at], foreign = _own(taken[at], owns)
                found += foreign
                for refusal in foreign:
                    refused.add_foreign(draft, refusal, tenant)
        batch = Batch(tuple(taken), places, refused, tuple(found), tenant, _owners(tenant, owns), size)
        return self._buffer.submit(batch)


def _owners(tenant: str | None, owns: frozenset[str] | None) -> frozenset[str]:
    """Tenants that somebody with a say has named: refused events count for them from the first."""
    if owns is not None:
        return owns
    return frozenset() if tenant is None else frozenset((tenant,))


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
