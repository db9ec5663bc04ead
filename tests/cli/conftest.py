"""The command line in this process, as a person meets it: words in, an exit code and two texts out."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shop import MODEL

import aforo as aforo_package
from aforo.cli.app import run

# Without the pack a data directory is made in less time, and a wrong name's nearest is the shop's.
SETTINGS = "packs = []\n"


@dataclass(frozen=True)
class Said:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def told_no(self, *words: str, code: int = 2) -> None:
        """It was refused with these words, on standard error only, and without a trace."""
        assert self.code == code, self
        assert self.out == ""
        assert "Traceback" not in self.err
        said = " ".join(self.err.split())
        assert [word for word in words if word not in said] == []


Aforo = Callable[..., Said]


@pytest.fixture
def aforo(capsys: pytest.CaptureFixture[str]) -> Iterator[Aforo]:
    """Runs a command in this process, in the working directory there is."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def said(*words: str | Path) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run([str(word) for word in words])
        out, err = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Said(code or 0, out, err)

    yield said
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the shop's model in its data directory, and nothing loaded."""
    monkeypatch.chdir(tmp_path)
    # A wide window, so that no message is broken where a test looks for it.
    monkeypatch.setenv("COLUMNS", "200")
    return furnished(tmp_path)


def furnished(folder: Path) -> Path:
    """Puts the shop's model and settings in a folder."""
    (folder / "aforo.toml").write_text(SETTINGS, encoding="utf-8")
    models = folder / "aforo-data" / "models"
    models.mkdir(parents=True)
    (models / "shop.yaml").write_text(MODEL, encoding="utf-8")
    return folder


def environment() -> dict[str, str]:
    """What a child process needs to find this source, installed or not."""
    return {**os.environ, "PYTHONPATH": str(Path(aforo_package.__file__).parents[1])}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own over the folder's data directory, once it answers, and its URL."""
    command = [sys.executable, "-m", "aforo", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            heard = []
            while line := process.stderr.readline():
                heard.append(line)
                if "no keys are configured" in line:
                    break
            else:
                raise AssertionError("".join(heard))
            told = json.loads((folder / "aforo-data" / "server.json").read_text(encoding="utf-8"))
            yield process, told["url"]
        finally:
            process.kill()
