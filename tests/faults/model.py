"""What the senders send: an event is a pure function of its number, so that any of them can be told again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aforo.windows import DAY, Zone, parse_instant

YAML = """
tenants:
  mill: {timezone: Asia/Kathmandu}
  weir: {timezone: America/New_York}
streams:
  taps:
    fields:
      valve: {type: string, max_length: 10}
      litres: {type: integer}
      probe: {type: string}
    entities: {probe: probe}
    measures:
      all_taps: count
      litre_sum: {sum: litres}
      most: {maximum: litres}
      probes: {distinct: probe}
    rollups:
      valves: {by: [valve]}
  visits:
    fields:
      page: {type: string}
      turn: {type: integer}
    measures:
      all_visits: count
      turn_sum: {sum: turn}
    rollups:
      pages: {by: [page]}
  clicks:
    fields:
      turn: {type: integer}
    measures:
      all_clicks: count
      click_sum: {sum: turn}
    rollups:
      site: {by: []}
metrics:
  taps: {formula: all_taps, unit: "", format: integer, owner: tests, description: How many}
  litres: {formula: litre_sum, unit: l, format: number, owner: tests, description: How much}
  most_litres: {formula: most, unit: l, format: number, owner: tests, description: The most}
  probes_seen: {formula: probes, unit: "", format: integer, owner: tests, description: Which}
  visits: {formula: all_visits, unit: "", format: integer, owner: tests, description: How many}
  turns: {formula: turn_sum, unit: "", format: number, owner: tests, description: Their sum}
  clicks: {formula: all_clicks, unit: "", format: integer, owner: tests, description: How many}
  click_turns: {formula: click_sum, unit: "", format: number, owner: tests, description: Their sum}
"""
TENANTS = ("mill", "weir", "brook")
ZONES = {"mill": Zone("Asia/Kathmandu"), "weir": Zone("America/New_York"), "brook": Zone("UTC")}
# Two days before New York's clocks go forward: the days that events fall into have 23 hours among them.
FIRST = parse_instant("2024-03-08T00:00:00Z")
FROM, TO = "2024-03-01", "2024-03-31"


@dataclass(frozen=True, slots=True)
class Fact:
    """One event; `time` in microseconds, None where its sender gives none."""

    stream: str
    tenant: str
    id: str | None
    time: int | None
    fields: dict[str, Any]

    def as_json(self) -> dict[str, object]:
        told: dict[str, object] = {"stream": self.stream, "tenant": self.tenant, "fields": self.fields}
        if self.id is not None:
            told["id"] = self.id
        if self.time is not None:
            told["time"] = Zone("UTC").rfc3339(self.time)
        return told


def fact(pool: int, number: int) -> Fact:
    """Of ten events six have an id and a time, three only a time, one only an id; each 50th is late."""
    tenant = TENANTS[number // 10 % 3]
    late = 3 * DAY if number % 50 == 7 else 0
    time = FIRST + 4 * DAY + number * 1_300_000 % (3 * DAY) + pool - late
    turn = pool * 10_000_000 + number
    kind = number % 10
    if kind < 6:
        values = {"valve": f"v{number % 7}", "litres": number % 101 - 50, "probe": f"p{number % 997}"}
        return Fact("taps", tenant, f"{pool}-{number}", time, values)
    if kind < 9:
        return Fact("visits", tenant, None, time, {"page": f"/{number % 5}", "turn": turn})
    return Fact("clicks", tenant, f"{pool}-{number}", None, {"turn": turn})


@dataclass
class Ledger:
    """What all answers must say, added up one event at a time."""

    days: dict[tuple[str, str], Counter[tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    most: dict[tuple[str, str, str], int] = field(default_factory=dict)
    probes: dict[tuple[str, str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    clicks: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: int = 0

    def add(self, facts: Iterable[Fact]) -> None:
        for each in facts:
            self.events += 1
            if each.time is None:
                self.clicks[each.tenant, "clicks"] += 1
                self.clicks[each.tenant, "click_turns"] += each.fields["turn"]
                continue
            day = str(ZONES[each.tenant].date_of(each.time))
            split = each.fields["valve" if each.stream == "taps" else "page"]
            counts = self.days[each.stream, each.tenant]
            key = (each.tenant, day, split)
            if each.stream == "taps":
                litres = each.fields["litres"]
                counts[f"{day} {split}", "taps"] += 1
                counts[f"{day} {split}", "litres"] += litres
                self.most[key] = max(self.most.get(key, litres), litres)
                self.probes[key].add(each.fields["probe"])
            else:
                counts[f"{day} {split}", "visits"] += 1
                counts[f"{day} {split}", "turns"] += each.fields["turn"]

    def rows(self, stream: str, tenant: str) -> list[dict[str, object]]:
        """The answer by day and split, without groups that have no event."""
        found: dict[str, dict[str, object]] = defaultdict(dict)
        for (group, metric), value in self.days[stream, tenant].items():
            found[group][metric] = value
        rows = []
        for group, values in sorted(found.items()):
            day, split = group.split(" ", 1)
            if stream == "taps":
                values["most_litres"] = self.most[tenant, day, split]
                values["probes_seen"] = len(self.probes[tenant, day, split])
            rows.append({"time": day, ("valve" if stream == "taps" else "page"): split, **values})
        return rows
