"""Every figure that Aforo promises, measured against bare DuckDB on the same data in the same run.

`python bench/run.py` prints a report; with `--record` it is also written to docs/benchmarks.md.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import duckdb  # noqa: E402
from bench import flights, intake  # noqa: E402
from bench.measure import Figure, in_turn, machine, median, resident_mb, table  # noqa: E402

from aforo.assembly import Aforo  # noqa: E402
from aforo.clock import SystemClock  # noqa: E402
from aforo.questions.asked import decode  # noqa: E402
from aforo.settings import Settings  # noqa: E402

RUNS = 5
QUESTION = {
    "tenant": "nyc",
    "metrics": ["dep_delay_p95"],
    "from": "2013-01-01",
    "to": "2013-12-31",
    "grain": "month",
    "by": ["carrier"],
}


def load_ratio(folder: Path) -> Figure:
    rows = flights.typed_rows(folder / "typed")
    ours, theirs, ratio = in_turn(
        lambda: flights.load_through_intake(rows, folder / "ours"),
        lambda: flights.insert_plainly(rows, folder / "plain"),
        RUNS,
    )
    value = f"{ratio:.2f} ({ours:.2f} s against {theirs:.2f} s)"
    return Figure("load through the intake, as a share of DuckDB's own insert", value, ">= 0.2", ratio >= 0.2)


def fold_ratio(folder: Path) -> Figure:
    rows = flights.typed_rows(folder / "typed")
    ours, theirs, ratio = in_turn(
        lambda: flights.fold_everything(folder / "ours", rows),
        lambda: flights.group_plainly(rows, folder / "plain"),
        RUNS,
    )
    value = f"{ratio:.2f} ({ours:.2f} s against {theirs:.2f} s)"
    return Figure("fold of everything, as a share of plain GROUP BY", value, ">= 0.3", ratio >= 0.3)


def whole_load(folder: Path) -> Figure:
    command = [sys.executable, "-m", "aforo", "--data", str(folder / "demo"), "demo", "--no-serve"]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=_environment())
    took = time.perf_counter() - started
    return Figure(
        "read, load, fold and ask 336,776 rows, whole process", f"{took:.1f} s", "<= 20 s", took <= 20
    )


def ask_p95(folder: Path) -> Figure:
    given = Settings()
    settings = replace(given, data=folder / "demo", cache=replace(given.cache, max_bytes=0))  # read each time
    aforo = Aforo(settings, SystemClock())
    took = median(lambda: aforo.desk.ask(decode(QUESTION)).as_json(), 41) * 1000
    aforo.stop()
    return Figure("the year's p95 by month and carrier, in process", f"{took:.1f} ms", "<= 30 ms", took <= 30)


def serving(folder: Path) -> tuple[Figure, Figure]:
    readies: list[float] = []
    for _ in range(3):
        process, url, took = _served([*_aforo(folder / "demo"), "serve", "--port", "0"])
        readies.append(took)
        _stop(process)
    ready = sorted(readies)[1]
    fresh = folder / "memory"
    process, url, _ = _served([*_aforo(fresh), "demo"], AFORO_HTTP_PORT="0")
    _post(f"{url}/v1/query", QUESTION)
    memory = resident_mb(process.pid)
    _stop(process)
    return (
        Figure("server start to ready", f"{ready:.2f} s", "<= 2 s", ready <= 2),
        Figure("server memory after the demo", f"{memory:.0f} MB", "<= 400 MB", memory <= 400),
    )


def _aforo(data: Path) -> list[str]:
    return [sys.executable, "-m", "aforo", "--data", str(data)]


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more}


def _served(command: list[str], **more: str) -> tuple[subprocess.Popen[str], str, float]:
    """Starts a server and waits until it is ready; the seconds from start to ready."""
    started = time.perf_counter()
    data = Path(command[command.index("--data") + 1])
    (data / "server.json").unlink(missing_ok=True)
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=_environment(**more)
    )
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {process.stderr.read() if process.stderr else ''}")
        try:
            url = json.loads((data / "server.json").read_text(encoding="utf-8"))["url"]
            with urllib.request.urlopen(f"{url}/ready", timeout=5):
                return process, url, time.perf_counter() - started
        except (OSError, ValueError, urllib.error.URLError):
            time.sleep(0.01)


def _post(url: str, body: object) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        response.read()


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=30)


def report(figures: list[Figure]) -> str:
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [
        "# Benchmarks",
        "",
        "Written by `python bench/run.py --record`; `make bench` prints the same. Ratios are medians of runs",
        "in turn, in one process, on the same rows: the 336,776 flights. *GROUP BY* means the eight plain",
        "queries of `bench/flights.py`, which give the numbers the rollups keep, written to tables. The",
        "figures of events over HTTP are medians of three servers each, with the senders on the same cores",
        "(`bench/intake.py`). Times of one machine say little about another; ratios do.",
        "",
        f"Machine: {machine()}, DuckDB {duckdb.__version__}. Date: {today}. Runs: {RUNS}.",
        "",
        table(figures),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="aforo-bench-") as name:
        folder = Path(name)
        figures = [
            load_ratio(folder),
            fold_ratio(folder),
            whole_load(folder),
            ask_p95(folder),
            *serving(folder),
            *intake.figures(),
        ]
    text = report(figures)
    print(text)
    if "--record" in sys.argv:
        page = ROOT / "docs" / "benchmarks.md"
        _, heading, told = page.read_text(encoding="utf-8").partition("\n## ")
        page.write_text(text + heading + told, encoding="utf-8")  # what people wrote below stays
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
