"""What serves: a new rollup once it is whole, and what it takes the place of till then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aforo.engines.builds import Build, Earlier
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.meanings import known
from aforo.model.model import Model
from aforo.model.stream import Stream

BUILDS = """
-- Rollups that are being built, of how many slots, and how many of those are left.
SELECT b.hash, b.stream, b.name, b.slots, count(DISTINCT (m.tenant, m.slot))
FROM builds AS b LEFT JOIN build_marks AS m ON m.hash = b.hash GROUP BY ALL ORDER BY b.stream, b.name
"""

SERVING = """
-- The rollups of a stream, and which of them are being built: the others are those that a fold must write.
SELECT hash, hash IN (SELECT hash FROM builds) FROM rollups WHERE stream = $stream
"""


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
class Kept:
    """The rollups of a stream that have rows, by their hashes: those that serve, and those being built."""

    serving: frozenset[str]
    building: frozenset[str]

    @classmethod
    def of(cls, cursor: Cursor, stream: Stream) -> Kept:
        """As the cursor sees them."""
        rows = cursor.execute(SERVING, {"stream": stream.name}).fetchall()
        serving, building = (
            frozenset(hash_ for hash_, built in rows if built is which) for which in (False, True)
        )
        return cls(serving, building)

    def serve(self, stream: Stream) -> bool:
        """Whether it is the rollups of the stream that serve: one may have been swapped in since."""
        return self.serving == {RollupLayout.of(stream, rollup).hash for rollup in stream.rollups.values()}


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
