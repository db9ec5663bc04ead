"""The one way in: drafts walk the named steps, what is left is kept, and a receipt tells of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np
import pyarrow.compute as pc

from aforo.clock import Clock
from aforo.engines.engine import OutcomeCount, StreamRows, Volume
from aforo.engines.outcomes import shares
from aforo.engines.refused import Sample, SampleLimits
from aforo.events.buffer import Buffer, Kept, Submission
from aforo.events.draft import Draft, value_at
from aforo.events.identity import Occurrences
from aforo.events.receipt import Receipt
from aforo.events.refusals import Refusal
from aforo.events.samples import Refused
from aforo.events.shape import drafts_of
from aforo.events.steps import GIVEN, Rules, as_table, walk
from aforo.model.model import Model

DEFAULT_SAMPLES = SampleLimits()


class Intake:
    """Takes batches of events from whoever brings them; every sender goes through here.

    With `fixed_tenants` only those that the model declares may have events.
    """

    def __init__(
        self,
        model: Model,
        buffer: Buffer,
        clock: Clock,
        *,
        future_seconds: int,
        fixed_tenants: bool = False,
        samples: SampleLimits = DEFAULT_SAMPLES,
    ) -> None:
        self._model = model
        self._buffer = buffer
        self._clock = clock
        self._future_seconds = future_seconds
        self._tenants = frozenset(model.tenants) if fixed_tenants else None
        self._samples = samples

    def take(self, events: Sequence[object], *, tenant: str | None = None, size: int = 0) -> Future[Receipt]:
        """Takes decoded JSON of `size` bytes; `tenant` is given to events that name none.

        The future is done when all that was accepted is durable. Raises `IntakeFull`, `Stopping`.
        """
        drafts, refusals = drafts_of(events, self._model)
        refused = Refused(self._samples)
        for refusal in refusals:
            refused.add_event(events[refusal.index], self._model, refusal, tenant)
        return self._take(drafts, refusals, refused, self._rules(tenant, None), size)

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
        return self._take([draft], list(refusals), refused, self._rules(tenant, occurrences), size)

    def report(self, refused: Sequence[OutcomeCount], samples: Sequence[Sample]) -> Future[Receipt]:
        """Counts what a sender has refused itself, on the model's word, before it sent the rest.

        The future is done when the counts are durable. Raises as `take` does.
        """
        receipt: Future[Receipt] = Future()
        self._buffer.submit(Submission((), tuple(refused), (), tuple(samples))).add_done_callback(
            lambda done: _settle(receipt, done, (), (), self._clock.now())
        )
        return receipt

    def check(self) -> None:
        """Raises `IntakeFull` or `Stopping` where no event would be taken now."""
        self._buffer.check()

    def _rules(self, tenant: str | None, occurrences: Occurrences | None) -> Rules:
        return Rules(self._clock.now(), self._future_seconds, tenant, occurrences, self._tenants)

    def _take(
        self,
        drafts: Sequence[Draft],
        refusals: list[Refusal],
        refused: Refused,
        rules: Rules,
        size: int,
    ) -> Future[Receipt]:
        kept: list[Draft] = []
        for draft in drafts:
            whole, more = walk(draft, rules)
            refusals += more
            for refusal in more:
                refused.add_of(draft, refusal, rules.tenant)
            if whole.rows:
                kept.append(whole)
        rows = tuple(StreamRows(draft.stream, as_table(draft)) for draft in kept)
        counts = refused.counts
        submission = Submission(rows, counts, _volumes(rows, counts, size), refused.samples)
        receipt: Future[Receipt] = Future()
        self._buffer.submit(submission).add_done_callback(
            lambda done: _settle(receipt, done, kept, refusals, rules.arrival)
        )
        return receipt


def _volumes(rows: Sequence[StreamRows], refused: Sequence[OutcomeCount], size: int) -> tuple[Volume, ...]:
    """A body's bytes by stream and tenant: every event of it counts for the same part."""
    if not size:
        return ()
    events: Counter[tuple[str, str]] = Counter()
    for given in rows:
        for pair in pc.value_counts(given.rows["tenant"]).to_pylist():
            events[given.stream.name, pair["values"]] += pair["counts"]
    for each in refused:
        events[each.stream, each.tenant] += each.count
    keys = sorted(events)
    parts = shares(size, [events[key] for key in keys])
    return tuple(Volume(*key, part) for key, part in zip(keys, parts, strict=True))


def _settle(
    receipt: Future[Receipt],
    done: Future[Kept],
    drafts: Sequence[Draft],
    refusals: Sequence[Refusal],
    arrival: int,
) -> None:
    """Turns what was kept into the sender's receipt."""
    error = done.exception()
    if error is not None:
        receipt.set_exception(error)
        return
    kept = done.result()
    receipt.set_result(
        Receipt(
            accepted=kept.accepted,
            duplicates=kept.duplicates,
            refused=tuple(sorted(refusals, key=lambda refusal: refusal.index)),
            ids=tuple(pair for draft in drafts for pair in _given_ids(draft)),
            complete_until=min(kept.dirty_from.values(), default=arrival if drafts else None),
        )
    )


def _given_ids(draft: Draft) -> list[tuple[int, str]]:
    """The ids of events that brought neither an id nor a time, so that their sender can name them."""
    given = draft.columns.get(GIVEN)
    if given is None:
        return []
    return [
        (int(draft.index[row]), str(value_at(draft.columns["id"], row)))
        for row in np.flatnonzero(np.asarray(given)).tolist()
    ]
