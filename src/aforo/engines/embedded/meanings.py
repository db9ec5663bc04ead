"""What each kept rollup means, as the model that declared it has it: it may have to serve under another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec

from aforo.engines.builds import Earlier
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import RollupLayout
from aforo.model.field import TIME
from aforo.model.measure import Measure
from aforo.model.model import Model
from aforo.model.rollup import Rollup
from aforo.model.stream import Stream

CREATE = """
-- What each kept rollup means, and the last model that had it: it may have to serve under another.
CREATE TABLE IF NOT EXISTS rollup_meanings (
    hash VARCHAR NOT NULL, stream VARCHAR NOT NULL, name VARCHAR NOT NULL, model_version VARCHAR NOT NULL,
    meaning VARCHAR NOT NULL
)
"""

MEANINGS = "SELECT hash, stream, name, model_version, meaning FROM rollup_meanings"

OF_THAT_NAME = """
-- The rollups that have served under a name while another was built.
SELECT m.hash FROM rollup_meanings AS m
WHERE m.stream = $stream AND m.name = $name AND m.hash <> $hash
"""


class Meaning(msgspec.Struct, frozen=True):
    """A rollup with its measures, as they were declared."""

    rollup: Rollup
    measures: dict[str, Measure]


def remember(cursor: Cursor, model: Model) -> None:
    """What every rollup of the model means, for the day it is another."""
    kept = {tuple(row) for row in cursor.execute(MEANINGS).fetchall()}
    new = [row for row in _rows(model) if row not in kept]
    if new:
        hashes, streams, names, versions, meanings = map(list, zip(*new, strict=True))
        cursor.execute("DELETE FROM rollup_meanings WHERE list_contains($hashes, hash)", {"hashes": hashes})
        cursor.execute(
            "INSERT INTO rollup_meanings SELECT unnest($hashes), unnest($streams), unnest($names), "
            "unnest($versions), unnest($meanings)",
            {
                "hashes": hashes,
                "streams": streams,
                "names": names,
                "versions": versions,
                "meanings": meanings,
            },
        )


def _rows(model: Model) -> Iterator[tuple[str, str, str, str, str]]:
    for stream in model.streams.values():
        for rollup in stream.rollups.values():
            measures = {name: stream.measures[name] for name in rollup.measures}
            meaning = msgspec.json.encode(Meaning(rollup, measures)).decode()
            hash_ = RollupLayout.of(stream, rollup).hash
            yield hash_, stream.name, rollup.name, model.version, meaning


def others_of_that_name(cursor: Cursor, stream: str, name: str, hash_: str) -> list[str]:
    """The rollups that have served under a name while another was built."""
    found = cursor.execute(OF_THAT_NAME, {"stream": stream, "name": name, "hash": hash_}).fetchall()
    return [earlier for (earlier,) in found]


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
