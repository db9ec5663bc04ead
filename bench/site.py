"""Twenty sites of the pack `web` over 180 days: their events, and a house that holds and serves them.

Sites, visitors and late events are like those of `bench/rollups.py`, and three events are a visit. There are
180 days, so that the 90 before the last 90 hold as much as these. `python bench/site.py DATA` serves
them, with `--caching` from the cache of answers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
import pyarrow as pa  # noqa: E402

from aforo.assembly import Aforo, Local  # noqa: E402
from aforo.assembly.serving import serve  # noqa: E402
from aforo.clock import SystemClock  # noqa: E402
from aforo.engines.appends import Append, StreamRows  # noqa: E402
from aforo.packs.web import simulated_shapes as shapes  # noqa: E402
from aforo.packs.web.simulated_visits import chosen  # noqa: E402
from aforo.settings import Settings  # noqa: E402
from aforo.telemetry import configure_logging  # noqa: E402
from aforo.windows import DAY, parse_instant  # noqa: E402

FIRST = parse_instant("2026-01-01T00:00:00Z")
DAYS = 180
MINUTE = 60_000_000
WINDOW = {"from": "2026-04-01", "to": "2026-06-29"}
"""The last 90 days."""
LARGEST = "site00"
TENANTS = 20
VISITORS = 300_000
LATE = 0.01
VISIT_EVENTS = 3
COMMIT_ROWS = 48_000  # whole visits, and near to the largest commit a server makes by default
EVENTS, LEADS = "web_events", "web_leads"

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class AfterLast:
    """The machine's clock, set to six hours after the last day: the window is over, and nothing is old."""

    def __init__(self) -> None:
        self._machine = SystemClock()
        self._back = self._machine.now() - (FIRST + DAYS * DAY + DAY // 4)

    def now(self) -> int:
        return self._machine.now() - self._back

    def monotonic(self) -> float:
        return self._machine.monotonic()


@dataclass(frozen=True, slots=True)
class Sites:
    """So many events of pages, and the leads that come of them."""

    events: int

    def chunks(self) -> Iterator[tuple[int, pa.Table, pa.Table]]:
        """All in the order they arrive: when, events, leads."""
        for first in range(0, self.events, COMMIT_ROWS):
            yield self._chunk(np.arange(first, min(first + COMMIT_ROWS, self.events)))

    def _chunk(self, numbers: Ints) -> tuple[int, pa.Table, pa.Table]:
        dice = np.random.default_rng(int(numbers[0]))
        visits = -(-len(numbers) // VISIT_EVENTS)
        of, place = (numbers - numbers[0]) // VISIT_EVENTS, numbers % VISIT_EVENTS
        sizes = 1 / np.arange(1, TENANTS + 1) ** 1.5
        shares = sizes / sizes.sum()
        site = dice.choice(TENANTS, visits, p=shares)
        # A few visitors come often and most of them seldom.
        visitor = np.floor(np.maximum(1, VISITORS * shares[site]) * dice.random(visits) ** 1.5)
        visitor = visitor.astype(np.int64)
        source = chosen(shapes.OF_NEW, dice.random(visits))
        begins = dice.random(visits) < shapes.BEGINS_FORM
        sends = begins & (dice.random(visits) < shapes.SENDS_FORM)
        times = self._times(numbers - place, place, dice)
        last = place == VISIT_EVENTS - 1
        event = np.where(last & sends[of], 2, np.where(last & begins[of], 1, 0))
        who = {"visitor_id": _named("v", visitor, 12), "traffic_source": _one_of(shapes.SOURCES, source)}
        events = pa.table(
            {
                **_head(_named("site", site, 2).take(pa.array(of)), "e", numbers, times),
                "event": _one_of(("page_view", "form_start", "form_submit"), event),
                **{name: column.take(pa.array(of)) for name, column in who.items()},
                "path": _one_of(shapes.PATHS, chosen(shapes.ONWARD, dice.random(len(numbers)))),
                "device_type": _one_of(shapes.DEVICES, visitor % 3).take(pa.array(of)),
                "country": _one_of(tuple(code for code, _, _ in shapes.PLACES), visitor % 10).take(
                    pa.array(of)
                ),
                **_measured(len(numbers), dice),
                "is_entrance": pa.array(place == 0),
                "is_exit": pa.array(last),
                "is_conversion": pa.array((place == 0) & sends[of]),
            }
        )
        leads = np.flatnonzero(sends & (dice.random(visits) < shapes.BECOMES_LEAD))
        captured = times[np.minimum(leads * VISIT_EVENTS, len(times) - 1)] + 5 * MINUTE
        of_leads = pa.table(
            {
                **_head(_named("site", site[leads], 2), "l", numbers[0] // VISIT_EVENTS + leads, captured),
                "lead_id": _named("l", visitor[leads], 12),
                **{name: column.take(pa.array(leads)) for name, column in who.items()},
                "time_to_capture_ms": pa.array(dice.integers(0, 30 * 86_400_000, len(leads))),
            }
        )
        return int(times.max()), events, of_leads

    def _times(self, visits: Ints, place: Ints, dice: np.random.Generator) -> Ints:
        """A visit's events a minute apart, the last visit a quarter of an hour before the end."""
        every = (DAYS * DAY - 15 * MINUTE) / self.events
        times = (visits * every).astype(np.int64) + place * MINUTE
        late = dice.random(len(visits)) < LATE
        times[late] = (times[late] * dice.random(int(late.sum()))).astype(np.int64)
        return FIRST + times


def _head(tenants: pa.Array, letter: str, numbers: Ints, times: Ints) -> dict[str, pa.Array]:
    ids = [f"{letter}{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in numbers.tolist()]
    return {
        "tenant": tenants,
        "id": pa.array(ids),
        "time": pa.array(times).cast(pa.timestamp("us")),
        "untimed": pa.array(np.zeros(len(numbers), bool)),
    }


def _measured(rows: int, dice: np.random.Generator) -> dict[str, pa.Array]:
    def milliseconds(mean: float, spread: float) -> pa.Array:
        return pa.array(np.minimum(dice.lognormal(mean, spread, rows), 500_000).astype(np.int64))

    return {
        "ttfb_ms": milliseconds(5.4, 0.6),
        "fcp_ms": milliseconds(6.8, 0.6),
        "lcp_ms": milliseconds(7.4, 0.6),
        "inp_ms": milliseconds(4.5, 0.7),
        "cls_score": pa.array(np.round(dice.exponential(0.06, rows), 4)),
        "engaged_time_ms": milliseconds(9.6, 1.0),
        "scroll_depth_percent": pa.array(dice.integers(3, 101, rows)),
    }


def _named(word: str, numbers: Ints, digits: int) -> pa.Array:
    kinds, of = np.unique(numbers, return_inverse=True)
    return pa.array([f"{word}{number:0{digits}d}" for number in kinds.tolist()], pa.string()).take(
        pa.array(of)
    )


def _one_of(names: tuple[str, ...], which: Ints) -> pa.Array:
    return pa.array(names).take(pa.array(which))


def opened(data: Path, *, caching: bool = False, at_hand: bool = True) -> Aforo:
    """A house over a data folder, whose events stay however old they are."""
    return kept(Aforo(settings(data, caching=caching, at_hand=at_hand), AfterLast()))


def settings(data: Path, *, caching: bool, at_hand: bool = True) -> Settings:
    """As they are by default; without answers that are kept, or without rows that are held in memory."""
    given = Settings()
    cache = given.cache if caching else replace(given.cache, max_bytes=0)
    engine = given.engine if at_hand else replace(given.engine, rows_at_hand_mb=0)
    http = replace(given.http, port=0)
    return replace(given, data=data, packs=("web",), http=http, cache=cache, engine=engine)


def kept(aforo: Aforo) -> Aforo:
    """The same without a purge: half of what is asked is past the pack's 90 days."""
    aforo.retention._streams = ()  # the pack has no way to be told so
    return aforo


def build(aforo: Aforo, events: int) -> None:
    """Takes and folds all events of an empty house, and puts its weeks and months together."""
    stored = 0
    for arrival, pages, leads in Sites(events).chunks():
        rows = tuple(
            StreamRows(aforo.model.stream(name), table) for name, table in ((EVENTS, pages), (LEADS, leads))
        )
        fresh = aforo.engine.append(Append(rows, (), arrival)).fresh
        stored += int(fresh[0].sum())
    assert stored == events, f"{stored} of {events} events were kept"
    aforo.folder.run_until_clean()
    aforo.periods.run_until_kept()


def main() -> None:
    configure_logging("warning", "text", sys.stderr)
    local = Local(settings(Path(sys.argv[1]), caching="--caching" in sys.argv), AfterLast())
    kept(local.aforo)
    serve(local, lambda _ready: None)


if __name__ == "__main__":
    main()
