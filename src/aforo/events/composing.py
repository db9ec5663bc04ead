"""Many senders' batches become one append, and its commit becomes a receipt for each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.appends import Append, Commit, OutcomeCount, StreamRows, Volume
from aforo.engines.outcomes import sealed_detail
from aforo.events.batch import Batch
from aforo.events.columns import Column, Source
from aforo.events.draft import Draft, Index, value_at
from aforo.events.receipt import Receipt
from aforo.events.refusals import Refusal, RefusalCode
from aforo.events.samples import Refused
from aforo.events.steps import GIVEN, Rules, as_table, walk
from aforo.events.volumes import volumes
from aforo.model.stream import Stream

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A batch's rows in a stream's table, and the place that each had in the batch."""

    stream: str
    start: int
    end: int
    index: Index


@dataclass(slots=True)
class _Told:
    """What is known of a batch before its commit; `pieces` are its rows in the streams' tables."""

    refusals: list[Refusal]
    refused: Refused
    ids: list[tuple[int, str]] = field(default_factory=list)
    pieces: list[_Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Composed:
    """An append made of batches, and what each of them is told once it is durable."""

    append: Append
    told: tuple[_Told, ...]

    def receipts(self, commit: Commit) -> list[Receipt]:
        """One receipt for each batch, in their order."""
        verdicts = {
            rows.stream.name: _Verdict(rows, fresh, sealed, commit)
            for rows, fresh, sealed in zip(
                self.append.rows, commit.fresh, commit.sealed or repeat({}), strict=bool(commit.sealed)
            )
        }
        return [self._receipt(told, verdicts) for told in self.told]

    def _receipt(self, told: _Told, verdicts: dict[str, _Verdict]) -> Receipt:
        accepted = rows = 0
        complete_until = self.append.arrival if told.pieces else None
        sealed: list[Refusal] = []
        for piece in told.pieces:
            verdict = verdicts[piece.stream]
            accepted += verdict.accepted(piece.start, piece.end)
            rows += piece.end - piece.start
            sealed += verdict.sealed(piece)
            dirty = verdict.dirty_from(piece.start, piece.end)
            if dirty is not None:
                complete_until = dirty if complete_until is None else min(complete_until, dirty)
        return Receipt(
            accepted=accepted,
            duplicates=rows - accepted - len(sealed),
            refused=tuple(sorted((*told.refusals, *sealed), key=lambda refusal: refusal.index)),
            ids=tuple(told.ids),
            complete_until=complete_until,
        )


def compose(batches: Sequence[Batch], rules: Rules) -> Composed:
    """One append of many batches: what has not walked the steps walks them here, all of a stream at once."""
    tables = _Tables()
    told = tuple(_Told(list(batch.refusals), batch.refused.copied()) for batch in batches)
    bases = np.cumsum([0, *(batch.places for batch in batches)])
    for joined in _joined(batches, bases):
        whole, refusals = walk(joined, rules)
        _tell_apart(batches, told, bases, joined, whole, refusals)
        start = tables.add(whole)
        ends = start + np.searchsorted(whole.index, bases)
        for at in np.flatnonzero(np.diff(ends)).tolist():
            index = whole.index[ends[at] - start : ends[at + 1] - start] - bases[at]
            told[at].pieces.append(_Piece(whole.stream.name, int(ends[at]), int(ends[at + 1]), index))
    for batch, known in zip(batches, told, strict=True):
        for draft in batch.drafts if batch.walked else ():
            known.ids += _given_ids(draft)
            start = tables.add(draft)
            if draft.rows:
                known.pieces.append(_Piece(draft.stream.name, start, start + draft.rows, draft.index))
    return Composed(_append(batches, told, tables.rows(), rules.arrival), told)


def _append(
    batches: Sequence[Batch],
    told: Sequence[_Told],
    rows: tuple[StreamRows, ...],
    arrival: int,
) -> Append:
    counts: Counter[tuple[str, str, str]] = Counter()
    for each in chain(*(known.refused.counts for known in told), *(batch.reported for batch in batches)):
        counts[each.stream, each.tenant, each.outcome] += each.count
    samples = [known.refused.samples for known in told] + [batch.reported_samples for batch in batches]
    return Append(
        rows=rows,
        refused=tuple(OutcomeCount(*key, count) for key, count in counts.items()),
        arrival=arrival,
        volumes=_volumes(batches, told, rows),
        samples=tuple(chain(*samples)),
        owners=frozenset().union(*(batch.owners for batch in batches)),
    )


def _volumes(
    batches: Sequence[Batch], told: Sequence[_Told], rows: tuple[StreamRows, ...]
) -> tuple[Volume, ...]:
    """What the bodies weigh; a reader of files tells of none."""
    sized = [(at, known) for at, known in enumerate(told) if batches[at].size]
    parts: dict[str, list[tuple[int, int, int]]] = {}
    for at, known in sized:
        for piece in known.pieces:
            parts.setdefault(piece.stream, []).append((at, piece.start, piece.end))
    refused = [
        (at, (each.stream, each.tenant), each.count) for at, known in sized for each in known.refused.counts
    ]
    owners = {each.stream.name: each.owners for each in rows}
    return volumes([batch.size for batch in batches], owners, parts, refused)


class _Verdict:
    """What became of a stream's rows in a commit, for any range of them."""

    def __init__(
        self,
        given: StreamRows,
        fresh: npt.NDArray[np.bool_],
        sealed: Mapping[int, int],
        commit: Commit,
    ) -> None:
        stream = given.stream.name
        self._rows = given.rows
        self._sealed = sealed
        self._accepted = np.concatenate(([0], np.cumsum(fresh)))
        dirty = [commit.dirty_from.get((stream, tenant), NEVER) for tenant in given.owners.tenants]
        self._dirty = np.array(dirty, np.int64)[given.owners.codes]

    def accepted(self, start: int, end: int) -> int:
        return int(self._accepted[end]) - int(self._accepted[start])

    def sealed(self, piece: _Piece) -> Iterator[Refusal]:
        """What of a batch came too late to be kept."""
        for row, seal in self._sealed.items():
            if piece.start <= row < piece.end:
                came = self._rows["time"][row].cast(pa.int64()).as_py()
                index = int(piece.index[row - piece.start])
                yield Refusal(index, RefusalCode.SEALED, sealed_detail(came, seal))

    def dirty_from(self, start: int, end: int) -> int | None:
        first = int(self._dirty[start:end].min())
        return None if first == NEVER else first


class _Tables:
    """The rows to be kept, by stream, in the order they are added."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[Stream, list[pa.Table]]] = {}

    def add(self, draft: Draft) -> int:
        """Takes a walked draft; the place of its first row in its stream's table."""
        if not draft.rows:
            return 0
        _, tables = self._of.setdefault(draft.stream.name, (draft.stream, []))
        start: int = sum(table.num_rows for table in tables)
        tables.append(as_table(draft))
        return start

    def rows(self) -> tuple[StreamRows, ...]:
        return tuple(StreamRows(stream, pa.concat_tables(tables)) for stream, tables in self._of.values())


def _joined(batches: Sequence[Batch], bases: Index) -> list[Draft]:
    """One draft for each stream and source of all that has not walked, with places counted on through all."""
    found: dict[tuple[str, Source], list[tuple[int, Draft]]] = {}
    for base, batch in zip(bases.tolist(), batches, strict=False):
        for draft in () if batch.walked else batch.drafts:
            found.setdefault((draft.stream.name, draft.source), []).append((base, draft))
    return [_one(parts) for parts in found.values()]


def _one(parts: list[tuple[int, Draft]]) -> Draft:
    first, drafts = parts[0][1], [draft for _, draft in parts]
    names = list(dict.fromkeys(chain.from_iterable(draft.columns for draft in drafts)))
    brought = zip(*(_ordered(draft, names) for draft in drafts), strict=True)
    columns: dict[str, Column] = {
        name: list(chain.from_iterable(column)) for name, column in zip(names, brought, strict=True)
    }
    index = np.concatenate([draft.index + base for base, draft in parts])
    return Draft(first.stream, first.source, columns, index)


def _ordered(draft: Draft, names: list[str]) -> Iterable[Iterable[object]]:
    """The columns of these names, of decoded JSON, which is all that comes here before it has walked."""
    if list(draft.columns) == names:
        return draft.columns.values()
    return [draft.columns.get(name, [None] * draft.rows) for name in names]


def _tell_apart(
    batches: Sequence[Batch],
    told: Sequence[_Told],
    bases: Index,
    joined: Draft,
    whole: Draft,
    refusals: Iterable[Refusal],
) -> None:
    """Gives each batch its own refusals and ids, by its own places."""
    for refusal in refusals:
        at = int(np.searchsorted(bases, refusal.index, side="right")) - 1
        told[at].refused.add_of(joined, refusal, batches[at].tenant)
        told[at].refusals.append(Refusal(refusal.index - int(bases[at]), refusal.code, refusal.detail))
    for index, given in _given_ids(whole):
        at = int(np.searchsorted(bases, index, side="right")) - 1
        told[at].ids.append((index - int(bases[at]), given))


def _given_ids(draft: Draft) -> list[tuple[int, str]]:
    """The ids of events that brought neither an id nor a time, so that their sender can name them."""
    given = draft.columns.get(GIVEN)
    if given is None:
        return []
    return [
        (int(draft.index[row]), str(value_at(draft.columns["id"], row)))
        for row in np.flatnonzero(np.asarray(given)).tolist()
    ]
