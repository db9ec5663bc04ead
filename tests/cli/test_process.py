"""The command line as a process of its own, and through a server that has the data directory."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Aforo, environment, furnished, serving
from tests.cli.shop import BAD, BAD_CODES, ORDERS, REVENUE, csv_file

LOAD = ("load", "orders.csv", "--stream", "orders", "--tenant", "corner")
QUESTION = {
    "tenant": "corner",
    "metrics": ["revenue"],
    "from": "2024-03-01",
    "to": "2024-03-02",
    "grain": "day",
}
ASK = ("ask", "revenue", "--tenant", "corner", "--from", "2024-03-01", "--to", "2024-03-02", "--grain", "day")
ROWS = [{"time": "2024-03-01", "revenue": 55.5}, {"time": "2024-03-02", "revenue": 92.25}]


@dataclass(frozen=True)
class Served:
    """A folder whose data directory a server has, and where it answers."""

    folder: Path
    url: str
    token: str

    def post(self, path: str, body: object, *headers: tuple[str, str]) -> Any:
        told = {"Content-Type": "application/json", **dict(headers)}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), told)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests here, over an empty data directory; each loads the same orders."""
    folder = furnished(tmp_path_factory.mktemp("served"))
    csv_file(folder / "orders.csv", ORDERS)
    with serving(folder) as (_, url):
        told = json.loads((folder / "aforo-data" / "server.json").read_text(encoding="utf-8"))
        yield Served(folder, url, told["token"])


