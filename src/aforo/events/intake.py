"""The one way in: drafts walk the named steps, what is left is kept, and a receipt tells of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from aforo.clock import Clock
from aforo.engines.engine import OutcomeCount, StreamRows
from aforo.events.buffer import Buffer, Kept, Submission
from aforo.events.draft import Draft, value_at
from aforo.events.identity import Occurrences
from aforo.events.receipt import Receipt
from aforo.events.refusals import Refusal
from aforo.events.shape import drafts_of
from aforo.events.steps import GIVEN, Rules, as_table, walk
from aforo.model.model import Model

UNKNOWN = "?"


class Intake:
    """Takes batches of events from whoever brings them; every sender goes through here."""

    def __init__(self, model: Model, buffer: Buffer, clock: Clock, *, future_seconds: int) -> None:
        self._model = model
        self._buffer = buffer
        self._clock = clock
        self._future_seconds = future_seconds

    def take(
        self,
        events: Sequence[object],
        *,
        tenant: str | None = None,
        owns: frozenset[str] | None = None,
    ) -> Future[Receipt]:
        """Takes decoded JSON; `tenant` is given to events that name none, and only those of `owns` are taken.

        The future is done when all that was accepted is durable. Raises `IntakeFull`, `Stopping`.
        """
        drafts, refusals = drafts_of(events, self._model)
        refused = Counter((UNKNOWN, tenant or UNKNOWN, str(refusal.code)) for refusal in refusals)
        return self._take(drafts, refusals, refused, self._rules(tenant, None, owns))

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
        stream = draft.stream.name
        unread = Counter((stream, tenant or UNKNOWN, str(refusal.code)) for refusal in refusals)
        return self._take([draft], list(refusals), unread, self._rules(tenant, occurrences))

    def check(self) -> None:
        """Raises `IntakeFull` or `Stopping` where no event would be taken now."""
        self._buffer.check()

    def _rules(
        self,
        tenant: str | None,
        occurrences: Occurrences | None,
        owns: frozenset[str] | None = None,
    ) -> Rules:
        return Rules(self._clock.now(), self._future_seconds, tenant, occurrences, owns)

    def _take(
        self,
        drafts: Sequence[Draft],
        refusals: list[Refusal],
        refused: Counter[tuple[str, str, str]],
        rules: Rules,
    ) -> Future[Receipt]:
        kept: list[Draft] = []
        for draft in drafts:
            whole, more = walk(draft, rules)
            refusals += more
            refused.update(
                (draft.stream.name, _tenant_of(draft, refusal.index, rules), str(refusal.code))
                for refusal in more
            )
            if whole.rows:
                kept.append(whole)
        submission = Submission(
            rows=tuple(StreamRows(draft.stream, as_table(draft)) for draft in kept),
            refused=tuple(OutcomeCount(*key, count) for key, count in refused.items()),
        )
        receipt: Future[Receipt] = Future()
        self._buffer.submit(submission).add_done_callback(
            lambda done: _settle(receipt, done, kept, refusals, rules.arrival)
        )
        return receipt


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


def _tenant_of(draft: Draft, index: int, rules: Rules) -> str:
    column = draft.columns.get("tenant")
    row = int(np.searchsorted(draft.index, index))
    named = None if column is None else value_at(column, row)
    # Nobody is to count under a tenant that is not theirs.
    own = isinstance(named, str) and named and (rules.owns is None or named in rules.owns)
    return str(named) if own else rules.tenant or UNKNOWN
