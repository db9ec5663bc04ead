"""`aforo load access.log`: what a person meets, and answers as plain Python counts them."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from crawlerdetect import CrawlerDetect
from tests.cli.conftest import Aforo, serving
from tests.events.logs import site_log

SITE = ("--tenant", "site", "--site", "example.org", "--format", "json")
MODEL = "tenants:\n  site: {timezone: Europe/Madrid}\n"
METRICS = ("requests", "page_views", "visitors", "bots", "bytes", "error_rate", "client_error_rate")
LINE = re.compile(r'(\S+) - - \[(.*?)\] "(.*?)" (\d+) (\S+) "(.*?)" "(.*?)"')


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the pack in its settings and a tenant in Madrid."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "aforo.toml").write_text('packs = ["weblog"]\n', encoding="utf-8")
    models = tmp_path / "aforo-data" / "models"
    models.mkdir(parents=True)
    (models / "site.yaml").write_text(MODEL, encoding="utf-8")
    return tmp_path


def written(path: Path, lines: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def asked(aforo: Aforo, *words: str) -> list[dict[str, Any]]:
    said = aforo(
        *("ask", ",".join(METRICS), "--tenant", "site", "--from", "2024-03-29", "--to", "2024-04-06"),
        *("--format", "json", *words),
    )
    assert said.code == 0, said
    rows: list[dict[str, Any]] = said.json["rows"]
    return rows


@cache  # the same lines are counted by one fact after the other
def facts(line: bytes) -> Mapping[str, Any]:
    """One line as plain Python understands it, by other means than the reader's."""
    found = LINE.fullmatch(line.decode())
    assert found is not None
    address, when, request, status, sent, referrer, agent = found.groups()
    words = request.split()
    whole = len(words) == 3
    target = urlsplit(words[1]) if whole else urlsplit("")
    query = parse_qs(target.query)
    came = urlsplit(referrer).hostname if "://" in referrer else None
    bot = agent == "-" or CrawlerDetect().is_crawler(agent)
    page = whole and words[0] == "GET" and not target.path.lower().endswith((".css", ".png"))
    kinds = {
        "www.google.es": "search",
        "duckduckgo.com": "search",
        "t.co": "social",
        "m.facebook.com": "social",
    }
    kinds |= {"mail.google.com": "email", "example.org": "internal", "www.example.org": "internal"}
    source = "direct" if came is None else kinds.get(came, "referral")
    if query.get("utm_medium") == ["email"]:
        source = "email"
    elif {"utm_campaign", "gclid"} & set(query):
        source = "campaign"
    return {
        "day": datetime.strptime(when, "%d/%b/%Y:%H:%M:%S %z").astimezone(ZoneInfo("Europe/Madrid")).date(),
        "visitor": (address, agent),
        "bot": bot,
        "page_view": page and not bot and status in ("200", "304"),
        "status": int(status),
        "status_class": f"{status[0]}xx",
        "bytes": 0 if sent == "-" else int(sent),
        "source": source,
        "path": (target.path or "/") if whole else None,
    }


def counted(lines: Iterable[bytes], key: str | None) -> dict[Any, dict[str, Any]]:
    """The metrics of the lines, by one of the facts."""
    groups: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for fact in map(facts, lines):
        groups[str(fact[key]) if key == "day" else None if key is None else fact[key]].append(fact)
    return {
        name: {
            "requests": len(group),
            "page_views": sum(each["page_view"] for each in group),
            "visitors": len({each["visitor"] for each in group if not each["bot"]}),
            "bots": sum(each["bot"] for each in group),
            "bytes": sum(each["bytes"] for each in group),
            "error_rate": pytest.approx(sum(each["status"] >= 500 for each in group) / len(group)),
            "client_error_rate": pytest.approx(
                sum(400 <= each["status"] < 500 for each in group) / len(group)
            ),
        }
        for name, group in groups.items()
    }


def by(rows: list[dict[str, Any]], key: str | None) -> dict[Any, dict[str, Any]]:
    return {
        None if key is None else row[key]: {name: row[name] for name in METRICS}
        for row in rows
        if row["requests"]
    }


def test_answers_are_those_that_plain_python_counts(logs: Path, aforo: Aforo) -> None:
    """Over a change of the clocks in Madrid, in days there, by each dimension."""
    lines = site_log(1, 2_000)
    said = aforo("load", written(logs / "access.log", lines), *SITE)
    assert (said.code, said.json["accepted"], said.json["refused"]) == (0, len(lines), {})
    assert by(asked(aforo), None) == counted(lines, None)
    assert by(asked(aforo, "--grain", "day"), "time") == counted(lines, "day")
    for dimension in ("source", "status_class", "bot", "path"):
        assert by(asked(aforo, "--by", dimension), dimension) == counted(lines, dimension)


