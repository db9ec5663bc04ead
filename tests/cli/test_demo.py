"""The README's first command: what `make demo SERVE=0` runs, and that what it leaves can be asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.cli.conftest import Aforo

ALL_FLIGHTS = 336_776


def test_the_demonstration_tells_flights_and_a_made_up_site(
    aforo: Aforo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = aforo("demo", "--no-serve")
    assert shown.code == 0, shown
    told = " ".join(shown.out.split())
    assert f"{ALL_FLIGHTS:,} flights were to leave New York in 2013 and 8,255 never departed" in told
    site = re.search(r"demo-site is made up.* In 30 days ([\d,]+) visitors, ([\d,]+) of whom", told)
    assert site is not None, told

    def asked(metric: str, tenant: str, *more: str) -> dict[str, object]:
        answer: dict[str, object] = aforo("ask", metric, "--tenant", tenant, *more, "--format", "json").json
        return answer

    year = ("--from", "2013-01-01", "--to", "2013-12-31")
    assert asked("flights", "nyc", *year)["rows"] == [{"flights": ALL_FLIGHTS}]
    visitors = asked("web_visitors", "demo-site")
    assert visitors["rows"] == [{"web_visitors": int(site[1].replace(",", ""))}]
    assert visitors["proof"]["simulated"] is True  # type: ignore[index]
    assert "simulated" not in asked("flights", "nyc", *year)["proof"]  # type: ignore[operator]
