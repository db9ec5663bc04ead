"""Questions while rollups are built: the earlier ones answer, else the events, and the proof says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.engines.gauges import Sent, stream_rows

import aforo
from aforo.clock import ManualClock
from aforo.engines.appends import Append
from aforo.engines.embedded import EmbeddedEngine
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.tenant import Tenant
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.rollups.folder import Folder
from aforo.settings import Questions, Settings
from aforo.telemetry import Telemetry
from aforo.windows import DAY, SLOT, parse_instant

ROOT = Path(__file__).parents[2]
START = parse_instant("2024-03-01T00:00:00Z")
BEFORE = """
tenants: {river: {timezone: UTC}}
streams:
  readings:
    fields: {station: {type: string}, level: {type: number, scale: 2}, probe: {type: string}}
    entities: {probe: probe}
    measures: {seen: count, level_sum: {sum: level}, probes: {distinct: probe}}
    rollups: {stations: {by: [station], measures: [seen, level_sum, probes]}}
metrics:
  readings: {formula: seen}
  levels: {formula: level_sum}
  probes_seen: {formula: probes}
"""
AFTER = (
    BEFORE.replace("probes: {distinct: probe}}", "probes: {distinct: probe}, top: {maximum: level}}").replace(
        "measures: [seen, level_sum, probes]", "measures: [seen, level_sum, probes, top]"
    )
    + "  highest: {formula: top}\n"
)
OLD, NEW = (read_model(text, source="readings.yaml") for text in (BEFORE, AFTER))
ASKED = ("readings", "levels", "probes_seen")


class House:
    """One data directory under a model, and its desk."""

    def __init__(self, folder: Path, model: Model) -> None:
        self.engine = EmbeddedEngine(folder, memory_mb=128, threads=1, untimed_id_seconds=86_400)
        self.engine.apply_model(model, Tenant(name=""))
        clock, telemetry = ManualClock(START + 9 * DAY), Telemetry()
        self.folder = Folder(self.engine, clock, telemetry, batch_rows=40, wake_after_seconds=0.01)
        self.settings = replace(Settings(), questions=replace(Questions(), raw_rows_limit=10**6))
        self.desk = Desk(self.engine, model, self.settings, clock, telemetry)
        self.model = model

    def take(self, first: int, count: int) -> None:
        events = [
            Sent(
                id=str(number),
                time=START + number * SLOT,
                fields={"station": f"s{number % 3}", "level": number / 4, "probe": f"p{number % 7}"},
            )
            for number in range(first, first + count)
        ]
        rows = stream_rows(self.model.streams["readings"], events)
        self.engine.append(Append((rows,), (), START + 9 * DAY))

    def ask(self, *metrics: str) -> dict[str, Any]:
        asked = Asked(tenant="river", metrics=metrics, from_="2024-03-01", to="2024-03-05", by=("station",))
        return self.desk.ask(asked).as_json()


def filled(folder: Path) -> dict[str, Any]:
    house = House(folder, OLD)
    house.take(0, 300)
    house.folder.run_until_clean()
    answer = house.ask(*ASKED)
    house.engine.close()
    return answer


def test_the_earlier_answers_what_it_can_and_the_events_the_rest(tmp_path: Path) -> None:
    before = filled(tmp_path)
    house = House(tmp_path, NEW)
    meanwhile = house.ask(*ASKED)
    assert meanwhile["rows"] == before["rows"]
    assert meanwhile["proof"]["source"] == "rollup"
    assert meanwhile["proof"]["rollupHash"] == before["proof"]["rollupHash"]
    assert meanwhile["proof"]["considered"][0]["why"].endswith("while it is built anew, 0% is done")
    raw = house.ask("highest")
    assert raw["proof"]["source"] == "raw"
    assert (
        raw["proof"]["reason"]
        == "no rollup of readings split by station can serve: stations is being built, 0% is done"
    )
    assert house.folder.build_once()
    assert "13% is done" in house.ask("highest")["proof"]["reason"]
    house.take(300, 10)
    house.folder.run_until_clean()
    assert sum(row["readings"] for row in house.ask(*ASKED)["rows"]) == 310
    expected = house.ask("highest")["rows"]
    house.folder.build_until_whole()
    after = house.ask("highest")
    assert (after["proof"]["source"], after["rows"]) == ("rollup", expected)
    assert after["proof"]["rollupHash"] != before["proof"]["rollupHash"]
    assert sum(row["readings"] for row in house.ask(*ASKED)["rows"]) == 310
    house.engine.close()


def test_questions_during_the_building_say_what_the_events_say(tmp_path: Path) -> None:
    """Whatever moment of the building a question meets, and the swap itself, its rows are right."""
    before = filled(tmp_path)
    house = House(tmp_path, NEW)
    house.folder.start()
    sources = set()
    try:
        for _ in range(2_000):
            answer = house.ask(*ASKED)
            assert answer["rows"] == before["rows"]
            sources.add(answer["proof"]["rollupHash"])
            if not house.engine.builds():
                break
        answer = house.ask(*ASKED)
    finally:
        house.folder.stop()
    assert answer["rows"] == before["rows"]
    assert answer["proof"]["rollupHash"] != before["proof"]["rollupHash"]
    assert house.engine.builds() == ()
    house.engine.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.questions.test_aside import NEW, House

house = House(Path(sys.argv[1]), NEW)
for _ in range(int(sys.argv[2])):
    house.folder.build_once()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("steps", [0, 2, 8])
def test_killed_in_the_middle_the_earlier_serves_on_and_the_building_goes_on(
    tmp_path: Path, steps: int
) -> None:
    before = filled(tmp_path)
    environment = {**os.environ, "PYTHONPATH": f"{Path(aforo.__file__).parents[1]}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(steps)]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    house = House(tmp_path, NEW)
    built = 300 - sum(build.slots_left for build in house.engine.builds())
    assert built == min(300, 40 * steps)
    assert house.ask(*ASKED)["rows"] == before["rows"]
    house.folder.build_until_whole()
    assert house.ask(*ASKED)["rows"] == before["rows"]
    assert house.ask("highest")["proof"]["source"] == "rollup"
    house.engine.close()
