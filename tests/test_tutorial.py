"""Pages whose files are written, commands run and what they say compared, in the order of the page."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import aforo

ROOT = Path(__file__).parent.parent
PAGES = ("tutorial.md", "how-to/compute-real-series.md")
PATIENCE_SECONDS = 120
MARKED = re.compile(r"<!-- ([a-z]+)(?:: (.+?))? -->\n```[a-z]+\n(.*?)```\n", re.DOTALL)
CHANGING = (
    (r"complete until \S+;", "complete until T;"),
    (r"read in \S+ ms", "read in N ms"),
    (r"model [0-9a-f]{12}", "model M"),
)
URL = "http://127.0.0.1:8321"


@dataclass
class Reader:
    """Somebody who follows the page in an empty folder."""

    folder: Path
    stack: ExitStack
    url: str = URL
    polled: str | None = None
    last: subprocess.CompletedProcess[str] = field(
        default_factory=lambda: subprocess.CompletedProcess((), 0, "", "")
    )

    def file(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def poll(self, _told: str, script: str) -> None:
        """Is run again until it says what stands below it."""
        self.polled = script

    def run(self, told: str, script: str) -> None:
        wanted = int(told.removeprefix("exit ")) if told else 0
        command = ["sh", "-ec", script.replace(URL, self.url)]
        self.last = subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert self.last.returncode == wanted, (script, self.last)

    def output(self, _told: str, text: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while self.polled is not None:
            self.run("", self.polled)
            if timeless(self.last.stdout) == timeless(text) or time.monotonic() > until:
                self.polled = None
        assert timeless(self.last.stdout) == timeless(text)

    def errors(self, _told: str, text: str) -> None:
        assert timeless(self.last.stderr) == timeless(text)

    def json(self, path: str, text: str) -> None:
        found: Any = json.loads(self.last.stdout)
        for name in path.split("."):
            found = found[name]
        assert rounded(found) == rounded(json.loads(text))

    def serve(self, _told: str, script: str) -> None:
        """The server goes on in the background, at a port that is free."""
        process = self.stack.enter_context(
            subprocess.Popen(
                [*script.split(), "--port", "0"],
                cwd=self.folder,
                env=self.environment(),
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        self.stack.callback(process.kill)
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"serving on (\S+)", said)
        assert found is not None, said
        self.url = found[1]

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join((str(self.folder / ".bin"), os.environ["PATH"]))
        return {**os.environ, "PATH": path, "PYTHONPATH": str(Path(aforo.__file__).parents[1])}


def timeless(text: str) -> list[str]:
    """The lines without what is another at each run."""
    for pattern, instead in CHANGING:
        text = re.sub(pattern, instead, text)
    return [line.rstrip() for line in text.strip().splitlines()]


def rounded(value: Any) -> Any:
    """The value with its fractions cut to what the page shows."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return {key: rounded(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    binaries = tmp_path / ".bin"
    binaries.mkdir()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for name, command in (("aforo", "-m aforo"), ("python", "")):
        script = binaries / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    with ExitStack() as stack:
        yield Reader(tmp_path, stack)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial asks by curl")
@pytest.mark.parametrize("page", PAGES)
def test_the_page_says_what_happens(reader: Reader, page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    steps = MARKED.findall(text)
    assert len(steps) == text.count("```") // 2
    for verb, told, content in steps:
        getattr(reader, verb)(told, content)
