"""The YAML model file: its keys are asked of the reader, so that one without a sentence here is noticed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aforo.errors import InvalidModel
from aforo.model import ingest
from aforo.model.condition import Op
from aforo.model.derivation import DEFAULT_GAP_MINUTES
from aforo.model.field import DEFAULT_MAX_LENGTH, DEFAULT_SCALE, FieldType
from aforo.model.measure import MeasureKind
from aforo.model.metric import Format
from aforo.model.reading import read_model
from aforo.model.reading.file import LARGEST_FILE_BYTES
from aforo.model.rollup import RollupGrain
from aforo.model.rules.fields import FINEST_SCALE, LONGEST_STRING
from aforo.model.rules.names import RESERVED
from aforo.model.rules.streams import LONGEST_SAME_CONTENT_MINUTES
from aforo.model.segment import BESIDE, Call
from aforo.model.stream import Extra
from aforo.states.histogram import RELATIVE_ERROR
from aforo.windows import WEEKDAYS
from pages.writing import block, code, codes, paragraphs, table

PROBE = "zzzz"  # a key that means nothing anywhere

EXAMPLE = """
tenants:
  corner: {timezone: Europe/Madrid, week_start: monday}

streams:
  orders:
    description: One order that was paid
    id: [order]
    fields:
      order: {type: string, required: true, max_length: 32}
      customer: {type: string, required: true}
      country: {type: string, required: true, max_length: 2}
      amount: {type: number, unit: euros, required: true, minimum: 0, scale: 2}
    entities:
      buyer: customer
    measures:
      paid: count
      large: {count: true, where: "amount >= 100"}
      money: {sum: amount}
      amounts: {histogram: amount}
      customers: {distinct: buyer}
    rollups:
      all: {by: []}
      country: {by: [country]}

metrics:
  orders: {formula: paid, unit: orders, format: integer}
  average_order: {formula: money / paid, unit: euros}
  median_order: {formula: "percentile(amounts, 50)", unit: euros}
  buyers: {formula: customers, unit: customers, format: integer}
"""

INTRO = f"""
# The model file

A model says which streams of events there are, what is kept of them, and which metrics can be asked. It
is written in YAML, in files ending in `.yaml` or `.yml` in the folder that the setting
[`models`](settings.md) names, which is `models` in the data directory unless set. All files together,
and the packs, are one model; a name stands in one of them only. A file has at most
{LARGEST_FILE_BYTES:,} bytes, no tags, anchors or aliases, and its plain words are taken as they are
written: `no` is a word.

The files are read when a command or the server starts. If anything is wrong in any of them, nothing of
the model is applied: every fault is told at once with its line and, where there is one, the nearest
right word, and the exit code is 2.
"""

NAMES = f"""
## Names

Names are lower case letters, digits and underscores, begin with a letter and have at most 63
characters. These are taken by every row and name no field, measure or metric:
{codes(sorted(RESERVED))}. Names that begin with `__` are Aforo's own. The stream {codes(ingest.STREAMS)} and
the metrics {codes(ingest.METRICS)} are built in, and no file declares them.
"""

FORMULAS = """
## Formulas

A formula is made of measures of one stream, numbers, `+`, `-`, `*`, `/`, parentheses and
`percentile(measure, p)` with `p` from 0 to 100, such as 99.9: the lowest value with at least `p` %
of all at or below it, as `percentile_disc` of SQL has it. A distinct measure stands for the
size of its set; of it, `new(measure)` are those whom the measure never counted before the bucket began, over
all time that is kept, and `returning(measure)` the others. A histogram is answered by `percentile`, or whole
by `distribution(measure)`, which is a formula of its own: a list of
`{"from": 15.0, "to": 15.3, "count": 42}`, one for each bucket that holds values, ascending.
`distribution(measure, 50)` puts as many neighbours together, 2, 4, 8 and so on, as give 50 buckets at most.
Counts are exact; a value lies above `from` and at most at `to`, a negative one at least at `from` and below
`to`, and what is nearer to zero than 1e-9 is from -1e-9 to 1e-9. An average is written as a sum by a count,
so that what is kept can be merged. Formulas are worked out exactly, once, after merging; where a part has
no value, or a divisor is zero, the answer is null.
"""

WHERE = f"""
## Conditions