def test_a_log_that_grows_and_is_rotated_is_read_on(logs: Path, aforo: Aforo) -> None:
    lines = site_log(2, 600)
    log = written(logs / "access.log", lines[:200])
    assert aforo("load", log, *SITE).json["accepted"] == 200
    grown = aforo("load", written(log, lines[:500]), *SITE).json
    assert (grown["rows"], grown["accepted"], grown["leftBytes"]) == (300, 300, 0)
    assert grown["begunAt"] == sum(map(len, lines[:200])) + 200
    log.rename(logs / "access.log.1")
    assert aforo("load", "access.log.1", *SITE).json["rows"] == 0
    (logs / "access.log.1.gz").write_bytes(gzip.compress((logs / "access.log.1").read_bytes()))
    assert aforo("load", "access.log.1.gz", *SITE).json["rows"] == 0
    assert aforo("load", written(log, lines[500:]), *SITE).json["accepted"] == len(lines) - 500
    again = aforo("load", "access.log.1.gz", *SITE, "--from-start").json
    assert (again["accepted"], again["duplicates"], again["begunAt"]) == (0, 500, 0)
    assert by(asked(aforo), None) == counted(lines, None)


def test_without_its_marks_or_under_another_salt_reading_again_adds_nothing(
    logs: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = site_log(3, 300)
    log = written(logs / "access.log", lines)
    aforo("load", log, *SITE)
    for mark in (logs / "aforo-data" / "access-log" / "marks").iterdir():
        mark.unlink()
    assert aforo("load", log, *SITE).json["duplicates"] == len(lines)
    monkeypatch.setenv("AFORO_ACCESS_LOG_SALT_DAYS", "1")
    monkeypatch.setenv("AFORO_ACCESS_LOG_SECRET", "another")
    again = aforo("load", log, *SITE, "--from-start").json
    assert (again["accepted"], again["duplicates"]) == (0, len(lines))
    assert by(asked(aforo), None) == counted(lines, None)


def test_bad_lines_and_one_still_written_are_told(logs: Path, aforo: Aforo) -> None:
    lines = site_log(4, 20)
    log = written(logs / "access.log", [*lines[:3], b"no line", *lines[3:]])
    log.write_bytes(log.read_bytes() + b"203.0.113.1 - - [30/Mar")
    told = aforo("load", log, "--tenant", "site")
    assert told.code == 2
    assert "line 4: wanted an address" in told.out
    assert "23 bytes of a last line that is not ended are left for the next time" in told.out
    again = aforo("load", log, "--tenant", "site")
    assert again.code == 0
    assert "read on from byte" in again.out


def test_through_a_server_it_is_the_same(logs: Path, aforo: Aforo) -> None:
    lines = site_log(5, 300)
    log = written(logs / "access.log", [*lines[:200], b"no line"])
    with serving(logs):
        first = aforo("load", log, *SITE)
        assert (first.code, first.json["accepted"], first.json["refused"]) == (2, 200, {"not_an_object": 1})
        assert aforo("load", log, *SITE).json["rows"] == 0
        written(log, [*lines[:200], b"no line", *lines[200:]])
        assert aforo("load", log, *SITE).json["accepted"] == len(lines) - 200
        assert aforo("load", written(logs / "none.log", [b"no", b"line"]), *SITE).json["accepted"] == 0
    again = aforo("load", log, *SITE, "--from-start").json
    assert (again["accepted"], again["duplicates"]) == (0, len(lines))
    assert by(asked(aforo), None) == counted(lines, None)


def test_nothing_personal_is_left_on_the_disk(logs: Path, aforo: Aforo) -> None:
    log = written(logs / "access.log", [*site_log(6, 50), b"203.0.113.77 is no line"])
    said = aforo("load", log, *SITE)
    assert "203.0.113" not in said.out + said.err
    kept = [path.read_bytes() for path in (logs / "aforo-data").rglob("*") if path.is_file()]
    assert kept
    assert not [True for content in kept if b"203.0.113" in content or b"Firefox" in content]


def test_words_that_do_not_fit(logs: Path, aforo: Aforo) -> None:
    log = written(logs / "access.log", site_log(7, 3))
    aforo("load", log).told_no("has no tenant column", "--tenant T")
    aforo("load", log, *SITE, "--map", "path=request").told_no("fields are fixed")
    aforo("load", log, *SITE, "--null", "-").told_no("fields are fixed")
    aforo("load", log, "--tenant", "site", "--site", "a b").told_no("wanted a host", "example.org")
    aforo("load", log, *SITE, "--stream", "request").told_no("did you mean 'requests'?")
    aforo("load", "acces.log", *SITE).told_no("there is no file acces.log", "did you mean 'access.log'?")
    (logs / "rows.csv").write_text("path\n/\n", encoding="utf-8")
    aforo("load", "rows.csv", *SITE).told_no("--site came with a file of csv", "--input access-log")
    aforo("load", "rows.csv", "--tenant", "site", "--from-start").told_no("--from-start came")
    (logs / "aforo.toml").write_text("packs = []\n", encoding="utf-8")
    aforo("load", log, *SITE).told_no("the pack weblog has it", "AFORO_PACKS=weblog")


def test_a_secret_that_is_damaged_is_told(logs: Path, aforo: Aforo) -> None:
    log = written(logs / "access.log", site_log(8, 3))
    assert aforo("load", log, *SITE).code == 0
    (root,) = (logs / "aforo-data" / "access-log" / "roots").iterdir()
    root.write_bytes(b"")
    aforo("load", log, *SITE).told_no("0 bytes, wanted 32", code=1)


def test_the_doctor_never_prints_the_secret(
    logs: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFORO_ACCESS_LOG_SECRET", "very-secret-words")
    said = aforo("doctor", "--format", "json")
    assert "very-secret-words" not in said.out + said.err
    assert "access_log.secret" in json.dumps(said.json)
