"""Sites of the pack `web` for tests: made-up events, a house for them, and a plain reckoning of them."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from aforo.assembly import LoadOrder, Local, read_chunks
from aforo.clock import ManualClock
from aforo.settings import Settings
from aforo.windows import Zone, parse_instant

Event = dict[str, Any]
PATHS = ("/", "/prices", "/blog", "/about", "/contact")
SOURCES = ("direct", "organic_search", "social", "referral", "paid_search", "email", None)
NOW = parse_instant("2026-02-13T10:20:00Z")
# Events lie in the last half year, and in the winter a year before.
LATELY = (parse_instant("2025-08-01T00:00:00Z"), NOW)
A_YEAR_AGO = (parse_instant("2024-11-12T00:00:00Z"), parse_instant("2025-02-14T00:00:00Z"))


def made_up(tenant: str, seed: int, rows: int = 1_000) -> list[Event]:
    """Events of a site, some twice, in no order; every field is missing now and then."""
    dice = random.Random(seed)
    visitors = [f"v{number}" for number in range(rows // 8)]
    events = [_event(dice, tenant, number, dice.choice(visitors)) for number in range(rows)]
    events += [_lead(dice, tenant, number) for number in range(rows // 6)]
    events += dice.sample(events, rows // 20)
    dice.shuffle(events)
    return events


def _event(dice: random.Random, tenant: str, number: int, visitor: str) -> Event:
    def maybe(value: object) -> object:
        return None if dice.random() < 0.1 else value

    kind = dice.choice(("page_view", "page_view", "page_view", "form_start", "form_submit", "click"))
    event = {
        "stream": "web_events",
        "tenant": tenant,
        "id": f"e{number}",
        "time": _moment(dice),
        "event": kind,
        "visitor_id": visitor,
        "path": maybe(dice.choice(PATHS)),
        "traffic_source": dice.choice(SOURCES),
        "ttfb_ms": maybe(dice.randrange(2_000)) if kind == "page_view" else None,
        "is_entrance": maybe(dice.random() < 0.5),
        "is_exit": maybe(dice.random() < 0.5),
        "is_conversion": maybe(dice.random() < 0.2),
    }
    return {name: value for name, value in event.items() if value is not None}


def _lead(dice: random.Random, tenant: str, number: int) -> Event:
    event = {
        "stream": "web_leads",
        "tenant": tenant,
        "id": f"c{number}",
        "time": _moment(dice),
        "lead_id": f"l{dice.randrange(number + 1)}",
    }
    return {**event, "time_to_capture_ms": dice.randrange(10**9)} if dice.random() < 0.8 else event


def _moment(dice: random.Random) -> str:
    begin, end = LATELY if dice.random() < 0.65 else A_YEAR_AGO
    return Zone("UTC").rfc3339(dice.randrange(begin // 1_000_000, end // 1_000_000) * 1_000_000)


def held(folder: Path, zones: Mapping[str, str] = {}) -> Local:
    """An empty house at NOW, with tenants that are declared in their zones."""
    settings = replace(Settings(), data=folder / "data")
    if zones:
        tenants = "".join(f"  {name}: {{timezone: {zone}}}\n" for name, zone in zones.items())
        settings.model_folder.mkdir(parents=True)
        (settings.model_folder / "sites.yaml").write_text(f"tenants:\n{tenants}", encoding="utf-8")
    return Local(settings, ManualClock(NOW))


def bring(local: Local, *events: Event, fold: bool = True) -> None:
    """Loads events as a file, and folds."""
    order = LoadOrder(path=local.aforo.settings.data.with_name("events.ndjson"))
    order.path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    loaded = local.load(read_chunks(order, local.aforo.settings), order, lambda _loaded: None)
    assert not loaded.refused, loaded.samples
    if fold:
        local.fold(lambda _slots: None)


class Reckoned:
    """What the summary of a tenant has to say, from nothing but its events and the paper's formulas."""

    def __init__(self, events: Sequence[Event], tenant: str, zone: Zone) -> None:
        own = {(event["stream"], event["id"]): event for event in events if event["tenant"] == tenant}
        timed = [(parse_instant(event["time"]), event) for event in own.values()]
        self.zone = zone
        self.views = [each for each in timed if each[1].get("event") == "page_view"]
        self.forms = [each for each in timed if each[1].get("event") in ("form_start", "form_submit")]
        first: dict[str, tuple[int, Event]] = {}
        captures = [each for each in timed if each[1]["stream"] == "web_leads"]
        for time, event in sorted(captures, key=lambda each: (each[0], each[1]["id"])):
            first.setdefault(event["lead_id"], (time, event))
        self.leads = list(first.values())

    def metrics(self, start: int, end: int) -> dict[str, float | None]:
        """Of the time from `start` until `end`."""
        views = _between(self.views, start, end)
        visitors = {event["visitor_id"] for event in views}
        before = {event["visitor_id"] for time, event in self.views if time < start}
        entrances = [event for event in views if event.get("is_entrance")]
        forms = Counter(event["event"] for event in _between(self.forms, start, end))
        leads = _between(self.leads, start, end)
        waits = [lead["time_to_capture_ms"] for lead in leads if "time_to_capture_ms" in lead]
        return {
            "uniqueVisitors": len(visitors),
            "returningVisitorsPct": _share(len(visitors & before), len(visitors)),
            "totalPageViews": len(views),
            "leadCaptureRate": _share(len(leads), len(visitors)),
            "formCompletionRate": _share(forms["form_submit"], forms["form_start"]),
            "landingPageConversionRate": _share(
                sum(bool(event.get("is_conversion")) for event in entrances), len(entrances)
            ),
            "avgTimeToFirstCaptureHrs": _share(sum(waits) / 3_600_000, len(waits)),
        }

    def mix(self, start: int, end: int) -> dict[str, float]:
        views = _between(self.views, start, end)
        sources = Counter(event.get("traffic_source", "unknown") for event in views)
        return {name: count / len(views) for name, count in sources.items()}

    def p95(self, start: int, end: int) -> int | None:
        """The time to first byte at the lower nearest rank."""
        times = sorted(view["ttfb_ms"] for view in _between(self.views, start, end) if "ttfb_ms" in view)
        return times[math.ceil(len(times) * 95 / 100) - 1] if times else None

    def trend(self, first: date, last: date) -> list[dict[str, object]]:
        return [self._day(day) for day in _days(first, last)]

    def _day(self, day: date) -> dict[str, object]:
        start, end = self.zone.day_start(day), self.zone.day_start(day + timedelta(days=1))
        views = _between(self.views, start, end)
        return {
            "day": str(day),
            "uniqueVisitors": len({event["visitor_id"] for event in views}),
            "pageViews": len(views),
            "newLeads": len(_between(self.leads, start, end)),
        }


def _between(timed: Iterable[tuple[int, Event]], start: int, end: int) -> list[Event]:
    return [event for time, event in timed if start <= time < end]


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=at) for at in range((last - first).days + 1))
