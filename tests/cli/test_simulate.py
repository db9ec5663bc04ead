"""`aforo simulate`: a site made up twice is one site, in its own zone, and says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Aforo

WEB = ("simulate", "web", "--days", "2", "--rate", "40", "--to", "2026-02-13")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the pack in its settings and a made-up tenant in Auckland."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "aforo.toml").write_text('packs = ["web"]\n', encoding="utf-8")
    models = tmp_path / "aforo-data" / "models"
    models.mkdir(parents=True)
    (models / "site.yaml").write_text(
        "tenants:\n  demo_kiwi: {timezone: Pacific/Auckland}\n", encoding="utf-8"
    )
    return tmp_path


def test_making_it_up_again_changes_nothing(aforo: Aforo, site: Path) -> None:
    assert site.is_dir()
    first = aforo(*WEB, "--tenant", "demo_kiwi", "--format", "json").json
    again = aforo(*WEB, "--tenant", "demo_kiwi", "--no-fold")
    assert (first["refused"], first["accepted"] > 40) == ({}, True)
    assert "aforo ask web_visitors,web_page_views --tenant demo_kiwi" in again.out
    dates = ("--from", "2026-02-12", "--to", "2026-02-13")
    reply = aforo(
        "ask", "web_page_views", "--tenant", "demo_kiwi", *dates, "--grain", "day", "--format", "json"
    ).json
    assert sum(row["web_page_views"] for row in reply["rows"]) > 0.8 * first["accepted"]
    assert (reply["proof"]["timezone"], reply["proof"]["simulated"]) == ("Pacific/Auckland", True)
    told = aforo("ask", "web_page_views", "--tenant", "demo_kiwi", *dates)
    assert "of made-up data" in told.out


def test_what_cannot_be_made_up(aforo: Aforo, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aforo(*WEB, "--tenant", "kiwi").told_no("does not say that it is made up", "demo-kiwi")
    aforo("simulate", "wbe").told_no("did you mean 'web'?")
    monkeypatch.setenv("AFORO_PACKS", "flights")
    aforo(*WEB).told_no("is not among the packs", "AFORO_PACKS=flights,web")
    assert not (site / "aforo-data" / "events.duckdb").exists()