The `where` of a measure, of `aforo ask --where` and of a query is a list of comparisons joined by
`and`: `carrier = "UA" and distance >= 100`. Comparisons: {codes(Op)}. Texts stand in single or double
quotes; the list of `in` stands in parentheses; instants are texts. A comparison with null is false,
`!=` too.
"""

CHANGES = """
## Changing a model

Descriptions, units, formats and owners may change at any time, and so may formulas: they are applied to
what is kept already. A measure or a rollup that is new, or that means something else than before, is built
from all raw events by the next fold; until then its answers say how far behind they are. A field may be added
(events that are there have no value in it) or left out (its values stay on disk, unseen). A field's type
cannot be changed, nor the zone of a tenant whose raw events were purged: that is told as `model_conflict`,
and nothing is changed. Another tenant's zone may change: its days are counted anew, and its slots answer
until they are.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One mapping of the file: its heading, a file with a wrong key in it, and what each key means."""

    heading: str
    probe: str
    keys: Mapping[str, tuple[str, str]]  # what it says, and what holds where it is not there
    text: str = ""


def _list(words: type[StrEnum] | Sequence[str]) -> str:
    return codes(str(word) for word in words)


def _details() -> str:
    kinds: dict[str, list[str]] = {}
    for call in Call:
        kinds.setdefault(call.details or "", []).append(call)
    told = [f"`{where}` ({', '.join(calls)})" for where, calls in kinds.items() if where]
    return " or ".join(told)


def _beside() -> str:
    told = [code(name) if name == key else f"{code(name)} (`{key}`)" for name, key in BESIDE.items()]
    return f"{', '.join(told[:-1])} and {told[-1]} are the call's own, where it has them"


PARTS: tuple[Part, ...] = (
    Part(
        "The file",
        "{zzzz: 1}",
        {
            "streams": ("The streams, by name.", ""),
            "metrics": ("The metrics, by name.", ""),
            "tenants": (
                "Tenants whose days are not those of UTC, by name. Others' events are taken too.",
                "",
            ),
        },
    ),
    Part(
        "A tenant",
        "{tenants: {a: {zzzz: 1}}}",
        {
            "timezone": (
                "The zone whose days, weeks and months are the tenant's, such as `Europe/Madrid`.",
                "`UTC`",
            ),
            "week_start": (f"The day a week begins on: {_list(WEEKDAYS)}.", "`monday`"),
        },
    ),
    Part(
        "A stream",
        "{streams: {a: {zzzz: 1}}}",
        {
            "description": ("What one event of it is.", ""),
            "fields": ("What an event carries, by name.", ""),
            "id": (
                "Required fields whose values make the id of an event that brings none.",
                "a hash of the event's content and time",
            ),
            "same_content_minutes": (
                (
                    "How long equal content that comes again, with neither an id nor a time, is the same "
                    f"event: 1 to {LONGEST_SAME_CONTENT_MINUTES:,}."
                ),
                "each counts",
            ),
            "extra": (f"What becomes of fields that are not declared: {_list(Extra)}.", "`refuse`"),
            "entities": (
                (
                    "Things that can be counted distinctly: a name for each, and the field that identifies "
                    "it, which is a string or an integer."
                ),
                "",
            ),
            "measures": ("What is kept of the events, by name.", ""),
            "rollups": ("By which dimensions the measures are kept, by name.", ""),
            "derive": (
                "[From which events](#a-derived-stream) its own follow, instead of being sent.",
                "sent",
            ),
            "retention": ("[How long](#retention) its events are kept.", "for good"),
            "segment": (
                (
                    "[Rules](#a-rule-for-segments-calls) for calls of Segment's libraries that become events "
                    "of it: one, or a list of which the first that takes a call counts."
                ),
                "none",
            ),
        },
        "Beside its fields every event has a stream, a tenant, an id and a time; they are not declared.",
    ),
    Part(
        "A field",
        "{streams: {a: {fields: {b: {zzzz: 1}}}}}",
        {
            "type": (
                (
                    f"{_list(FieldType)}. Integers have 64 bits; a number is a finite double; a timestamp is "
                    "RFC 3339 with a zone."
                ),
                "must be there",
            ),
            "required": ("Whether an event without it is refused: `true` or `false`.", "`false`"),
            "unit": ("What it is counted in.", ""),
            "description": ("What it is.", ""),
            "minimum": ("Least that is taken, for integers and numbers.", "any"),
            "maximum": ("Most that is taken, for integers and numbers.", "any"),
            "max_length": (f"Most characters of a string, up to {LONGEST_STRING}.", code(DEFAULT_MAX_LENGTH)),
            "scale": (
                f"Decimal places that a sum of numbers keeps, up to {FINEST_SCALE}.",
                code(DEFAULT_SCALE),
            ),
        },
        "In short, `carrier: string` is `carrier: {type: string}`.",
    ),
    Part(
        "A measure",
        "{streams: {a: {measures: {b: {zzzz: 1}}}}}",
        {
            "count": ("`true`: the number of events.", ""),
            "sum": ("The field that is added up, exactly.", ""),
            "minimum": ("The field whose least value is kept: a number or an instant, also `time`.", ""),
            "maximum": ("The field whose greatest value is kept, likewise.", ""),
            "distinct": ("The entity whose different ones are kept as a set, exactly.", ""),
            "histogram": (
                (
                    "The field whose distribution is kept; percentiles are right within "
                    f"{RELATIVE_ERROR:.2%}, also below zero."
                ),
                "",
            ),
            "where": ("[Conditions](#conditions) an event must meet.", "all events"),
        },
        f"A measure is one of {_list(MeasureKind)}. In short, `paid: count` is `paid: {{count: true}}`.",
    ),
    Part(
        "A rollup",
        "{streams: {a: {rollups: {b: {zzzz: 1}}}}}",
        {
            "by": (
                "The fields it is kept by: strings, integers or booleans. An empty list keeps all together.",
                "must be there",
            ),
            "grain": (
                (
                    f"The finest time it is kept for: {_list(RollupGrain)}. A slot is a quarter of an hour. "
                    "`day` is for fields with so many values that there would be as many rows as events."
                ),
                "`slot`",
            ),
            "measures": ("The measures it keeps.", "all of the stream"),
        },
        "A question is answered from the rollup with the fewest dimensions among those that have all "
        "that the question splits by and puts conditions on. What no rollup has is read from the raw events, "
        "and the answer says so.",
    ),
    Part(
        "A derived stream",
        "{streams: {a: {derive: {zzzz: 1}}}}",
        {
            "sessions": ("One event for each [session](#sessions-and-first-sightings) of an entity.", ""),
            "firsts": ("One event for each entity, at its earliest event's time.", ""),
        },
        "A stream with `derive` takes no events, and has no `id`, `extra` or `segment`: its events follow "
        "from those of another stream of the same file. The entity that they are derived for, and the field "
        "that identifies it, are carried over and not declared again. "
        "[Declare a stream](../how-to/declare-a-stream.md) has an example.",
    ),
    Part(
        "Sessions and first sightings",
        "{streams: {a: {derive: {sessions: {zzzz: 1}}}}}",
        {
            "from": ("The stream whose events they are derived from.", "must be there"),
            "entity": ("The entity of that stream whose events belong together.", "must be there"),
            "gap_minutes": (
                "Sessions only: so long after its last event, or at the tenant's midnight, it is over.",
                code(DEFAULT_GAP_MINUTES),
            ),
            "where": ("[Conditions](#conditions) on the events that are looked at.", "all events"),
        },
        "A session is an event at the time of its first one, so that it counts in the quarter of an hour, "
        "and on the day, in which it began.",
    ),
    Part(
        "A derived field",
        "{streams: {a: {derive: {sessions: {from: b, entity: c}}, fields: {d: {count: true, zzzz: 1}}}}}",
        {
            "type": (
                "That of the field it takes; a count is an integer, a duration a number.",
                "must be there",
            ),
            "first": ("The field whose value in the earliest event it takes.", ""),
            "last": ("Sessions only: the field whose value in the latest event it takes.", ""),
            "count": ("Sessions only: `true`: the number of events.", ""),
            "duration": ("Sessions only: `true`: seconds from the earliest event to the latest.", ""),
            "where": ("Of a count: [conditions](#conditions) on the events that are counted.", "all events"),
            "unit": ("What it is counted in.", ""),
            "description": ("What it is.", ""),
            "scale": (
                f"Decimal places that a sum of numbers keeps, up to {FINEST_SCALE}.",
                code(DEFAULT_SCALE),
            ),
        },
    ),
    Part(
        "Retention",
        "{streams: {a: {retention: {zzzz: 1}}}}",
        {
            "events_days": ("Days that raw events are kept, 1 to 36500.", "for good"),
            "slots_days": (
                "Days that rollups keep quarter hours, at least as many; their days are kept for good.",
                "for good",
            ),
        },
        "What is purged is sealed: rollups keep what they had, older events are refused as `sealed`, and a "
        "rollup that is new begins there. [Keep events for a time](../how-to/keep-events-for-a-time.md) "
        "tells what that means for questions.",
    ),
    Part(
        "A rule for Segment's calls",
        "{streams: {a: {segment: {zzzz: 1}}}}",
        {
            "call": (f"The kinds of call it takes, one or a list: {_list(Call)}.", "must be there"),
            "event": (
                "The names of the track calls it takes, one or a list, as they are sent.",
                "every name",
            ),
            "fields": (
                (
                    "Where fields are in a call: for each a path, or a list of which the first that is there "
                    "counts."
                ),
                "where they usually are",
            ),
        },
        "In short, `segment: page` is `segment: {call: page}`. A path is the keys that lead to a value, with "
        "dots between them, as `properties.total` or `context.page.path`; a backslash before a dot makes it "
        f"part of a key. Fields that are not told are looked for under their own name in {_details()}; only "
        f"{_beside()}. [Take Segment's calls](../how-to/take-segments-calls.md) shows it in use. Rules are "
        "no part of what events mean: a change of them rebuilds nothing, and holds for the calls after it.",
    ),
    Part(
        "A metric",
        "{metrics: {a: {zzzz: 1}}}",
        {
            "formula": ("What it is, over measures of one stream.", "must be there"),
            "stream": ("Which stream's, where measures of several streams have the same names.", ""),
            "unit": ("What it is counted in.", ""),
            "format": (
                f"How it is to be shown: {_list(Format)}. A percent is a share of 1.",
                "`number`",
            ),
            "owner": ("Who answers for it.", ""),
            "description": ("What it tells.", ""),
        },
    ),
)


def page() -> str:
    """An example, every key of every mapping, formulas, conditions, and what may change."""
    read_model(EXAMPLE, source="the example")  # it must be one that is taken
    parts = [INTRO, block(EXAMPLE.strip(), "yaml"), NAMES]
    for part in PARTS:
        parts += [f"## {part.heading}", part.text, _table(part)]
    return paragraphs(*parts, FORMULAS, WHERE, CHANGES)


def _table(part: Part) -> str:
    known = known_keys(part.probe)
    if known != set(part.keys):
        raise AssertionError(f"{part.heading}: the reader knows {known}, told are {set(part.keys)}")
    return table(
        ("key", "what it says", "where it is not there"),
        ((code(key), sentence, otherwise) for key, (sentence, otherwise) in part.keys.items()),
    )


def known_keys(probe: str) -> set[str]:
    """The keys that the reader names when it meets one that means nothing."""
    try:
        read_model(probe, source="a probe")
    except InvalidModel as error:
        for fault in error.faults:
            known = re.search(r"known: (.+)$", fault.message)
            if fault.path.endswith(PROBE) and known is not None:
                return set(known[1].split(", "))
    raise AssertionError(f"the reader has no word on {probe}")
