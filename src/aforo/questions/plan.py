"""From which rollup a window is read, and which of its rows: or from the events, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from aforo.engines.coarsening import coalesced
from aforo.engines.folds import Period
from aforo.engines.reads import Segment
from aforo.model.condition import Condition
from aforo.model.measure import Measure
from aforo.model.rollup import Aside, Rollup, RollupGrain
from aforo.model.stream import Stream
from aforo.windows import SLOT, Bucket, Grain, Window, Zone

# A window read in more pieces costs more in conditions than its days save in rows; then slots are read alone.
MOST_SEGMENTS = 32


@dataclass(frozen=True, slots=True)
class Considered:
    """A rollup that was looked at, and what speaks for or against it."""

    rollup: str
    chosen: bool
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows to read. With no `rollup` the events are: `reason` says why, `remedy` what would help."""

    rollup: Rollup | None
    reason: str
    remedy: str
    segments: tuple[Segment, ...]
    edges: tuple[int, ...]
    considered: tuple[Considered, ...]

    @property
    def grains(self) -> tuple[Period, ...]:
        """Which rows of the rollup are read, finest first; none where the events are."""
        read = {segment.period for segment in self.segments} if self.rollup else set()
        return tuple(period for period in Period if period in read)


@dataclass(frozen=True, slots=True)
class Span:
    """A window with its buckets, which tile it, and the zone of the days that rollups keep."""

    window: Window
    grain: Grain
    buckets: tuple[Bucket, ...]
    tenant_zone: Zone
    slots_from: int = 0  # rows of slots before it were purged
    days_wait: bool = False  # rows of days are being made anew for another zone
    late: frozenset[str] = frozenset()  # rollups that begin after the window does: the last to be taken


def plan(
    stream: Stream,
    measures: Iterable[Measure],
    by: tuple[str, ...],
    where: tuple[Condition, ...],
    span: Span,
) -> Plan:
    """The rollup with the fewest dimensions that can serve, then the first by name; else the events."""
    split = tuple(dict.fromkeys([*by, *(condition.field for condition in where)]))
    wanted = tuple(measure.name for measure in measures)
    rollups = sorted(
        stream.rollups.values(), key=lambda one: (one.name in span.late, len(one.dimensions), one.name)
    )
    kept = {(rollup.grain, rollup.days) for rollup in rollups}
    whole = days_of(span)
    segments = {(grain, days): segments_of(grain, span, whole, days=days) for grain, days in kept}
    objections = {
        rollup: _objection(rollup, split, wanted, segments[rollup.grain, rollup.days], span)
        for rollup in rollups
    }
    able = [rollup for rollup, objection in objections.items() if objection is None]
    chosen = able[0] if able else None
    considered = tuple(
        Considered(rollup.name, rollup is chosen, objection.why if objection else _verdict(rollup, chosen))
        for rollup, objection in objections.items()
    )
    edges = tuple(bucket.start for bucket in span.buckets)
    read = None if chosen is None else segments[chosen.grain, chosen.days]
    if chosen is None or read is None:
        whole = (Segment(Period.SLOT, span.window.start, span.window.end),)
        reason, remedy = _why_raw(stream, split, objections.values())
        return Plan(None, reason, remedy, whole, edges, considered)
    return Plan(chosen, "", "", read, edges, considered)


def days_of(span: Span) -> tuple[Segment, ...]:
    """The window as days wherever a whole one lies in a bucket, and slots around them."""
    return coalesced(_day_rows(span))


def segments_of(
    grain: RollupGrain, span: Span, whole: tuple[Segment, ...], *, days: bool = True
) -> tuple[Segment, ...] | None:
    """The fewest pieces that tile the window, days wherever they are kept; `whole` is its `days_of`.

    None where rows of that grain cannot tile it.
    """
    if grain is RollupGrain.DAY:
        return None if span.days_wait or any(segment.period is Period.SLOT for segment in whole) else whole
    if span.window.start % SLOT or span.window.end % SLOT:
        return None
    if span.window.start < span.slots_from:
        # However many pieces that are: of the purged slots nothing but their days is left.
        return whole if days and not _purged(whole, span) else None
    days = days and not span.days_wait
    return whole if days and len(whole) <= MOST_SEGMENTS else _slots(span.window.start, span.window.end)


@dataclass(frozen=True, slots=True)
class _Objection:
    """Why a rollup cannot serve; the later the stage, the nearer it came."""

    rollup: str
    stage: int
    why: str
    remedy: str


