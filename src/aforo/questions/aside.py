"""The stream as its questions are planned: what serves in the place of a rollup that is being built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from aforo.engines.builds import Build
from aforo.model.rollup import Aside, Rollup
from aforo.model.stream import Stream
from aforo.model.version import measure_hash, rollup_hash


def as_served(stream: Stream, builds: Iterable[Build]) -> Stream:
    """The stream with the earlier rollup, as far as it means the same, for each that is being built."""
    rollups = dict(stream.rollups)
    for build in builds:
        if build.rollup in rollups:
            rollups[build.rollup] = _in_place(stream, rollups[build.rollup], build)
    return replace(stream, rollups=rollups) if rollups != stream.rollups else stream


def _in_place(stream: Stream, declared: Rollup, build: Build) -> Rollup:
    """The earlier rollup with those measures alone that mean what they meant, under their names of now.

    A measure of that name which means something else would be an answer to another question.
    """
    if build.earlier is None:
        nothing = Aside(declared=declared, hash="", progress=build.progress)
        return replace(declared, dimensions=(), measures=(), aside=nothing)
    earlier, of = build.earlier.rollup, build.earlier.stream
    kept = {measure_hash(of, of.measures[name]) for name in earlier.measures}
    same = tuple(name for name, measure in stream.measures.items() if measure_hash(stream, measure) in kept)
    aside = Aside(declared=declared, hash=rollup_hash(of, earlier), progress=build.progress)
    return replace(earlier, name=declared.name, measures=same, aside=aside)
