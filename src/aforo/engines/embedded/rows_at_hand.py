"""Rows of days, weeks and months that are held in memory, so that a question only merges them.

What is held of a tenant's rollup is read when it is first asked for. After each write that touches the tenant
its versions are looked at again, and days that have changed, and no others, are read anew when they are asked
for. All rows that answer one request are those of one snapshot. Used from any thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeAlias

from aforo.engines.coarsening import coarsened, days_to_coarsen
from aforo.engines.embedded import known
from aforo.engines.embedded.database import Cursor, Database
from aforo.engines.embedded.hand_merging import HandMerging
from aforo.engines.embedded.hand_rows import Part, Rows, Values, load
from aforo.engines.embedded.known import Subjects
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout, of_kind
from aforo.engines.embedded.standings import Standings
from aforo.engines.embedded.versions import Versions
from aforo.engines.folds import Period
from aforo.engines.reads import Segment, States, StatesRequest
from aforo.model.measure import MeasureKind
from aforo.model.stream import Stream

Key: TypeAlias = tuple[str, str]
"""The hash of a rollup, and a tenant."""

LARGEST_SHARE = 0.5
"""What one tenant's rows of one rollup take at most of all memory for rows."""

HAND_BYTES = 1_024
"""What is held of a tenant that has no rows."""

MOST_LAYOUTS = 1_024


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of a rollup and tenant, as it was after the last transaction that touched the tenant."""

    touched: int
    versions: Versions
    rows: Mapping[tuple[Period, str], Rows]  # by the period and the name of a part


@dataclass(slots=True, eq=False)
class Hand:
    """One tenant's rows of one rollup, and the names of the parts that are too large to be held."""

    values: tuple[Values, ...]
    held: Held | None = None
    too_large: frozenset[str] = frozenset()
    loading: Lock = field(default_factory=Lock)
    size_bytes: int = HAND_BYTES


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with where its measures stand."""

    request: StatesRequest
    layout: RollupLayout
    measures: tuple[MeasureLayout, ...]

    @property
    def key(self) -> Key:
        return self.layout.hash, self.request.tenant

    @property
    def stream(self) -> str:
        return self.request.stream.name

    @property
    def lists(self) -> tuple[MeasureLayout | None, ...]:
        """What it reads of each period: all numbers, and some measures' lists."""
        return (None, *(each for each in self.measures if each.lists))

    def segments(self, held: Versions) -> tuple[Segment, ...]:
        """The rows that it reads, days as the weeks and months that are kept of them."""
        asked = tuple(each for each in self.request.segments if each.start < each.end)
        window = days_to_coarsen(asked, self.request.edges)
        if window is None:
            return asked
        sets = [each.key for each in of_kind(self.measures, MeasureKind.DISTINCT)]
        return coarsened(asked, self.request.edges, held.within(window, sets))

    def parts(self, segments: tuple[Segment, ...]) -> Iterator[tuple[Part, int, int]]:
        """The parts that it reads, each with where the first and the last of its rows may begin."""
        for period in dict.fromkeys(each.period for each in segments):
            own = [each for each in segments if each.period is period]
            first, last = min(each.start for each in own), max(each.end for each in own)
            for measure in self.lists:
                yield Part(self.layout, period, measure), first, last


@dataclass(frozen=True, slots=True)
class Ready:
    """What is held, with all rows of the segments that answer a request."""

    held: Held
    segments: tuple[Segment, ...]


