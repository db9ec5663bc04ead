"""A server whose disk fills up: it says so, keeps what it acknowledged, and goes on once there is room."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.cli.conftest import serving
from tests.engines.test_directory import mounted
from tests.faults.fire import SECONDS_FOR_ANYTHING, Served, address, furnished

ROWS = 4_000
QUESTION = {
    "tenant": "brook",
    "metrics": ["visits"],
    "from": "2024-03-01",
    "to": "2024-03-01",
    "grain": "total",
}
FIELDS = 40  # letters, different in each event, so that they take room


def test_the_same_server_takes_events_again_once_there_is_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", "size=12m", "tmpfs"):
        furnished(disk)
        with serving(disk) as (process, url):
            served = Served(disk, url)
            acknowledged = 0
            while (reply := send(served, acknowledged))[0] == 202:
                acknowledged += 1
            status, problem, retry = reply
            assert (status, problem["code"], retry) == (507, "storage_full", None)
            assert "aforo-data is full" in problem["detail"]
            assert "free space and send again" in problem["hint"]
            assert acknowledged
            # What goes into the tables meanwhile may leave room for some more; it is full again soon.
            while (reply := send(served, acknowledged))[0] == 202:
                acknowledged += 1
            assert reply[0] == 507
            subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
            for batch in range(acknowledged + 3):
                status, receipt, _ = send(served, batch)
                assert status == 202, receipt
                # The first that was not acknowledged may have reached the disk, as a whole.
                known = batch < acknowledged or (batch == acknowledged and receipt["duplicates"])
                assert (receipt["accepted"], receipt["duplicates"]) == ((0, ROWS) if known else (ROWS, 0))
            served.post("/v1/fold", {})
            answer = served.post("/v1/query", QUESTION)
            assert answer["rows"] == [{"visits": ROWS * (acknowledged + 3)}]
            process.kill()


def send(served: Served, batch: int) -> tuple[int, Any, str | None]:
    """Status, reply and when to come back."""
    events = [
        {
            "stream": "visits",
            "tenant": "brook",
            "id": f"{batch}-{number}",
            "time": "2024-03-01T00:00:00Z",
            "fields": {"page": f"{batch * ROWS + number:0{FIELDS}x}", "turn": number},
        }
        for number in range(ROWS)
    ]
    with closing(HTTPConnection(*address(served.url), timeout=SECONDS_FOR_ANYTHING)) as connection:
        body = json.dumps({"events": events})
        connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read()), reply.headers["Retry-After"]