@pytest.fixture
def served(server: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The server, with its folder as the working directory."""
    monkeypatch.chdir(server.folder)
    monkeypatch.setenv("COLUMNS", "200")
    return server


def timeless(answer: Any) -> Any:
    """An answer without what changes from one moment to the next, or tells whether it was asked before."""
    changing = ("tookMs", "completeUntil", "cached", "ageSeconds")
    return {**answer, "proof": {key: each for key, each in answer["proof"].items() if key not in changing}}


def process(folder: Path, *words: str, flags: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-m", "aforo", *words]
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )


def test_a_process_ends_with_the_exit_code_and_says_nothing_more(folder: Path) -> None:
    csv_file(folder / "orders.csv", [*ORDERS, *BAD])
    loaded = process(folder, *LOAD, "--format", "json")
    assert (loaded.returncode, json.loads(loaded.stdout)["refused"]) == (2, dict.fromkeys(BAD_CODES, 1))
    answered = process(folder, *ASK, "--format", "json")
    assert (answered.returncode, answered.stderr) == (0, "")
    assert json.loads(answered.stdout)["rows"] == ROWS
    wrong = process(folder, "ask", "revnue", *ASK[2:])
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.splitlines()[-1] == "hint: did you mean 'revenue'?"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--help",), 0),
        (("ask", "--help"), 0),
        (("--version",), 0),
        (("lod", "orders.csv"), 2),
        (("ask",), 2),
    ],
)
def test_help_and_wrong_use_do_not_wait_for_the_rooms(
    folder: Path, words: tuple[str, ...], code: int
) -> None:
    said = process(folder, *words, flags=("-X", "importtime"))
    imported = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines() if "|" in line}
    assert said.returncode == code
    assert "aforo.cli.app" in imported
    assert imported.isdisjoint({"aforo.assembly", "duckdb", "pyarrow", "numpy", "sqlalchemy", "structlog"})


def test_every_verb_works_through_the_server(served: Served, aforo: Aforo) -> None:
    loaded = aforo(*LOAD, "--no-fold", "--format", "json")
    again = aforo(*LOAD, "--format", "json")
    assert (loaded.code, loaded.json["accepted"] + loaded.json["duplicates"]) == (0, 4)
    assert (again.code, again.json["accepted"], again.json["duplicates"]) == (0, 0, 4)
    assert aforo("fold", "--format", "json").json.keys() == {"slots", "tookMs"}
    report = aforo("doctor", "--format", "json").json
    assert [(each["tenant"], each["events"], each["dirtySlots"]) for each in report["streams"]] == [
        ("corner", 4, 0)
    ]
    assert aforo(*ASK, "--format", "json").json["rows"] == ROWS


def test_json_is_the_reply_of_http(served: Served, aforo: Aforo) -> None:
    assert aforo(*LOAD).code == 0
    through = aforo(*ASK, "--format", "json").json
    assert timeless(through) == timeless(served.post("/v1/query", QUESTION))


def test_rows_are_refused_through_the_server_as_without_it(served: Served, aforo: Aforo) -> None:
    csv_file(served.folder / "bad.csv", [*ORDERS, *BAD])
    said = aforo("load", "bad.csv", *LOAD[2:], "--format", "json")
    assert said.code == 2
    assert said.json["refused"] == dict.fromkeys(BAD_CODES, 1)
    assert [(each["row"], each["code"]) for each in said.json["samples"]] == list(enumerate(BAD_CODES, 4))


def test_mistakes_end_through_the_server_as_without_it(served: Served, aforo: Aforo) -> None:
    aforo("ask", "revnue", *ASK[2:]).told_no("no metric named 'revnue'", "did you mean 'revenue'?")
    aforo("ask", "revenue", "--tenant", "corna").told_no("no tenant named 'corna'")
    long = ("--from", "1990-01-01", "--to", "2020-12-31", "--grain", "slot")
    aforo("ask", "revenue", "--tenant", "corner", *long).told_no("1,087,008 buckets of grain slot")


def test_what_the_server_holds_is_its_own(served: Served, aforo: Aforo) -> None:
    aforo("serve", "--port", "0").told_no("aforo-data is held by process", code=1)
    assert aforo("doctor", "--data", "elsewhere").code == 0


def test_the_token_is_for_the_owners_eyes(served: Served, aforo: Aforo) -> None:
    file = served.folder / "aforo-data" / "server.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["url"] == served.url
    assert served.token not in aforo("doctor").out + aforo("doctor", "--format", "json").out
    with pytest.raises(urllib.request.HTTPError, match="503"):
        served.post("/v1/fold", {}, ("Authorization", "Bearer " + "x" * 43))
    assert "slots" in served.post("/v1/fold", {}, ("Authorization", f"Bearer {served.token}"))


def test_a_url_leads_to_a_server_from_where_no_model_is(
    served: Served, aforo: Aforo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert aforo(*LOAD).code == 0
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFORO_URL", served.url)
    assert aforo(*ASK, "--format", "json").json["rows"] == ROWS
    aforo("fold").told_no("stays shut", "aforo keys create", code=1)
    assert not (tmp_path / "aforo-data").exists()


def test_the_file_of_a_killed_server_disturbs_nobody(folder: Path, served: Served, aforo: Aforo) -> None:
    os.chdir(folder)
    file = folder / "aforo-data" / "server.json"
    csv_file(folder / "orders.csv", ORDERS)
    with serving(folder) as (child, _):
        assert aforo(*LOAD).code == 0
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert file.exists()
    assert aforo(*ASK, "--format", "json").json["rows"] == ROWS
    # Its port may belong to another server by now, which has other events.
    told = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**told, "url": served.url}), encoding="utf-8")
    (folder / "more.csv").write_text(
        "order,time,customer,country,amount\no6,2024-03-02T12:30:00Z,eve,ES,1\n", encoding="utf-8"
    )
    assert aforo("load", "more.csv", *LOAD[2:]).code == 0
    whole = aforo("ask", "revenue", *ASK[2:8], "--format", "json").json["rows"]
    assert whole == [{"revenue": REVENUE + 1}]
    file.write_text("no json", encoding="utf-8")
    assert aforo("doctor").code == 0


def test_a_server_ends_in_order_when_told_to(folder: Path) -> None:
    with serving(folder) as (child, _):
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
        assert child.stderr is not None
        assert child.stderr.read() == ""
    assert not (folder / "aforo-data" / "server.json").exists()
