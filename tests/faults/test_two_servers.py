"""Two servers over one data directory: the second refuses, in words, and the first goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import environment, serving
from tests.faults.fire import Served, furnished
from tests.faults.test_hostile_bodies import EVENT, post


def test_the_second_server_refuses(tmp_path: Path) -> None:
    furnished(tmp_path)
    told = tmp_path / "aforo-data" / "server.json"
    with serving(tmp_path) as (first, url):
        before = told.read_text("utf-8")
        second = subprocess.run(
            [sys.executable, "-m", "aforo", "serve", "--port", "0"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert second.returncode == 1
        assert f"is held by process {first.pid}" in " ".join(second.stderr.split())
        assert "Traceback" not in second.stderr
        assert told.read_text("utf-8") == before
        assert post(url, EVENT)[1]["accepted"] == 1
        assert Served(tmp_path, url).post("/v1/fold", {})["slots"] in (0, 1)