def _objection(
    rollup: Rollup,
    split: tuple[str, ...],
    wanted: tuple[str, ...],
    segments: tuple[Segment, ...] | None,
    span: Span,
) -> _Objection | None:
    name = rollup.name
    if rollup.aside is not None and _lacks(rollup, split, wanted):
        # Where the one that is being built would not do either, what it lacks is told.
        if not _lacks(rollup.aside.declared, split, wanted):
            return _Objection(
                name, 3, f"is being built, {_share(rollup.aside)} is done", "ask again once it is built"
            )
        rollup = rollup.aside.declared
    if missing := [field for field in split if field not in rollup.dimensions]:
        return _Objection(
            name, 0, f"is not split by {_listed(missing)}", f"declare a rollup by {_listed(split)}"
        )
    if missing := [measure for measure in wanted if measure not in rollup.measures]:
        kept = _listed(missing)
        return _Objection(name, 1, f"does not keep {kept}", f"declare {kept} in rollup {name}")
    if segments is None and rollup.grain is RollupGrain.DAY and span.days_wait:
        zone = span.tenant_zone.name
        return _Objection(
            name, 2, f"is being counted anew in days of {zone}", "fold ('aforo fold'), or ask again later"
        )
    if segments is None and rollup.grain is RollupGrain.DAY:
        zone = span.tenant_zone.name
        return _Objection(
            name, 2, f"keeps whole days of {zone} only", f"ask whole days of the time zone {zone}"
        )
    if segments is None and _purged(days_of(span), span):
        since = f"{span.tenant_zone.date_of(span.slots_from)} of {span.tenant_zone.name}"
        return _Objection(
            name,
            2,
            f"keeps quarter hours since {since} and whole days before",
            f"ask whole days before {since}",
        )
    if segments is None:
        return _Objection(
            name, 2, "keeps whole slots of 15 minutes UTC only", "ask from and to on quarter hours"
        )
    return None


def _verdict(rollup: Rollup, chosen: Rollup | None) -> str:
    size = f"{len(rollup.dimensions)} dimension{'' if len(rollup.dimensions) == 1 else 's'}"
    meanwhile = "" if rollup.aside is None else f", while it is built anew, {_share(rollup.aside)} is done"
    return f"can serve, with {size}" + (", the fewest" if rollup is chosen else "") + meanwhile


def _lacks(rollup: Rollup, split: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return not (set(split) <= set(rollup.dimensions) and set(wanted) <= set(rollup.measures))


def _share(aside: Aside) -> str:
    return f"{aside.progress:.0%}"


def _why_raw(
    stream: Stream, split: tuple[str, ...], objections: Iterable[_Objection | None]
) -> tuple[str, str]:
    """Why no rollup serves and what would change that, told by what stopped the ones that came nearest."""
    found = [objection for objection in objections if objection is not None]
    stage = max((objection.stage for objection in found), default=0)
    if stage == 0:
        by = f" split by {_listed(split)}" if split else ""
        return f"{stream.name} has no rollup{by}", f"declare a rollup{by.replace(' split', '')}"
    nearest = [objection for objection in found if objection.stage == stage]
    whys = dict.fromkeys(objection.why for objection in nearest)
    told = [f"{_each_of([one.rollup for one in nearest if one.why == why])} {why}" for why in whys]
    by = f" split by {_listed(split)}" if split else ""
    return f"no rollup of {stream.name}{by} can serve: {'; '.join(told)}", nearest[0].remedy


def _day_rows(span: Span) -> Iterable[Segment]:
    if span.grain in (Grain.SLOT, Grain.HOUR):
        return _slots(span.window.start, span.window.end)
    if len(span.buckets) > 1 and _between_midnights(span):
        return (Segment(Period.DAY, span.window.start, span.window.end),)
    return (segment for bucket in span.buckets for segment in _in_bucket(bucket, span.tenant_zone))


def _between_midnights(span: Span) -> bool:
    """Whether every bucket begins and ends where a day does, which is quicker told of all at once."""
    zone, end = span.tenant_zone, span.window.end
    midnights = {day.start for day in zone.days(span.window)}
    return zone.day_start(zone.date_of(end)) == end and all(each.start in midnights for each in span.buckets)


def _in_bucket(bucket: Bucket, zone: Zone) -> tuple[Segment, ...]:
    """Slots up to the first midnight of a bucket, days up to its last, slots after that."""
    first, last = _midnight_from(bucket.start, zone), zone.day_start(zone.date_of(bucket.end))
    if first >= last:
        return _slots(bucket.start, bucket.end)
    return (
        *_slots(bucket.start, first),
        Segment(Period.DAY, first, last),
        *_slots(last, bucket.end),
    )


def _purged(segments: Iterable[Segment], span: Span) -> bool:
    return any(each.period is Period.SLOT and each.start < span.slots_from for each in segments)


def _midnight_from(time: int, zone: Zone) -> int:
    day = zone.date_of(time)
    start = zone.day_start(day)
    while start < time:
        day += timedelta(days=1)
        start = zone.day_start(day)
    return start


def _slots(start: int, end: int) -> tuple[Segment, ...]:
    return (Segment(Period.SLOT, start, end),)


def _each_of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"each of {', '.join(names[:-1])} and {names[-1]}"


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)