class RowsAtHand:
    """Answers requests for days from memory, up to so many bytes of rows; 0 holds none."""

    def __init__(self, database: Database, standings: Standings, most_bytes: int) -> None:
        self._database = database
        self._standings = standings
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._hands: OrderedDict[Key, Hand] = OrderedDict()
        self._layouts: dict[tuple[int, str], tuple[Stream, RollupLayout]] = {}
        self._bytes = 0

    def states(self, request: StatesRequest, time_limit_seconds: float | None) -> States | None:
        """The merged states; None where the file must be asked: for slots, and for what is too large."""
        if not self._most_bytes or not _of_days(request):
            return None
        asked = self._asked(request)
        hand = self._hand(asked)
        if not hand.too_large.isdisjoint(Part(asked.layout, Period.DAY, each).name for each in asked.lists):
            return None
        ready = self._ready(hand, asked)
        if ready is None:
            with hand.loading:
                # Whoever was here before may have read the same.
                ready = self._ready(hand, asked) or self._loaded(hand, asked, time_limit_seconds)
        return None if ready is None else _merged(ready, hand, asked)

    def forget(self) -> None:
        """Holds nothing any more: rollups, or what stands in their rows, may be others now."""
        with self._lock:
            self._hands.clear()
            self._layouts.clear()
            self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """About what is held."""
        return self._bytes

    def _asked(self, request: StatesRequest) -> Asked:
        rollup, stream = request.rollup, request.stream
        assert rollup is not None, "requests for days name a rollup"
        with self._lock:
            # The stream lies beside its layout, so that no other has its id meanwhile.
            _, layout = self._layouts.get((id(stream), rollup.name), (None, None))
            if layout is None or layout.rollup is not rollup:
                if len(self._layouts) >= MOST_LAYOUTS:
                    self._layouts.clear()
                layout = RollupLayout.of(stream, rollup)
                self._layouts[id(stream), rollup.name] = stream, layout
        own = {each.measure.name: each for each in layout.measures}
        return Asked(request, layout, tuple(own[each.name] for each in request.measures))

    def _hand(self, asked: Asked) -> Hand:
        with self._lock:
            hand = self._hands.get(asked.key)
            if hand is None:
                hand = self._hands[asked.key] = Hand(tuple(Values() for _ in asked.layout.dimensions))
                self._bytes += hand.size_bytes
            self._hands.move_to_end(asked.key)
            return hand

    def _ready(self, hand: Hand, asked: Asked) -> Ready | None:
        """What is held, where that is all that is asked, and nothing of it has changed."""
        held = hand.held
        if held is None:
            return None
        if held.touched != self._database.touches.last(asked.request.tenant):
            touched, now = self._standings.versions(asked.request.tenant, asked.stream, asked.layout.hash)
            # Rows are told by their own versions from those of now, whoever holds what meanwhile.
            held = hand.held = Held(touched, now, held.rows)
        segments = asked.segments(held.versions)
        for part, first, last in asked.parts(segments):
            rows = held.rows.get((part.period, part.name))
            changed = None if rows is None else rows.changed(held.versions.of[part.period], first, last)
            if changed is None or len(changed.starts):
                return None
        return Ready(held, segments)

    def _loaded(self, hand: Hand, asked: Asked, time_limit_seconds: float | None) -> Ready | None:
        """The same, once what lacks is read, all in one snapshot; None where that is too large."""
        # Counted before the snapshot, so that a write that it may not have is noticed the next time.
        touched = self._database.touches.last(asked.request.tenant)
        rows = {} if hand.held is None else dict(hand.held.rows)
        with self._database.snapshot(time_limit_seconds) as cursor:
            subjects = Subjects((asked.stream,), (asked.layout.hash,))
            tables = known.read(cursor, asked.request.tenant, subjects)
            now = tables.versions(asked.stream, asked.layout.hash)
            segments = asked.segments(now)
            for part, first, last in asked.parts(segments):
                own = rows.get((part.period, part.name))
                found = _renewed(cursor, hand, asked.request.tenant, part, own, now, first, last)
                if found is not None:
                    rows[part.period, part.name] = found
                if found is None or self._is_too_large(rows):
                    hand.too_large |= {part.name}
                    return None
        hand.held = Held(touched, now, rows)
        self._count(asked.key, hand, rows)
        return Ready(hand.held, segments)

    def _is_too_large(self, rows: Mapping[tuple[Period, str], Rows]) -> bool:
        return sum(each.size_bytes for each in rows.values()) > LARGEST_SHARE * self._most_bytes

    def _count(self, key: Key, hand: Hand, rows: Mapping[tuple[Period, str], Rows]) -> None:
        """Lets go of what was asked for longest ago, where there is too much."""
        values = sum(each.size_bytes for each in hand.values)
        size = HAND_BYTES + values + sum(each.size_bytes for each in rows.values())
        with self._lock:
            if self._hands.get(key) is not hand:
                return  # what was forgotten meanwhile answers this one request
            self._bytes += size - hand.size_bytes
            hand.size_bytes = size
            while self._bytes > self._most_bytes:
                _, oldest = self._hands.popitem(last=False)
                self._bytes -= oldest.size_bytes


def _of_days(request: StatesRequest) -> bool:
    """Whether rows of days are all that is read."""
    read = {each.period for each in request.segments if each.start < each.end}
    return request.rollup is not None and not request.stream.ledger and read == {Period.DAY}


def _renewed(
    cursor: Cursor,
    hand: Hand,
    tenant: str,
    part: Part,
    rows: Rows | None,
    now: Versions,
    first: int,
    last: int,
) -> Rows | None:
    """The rows of a part as the snapshot has them, as far as they are asked; None for too many."""
    of = now.of[part.period]
    changed = None if rows is None else rows.changed(of, first, last)
    if rows is None or changed is None:
        if rows is not None:
            first, last = min(first, rows.first), max(last, rows.last)
        return load(cursor, part, hand.values, tenant, first, last, of.within(first, last))
    if not len(changed.starts):
        return rows
    newer = load(cursor, part, hand.values, tenant, first, last, changed, some=True)
    return None if newer is None else rows.with_newer(newer)


def _merged(ready: Ready, hand: Hand, asked: Asked) -> States:
    def rows_of(period: Period, measure: MeasureLayout | None) -> Rows:
        return ready.held.rows[period, Part(asked.layout, period, measure).name]

    merging = HandMerging(asked.request, asked.layout, asked.measures, ready.segments, hand.values, rows_of)
    keys, found, read = merging.merged()
    periods = tuple(period for period in Period if any(each.period is period for each in ready.segments))
    return States(tuple(keys), found, read, tuple(merging.sql), periods)
