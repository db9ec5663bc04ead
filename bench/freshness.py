"""How soon an event that was sent is seen in an answer, while others come in: `python bench/freshness.py`.

Senders bring batches to many busy tenants at a steady rate. Beside them single events go to a tenant of their
own, and it is asked until each is counted. The folder's share of a core is what its folds took.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench import intake  # noqa: E402
from bench.measure import Figure  # noqa: E402
from bench.senders import SEPARATOR  # noqa: E402

BATCH, RATE, SECONDS, BUSY_TENANTS = 100, 5_000, 60, 50
SUSTAINED = 15_000  # batches
ASK_EVERY_SECONDS = 0.02
LOOK_EVERY_SECONDS = 0.1  # the doctor counts all events, which takes the server some milliseconds
BETWEEN_PROBES_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run showed: seconds from sent to seen, how late acknowledgements were, the folder's share."""

    visible: list[float]
    p99_ms: float
    most_ms: float
    folder_share: float
    rate: float


def figures() -> list[Figure]:
    """The figures of freshness that are promised."""
    seen, rate = run(RATE, SECONDS), sustained()
    visible = sorted(seen.visible)
    p99 = visible[int(len(visible) * 0.99)]
    return [
        Figure(
            f"sent to seen in an answer, 99 % of {len(visible)}, beside {RATE:,} events/s to {BUSY_TENANTS}"
            " tenants",
            f"{p99:.2f} s (median {statistics.median(visible):.2f} s)",
            "<= 2 s",
            p99 <= 2,
        ),
        Figure(
            "the folder's share of a core meanwhile",
            f"{seen.folder_share:.2f}",
            "<= 0.6",
            seen.folder_share <= 0.6,
        ),
        Figure(
            "the slowest acknowledgement of a batch meanwhile",
            f"{seen.most_ms:.0f} ms (99 %: {seen.p99_ms:.0f} ms)",
            "<= 250 ms",
            seen.most_ms <= 250,
        ),
        Figure(
            f"stored and folded a second, {BATCH * SUSTAINED:,} events in batches over HTTP",
            f"{rate:,.0f}",
            ">= 50,000",
            rate >= 50_000,
        ),
    ]


def run(rate: int, seconds: int) -> Seen:
    """One fresh server under a steady load."""
    requests = rate * seconds // BATCH
    with tempfile.TemporaryDirectory(prefix="aforo-freshness-") as name:
        folder = Path(name)
        bodies = folder / "bodies"
        bodies.write_bytes(SEPARATOR.join(intake._bodies(BATCH, requests, spread=BUSY_TENANTS)))
        with intake.serving(folder / "data") as (url, _pid):
            command = [
                sys.executable,
                str(ROOT / "bench" / "senders.py"),
                url,
                str(bodies),
                "32",
                str(rate / BATCH),
            ]
            began = time.monotonic()
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as senders:
                visible = _probe(url, lambda: senders.poll() is None)
                told = json.loads(senders.communicate()[0])
            share = _folding(url) / (time.monotonic() - began)
    return Seen(visible, told["p99_ms"], told["most_ms"], share, BATCH * requests / told["seconds"])


def sustained() -> float:
    """Events a second, from the first that is sent until all are folded."""
    with tempfile.TemporaryDirectory(prefix="aforo-sustained-") as name:
        folder = Path(name)
        bodies = folder / "bodies"
        bodies.write_bytes(SEPARATOR.join(intake._bodies(BATCH, SUSTAINED)))
        with intake.serving(folder / "data") as (url, _pid):
            began = time.monotonic()
            command = [sys.executable, str(ROOT / "bench" / "senders.py"), url, str(bodies), "32", "0"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            token = json.loads((folder / "data" / "server.json").read_text(encoding="utf-8"))["token"]
            while _waiting(url, token):
                time.sleep(LOOK_EVERY_SECONDS)
            return BATCH * SUSTAINED / (time.monotonic() - began)


def _waiting(url: str, token: str) -> int:
    """How many slots wait for a fold."""
    request = Request(url + "/v1/doctor", headers={"Authorization": f"Bearer {token}"})
    told = json.loads(urlopen(request, timeout=30).read())
    return sum(each["dirtySlots"] for each in told["streams"])


def _probe(url: str, going_on: Callable[[], bool]) -> list[float]:
    """Seconds from just before an event was sent until an answer counted it, one event after the other."""
    found: list[float] = []
    while going_on():
        sent = time.monotonic()
        _post(
            url + "/v1/events", {"stream": "views", "tenant": "probe", "id": uuid.uuid4().hex, "fields": {}}
        )
        while _counted(url) <= len(found):
            time.sleep(ASK_EVERY_SECONDS)
        found.append(time.monotonic() - sent)
        time.sleep(BETWEEN_PROBES_SECONDS)
    return found


def _counted(url: str) -> int:
    today = datetime.now(UTC).date().isoformat()
    question = {"tenant": "probe", "metrics": ["views"], "from": today, "to": today, "grain": "total"}
    return int(_post(url + "/v1/query", question)["rows"][0]["views"])


def _folding(url: str) -> float:
    """Seconds that folds have taken."""
    lines = urlopen(f"{url}/internal/metrics", timeout=30).read().decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith("aforo_fold_seconds_sum"))


def _post(url: str, body: object) -> dict[str, list[dict[str, object]]]:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as reply:
        answer: dict[str, list[dict[str, object]]] = json.loads(reply.read())
        return answer


if __name__ == "__main__":
    for figure in figures():
        print(figure.row())
