"""How things are measured: several runs in turn, medians, and ratios of what ran side by side."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report; `met` says whether the figure is on the right side of its target."""

    what: str
    value: str
    target: str
    met: bool

    def row(self) -> str:
        """Itself as a row of the report's table."""
        return f"| {self.what} | {self.value} | {self.target} | {'met' if self.met else 'missed'} |"


def seconds(work: Callable[[], object]) -> float:
    """How long one run takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median(work: Callable[[], object], runs: int) -> float:
    """The median of several runs, after one that does not count."""
    work()
    return statistics.median(seconds(work) for _ in range(runs))


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], runs: int) -> tuple[float, float, float]:
    """Medians of both, run A B A B, and the median of the ratios theirs / ours, pair by pair."""
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(b / a for a, b in pairs),
    )


def table(found: Sequence[Figure]) -> str:
    """The report in Markdown."""
    return "\n".join(("| what | measured | wanted | |", "|---|---|---|---|", *(each.row() for each in found)))


def machine() -> str:
    """The processor, its cores, the system and Python."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    name = models[0] if models else platform.processor() or platform.machine()
    return f"{name}, {len(models) or '?'} cores, {platform.system()}, Python {platform.python_version()}"


def processor_seconds(process: int) -> float:
    """What a process has taken so far, on all cores."""
    told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """What a process holds of the memory now."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not tell a process's memory")
