"""Rollups that are built aside: a new one serves once it is whole, and what it takes the place of till then.

What is built has marks of its own, apart from the ledger: the rollups that serve are folded as always, also
where building fails. Each fold marks its slots for what is being built, so that nothing new is missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from aforo.engines.builds import Build, Earlier
from aforo.engines.embedded import held, unheld
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import RollupLayout, events_table, quoted
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.folds import Claim, Folded, Places
from aforo.model.field import TIME
from aforo.model.measure import Measure
from aforo.model.model import Model
from aforo.model.rollup import Rollup
from aforo.model.stream import Stream

MOST_SLOTS = 1_000
"""Slots that one step builds at most: it writes them in one transaction, and commits wait for that."""

CREATE = (
    """
    -- Rollups that are being built, and of how many slots.
    CREATE TABLE IF NOT EXISTS builds (
        hash VARCHAR NOT NULL, stream VARCHAR NOT NULL, name VARCHAR NOT NULL, slots BIGINT NOT NULL
    )
    """,
    """
    -- What is not built yet, or came since; a step that read as of commit N removes rows up to N.
    CREATE TABLE IF NOT EXISTS build_marks (
        hash VARCHAR NOT NULL, tenant VARCHAR NOT NULL, slot TIMESTAMP NOT NULL, "commit" BIGINT NOT NULL,
        events BIGINT NOT NULL
    )
    """,
    """
    -- What each kept rollup means, and the last model that had it: it may have to serve under another.
    CREATE TABLE IF NOT EXISTS rollup_meanings (
        hash VARCHAR NOT NULL, stream VARCHAR NOT NULL, name VARCHAR NOT NULL, model_version VARCHAR NOT NULL,
        meaning VARCHAR NOT NULL
    )
    """,
)

BUILDS = """
-- Rollups that are being built, of how many slots, and how many of those are left.
SELECT b.hash, b.stream, b.name, b.slots, count(DISTINCT (m.tenant, m.slot))
FROM builds AS b LEFT JOIN build_marks AS m ON m.hash = b.hash GROUP BY ALL ORDER BY b.stream, b.name
"""

MEANINGS = "SELECT hash, stream, name, model_version, meaning FROM rollup_meanings"

SERVING = """
-- The rollups of a stream that a fold must write.
SELECT hash FROM rollups WHERE stream = $stream AND hash NOT IN (SELECT hash FROM builds)
"""

NEWEST = """
-- The rollup and tenant of the newest slot that is to be built.
SELECT m.hash, b.stream, m.tenant FROM build_marks AS m JOIN builds AS b ON b.hash = m.hash
ORDER BY m.slot DESC, m.hash, m.tenant LIMIT 1
"""

SLOTS = """
-- One tenant's slots to be built of a rollup, newest first, with how many events each has.
SELECT epoch_us(slot) AS slot, sum(events)::BIGINT AS events FROM build_marks
WHERE hash = $hash AND tenant = $tenant GROUP BY slot ORDER BY slot DESC LIMIT $most
"""

MARK_FOLDED = """
-- What was folded of these slots is to be built as well.
INSERT INTO build_marks
SELECT b.hash, f.tenant, f.slot, $commit, 0 FROM builds AS b,
    (SELECT unnest($tenants) AS tenant, unnest($slots) AS slot) AS f
WHERE b.stream = $stream
"""

ANSWERED = """
-- Marks that came after the snapshot stay.
DELETE FROM build_marks
WHERE hash = $hash AND tenant = $tenant AND list_contains($slots, slot) AND "commit" <= $as_of
"""

OF_THAT_NAME = """
-- The rollups that have served under a name while another was built.
SELECT m.hash FROM rollup_meanings AS m
WHERE m.stream = $stream AND m.name = $name AND m.hash <> $hash
"""


class Meaning(msgspec.Struct, frozen=True):
    """A rollup with its measures, as they were declared."""

    rollup: Rollup
    measures: dict[str, Measure]


@dataclass(frozen=True, slots=True)
class Served:
    """The model whose rollups are folded and may be read, and what is being built beside them.

    An earlier rollup stands in it under a name and with measures that nobody could declare.
    """

    model: Model
    builds: tuple[Build, ...] = ()

    def of(self, stream: str) -> tuple[Build, ...]:
        """What is being built of a stream."""
        return tuple(build for build in self.builds if build.stream == stream)

    def with_builds(self, declared: Model) -> Model:
        """Every rollup that has rows: those that serve, and those that are being built as well."""
        streams = {
            name: replace(stream, rollups={**stream.rollups, **declared.streams[name].rollups})
            for name, stream in self.model.streams.items()
        }
        return replace(self.model, streams=streams) if self.builds else self.model


@dataclass(frozen=True, slots=True)
class Step:
    """Slots of a rollup to be built, of one tenant, and the stream with that rollup alone."""

    hash: str
    stream: Stream
    tenant: str
    claim: Claim


def make_room(cursor: Cursor) -> None:
    """The tables of builds, in data directories of before there were any too."""
    for statement in CREATE:
        cursor.execute(statement)


def begin(cursor: Cursor, stream: Stream, layout: RollupLayout, commit: int) -> bool:
    """Marks every slot that has events; whether there is any: else the rollup is whole as it is."""
    cursor.execute(
        f"""
        -- Every slot of a stream is to be built.
        INSERT INTO build_marks
        SELECT $hash, tenant, time_bucket(INTERVAL 15 MINUTES, time), $commit, count(*)
        FROM {events_table(stream.name)} GROUP BY ALL
        """,
        {"hash": layout.hash, "commit": commit},
    )
    slots = _left(cursor, layout.hash)
    if slots:
        cursor.execute(
            "INSERT INTO builds VALUES ($hash, $stream, $name, $slots)",
            {"hash": layout.hash, "stream": stream.name, "name": layout.rollup.name, "slots": slots},
        )
    return bool(slots)


def remember(cursor: Cursor, model: Model) -> None:
    """What every rollup of the model means, for the day it is another."""
    for stream in model.streams.values():
        for rollup in stream.rollups.values():
            measures = {name: stream.measures[name] for name in rollup.measures}
            hash_ = RollupLayout.of(stream, rollup).hash
            cursor.execute("DELETE FROM rollup_meanings WHERE hash = $hash", {"hash": hash_})
            cursor.execute(
                "INSERT INTO rollup_meanings VALUES ($hash, $stream, $name, $version, $meaning)",
                {
                    "hash": hash_,
                    "stream": stream.name,
                    "name": rollup.name,
                    "version": model.version,
                    "meaning": msgspec.json.encode(Meaning(rollup, measures)).decode(),
                },
            )


def needed(cursor: Cursor, model: Model, gone: Iterable[str]) -> set[str]:
    """Which rollups that the model has no more serve on, since what takes their place is being built."""
    building = {(stream, name) for _, stream, name, _, _ in cursor.execute(BUILDS).fetchall()}
    unbuilt = {row[0] for row in cursor.execute("SELECT hash FROM builds").fetchall()}
    found = {hash_: earlier for hash_, (_, earlier) in known(cursor, model).items()}
    return {
        hash_
        for hash_ in gone
        if hash_ in found
        and hash_ not in unbuilt
        and (found[hash_].stream.name, found[hash_].rollup.name) in building
    }


def drop(cursor: Cursor, hash_: str) -> None:
    """Takes a rollup away with all that is known of it."""
    tables = cursor.execute(
        "SELECT table_name FROM information_schema.tables WHERE starts_with(table_name, $prefix)",
        {"prefix": f"rollup_{hash_}_"},
    ).fetchall()
    for (table,) in tables:
        cursor.execute(f"DROP TABLE {quoted(table)}")
    for of in ("rollups", "builds", "build_marks", "rollup_meanings"):
        cursor.execute(f"DELETE FROM {of} WHERE hash = $hash", {"hash": hash_})
    unheld.note_nameless(cursor)


def read(cursor: Cursor, model: Model) -> Served:
    """What serves and what is being built, as the cursor sees it."""
    rows = cursor.execute(BUILDS).fetchall()
    if not rows:
        return Served(model)
    earlier: dict[tuple[str, str], Earlier] = {}
    kept = {row[0] for row in cursor.execute("SELECT hash FROM rollups").fetchall()}
    unbuilt = {row[0] for row in rows}
    for hash_, (wanted, found) in known(cursor, model).items():
        if hash_ in kept and hash_ not in unbuilt and not wanted:
            earlier[found.stream.name, found.rollup.name] = found
    builds = tuple(
        Build(stream, name, hash_, slots, left, earlier.get((stream, name)))
        for hash_, stream, name, slots, left in rows
        if stream in model.streams
    )
    streams = {
        name: _served(stream, [build for build in builds if build.stream == name])
        for name, stream in model.streams.items()
    }
    return Served(replace(model, streams=streams), builds)


def next_step(cursor: Cursor, model: Model, most_events: int) -> Step | None:
    """The newest slots that are to be built, of one rollup and tenant; None where there are none."""
    newest = first_row(cursor, NEWEST)
    if newest is None or newest[1] not in model.streams:
        return None
    hash_, of, tenant = newest
    stream = model.streams[of]
    rollup = next(each for each in stream.rollups.values() if RollupLayout.of(stream, each).hash == hash_)
    found = cursor.execute(SLOTS, {"hash": hash_, "tenant": tenant, "most": MOST_SLOTS}).fetchnumpy()
    within = max(1, int(np.searchsorted(np.cumsum(found["events"]), most_events, side="right")))
    slots = Places.of({tenant: found["slot"][:within].tolist()})
    alone = replace(stream, rollups={rollup.name: rollup})
    return Step(hash_, alone, tenant, Claim(of, slots))


def is_current(cursor: Cursor, stream: Stream) -> bool:
    """Whether the rollups of a stream are those that serve: one may have been swapped in since."""
    serving = {row[0] for row in cursor.execute(SERVING, {"stream": stream.name}).fetchall()}
    return serving == {RollupLayout.of(stream, rollup).hash for rollup in stream.rollups.values()}


def mark_folded(cursor: Cursor, folded: Folded) -> None:
    """What a fold has written is to be built as well, where anything of its stream is being built."""
    claim = folded.claim
    # Tens of thousands of slots are folded at once, and mostly nothing is being built.
    if first_row(cursor, "SELECT 1 FROM builds WHERE stream = $stream", {"stream": claim.stream}) is None:
        return
    cursor.execute(
        MARK_FOLDED,
        {
            "stream": claim.stream,
            "tenants": claim.slots.tenants.tolist(),
            "slots": [timestamp(int(slot)) for slot in claim.slots.starts],
            "commit": folded.as_of,
        },
    )


def is_building(cursor: Cursor, hash_: str) -> bool:
    """Whether it still is: its model may have gone."""
    return first_row(cursor, "SELECT 1 FROM builds WHERE hash = $hash", {"hash": hash_}) is not None


def answer(cursor: Cursor, step: Step, as_of: int) -> bool:
    """Removes the marks of what was built; with the last the rollup serves, and the earlier one goes."""
    slots = [timestamp(int(slot)) for slot in step.claim.slots.starts]
    cursor.execute(ANSWERED, {"hash": step.hash, "tenant": step.tenant, "slots": slots, "as_of": as_of})
    if _left(cursor, step.hash):
        return False
    (name,) = step.stream.rollups
    named: dict[str, object] = {"stream": step.stream.name, "name": name, "hash": step.hash}
    for (earlier,) in cursor.execute(OF_THAT_NAME, named).fetchall():
        drop(cursor, earlier)
    cursor.execute("DELETE FROM builds WHERE hash = $hash", {"hash": step.hash})
    # It may hold later events than the rollups that were folded, and must not be given them twice.
    held.let_all_go(cursor, step.stream.name)
    return True


def _left(cursor: Cursor, hash_: str) -> int:
    found = first_row(
        cursor,
        "SELECT count(DISTINCT (tenant, slot)) FROM build_marks WHERE hash = $hash",
        {"hash": hash_},
    )
    assert found is not None, "an aggregate without groups gives one row"
    return int(found[0])


def known(cursor: Cursor, model: Model) -> Mapping[str, tuple[bool, Earlier]]:
    """Every kept rollup that can be folded with the fields there are now, and whether the model has it.

    Its hash says whether it means what it meant: a field or entity of its measures may be another by now.
    """
    wanted = {
        RollupLayout.of(stream, rollup).hash
        for stream in model.streams.values()
        for rollup in stream.rollups.values()
    }
    found: dict[str, tuple[bool, Earlier]] = {}
    for hash_, of, name, version, text in cursor.execute(MEANINGS).fetchall():
        stream = model.streams.get(of)
        if stream is None:
            continue
        meaning = msgspec.json.decode(text, type=Meaning)
        view = replace(stream, measures=meaning.measures, rollups={name: meaning.rollup})
        if _means(view, meaning.rollup) == hash_:
            found[hash_] = (hash_ in wanted, Earlier(view, meaning.rollup, version))
    return found


def _means(stream: Stream, rollup: Rollup) -> str | None:
    """The hash of a rollup over the stream as it is now; None where a field or entity of it is gone."""
    measures = stream.measures.values()
    fields = {
        *rollup.dimensions,
        *(measure.field for measure in measures if measure.field is not None),
        *(condition.field for measure in measures for condition in measure.where),
    }
    same = all(
        measure.entity is None
        or (measure.entity in stream.entities and stream.entities[measure.entity].field == measure.field)
        for measure in measures
    )
    known = {*stream.fields, TIME.name}
    return RollupLayout.of(stream, rollup).hash if same and fields <= known else None


def _served(stream: Stream, builds: list[Build]) -> Stream:
    """The stream with earlier rollups in the place of those that are being built."""
    unbuilt = {build.rollup for build in builds}
    rollups = {name: rollup for name, rollup in stream.rollups.items() if name not in unbuilt}
    measures = dict(stream.measures)
    for build in builds:
        if build.earlier is None:
            continue
        old = build.earlier.rollup
        for name in old.measures:
            own = build.earlier.stream.measures[name]
            measures[_aside(build, name)] = replace(own, name=_aside(build, name))
        name = _aside(build, old.name)
        aside = tuple(_aside(build, each) for each in old.measures)
        rollups[name] = replace(old, name=name, measures=aside)
    return replace(stream, measures=measures, rollups=rollups)


def _aside(build: Build, name: str) -> str:
    return f"{name}@{build.hash}"
