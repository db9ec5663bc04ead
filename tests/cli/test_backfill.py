"""`aforo backfill`: on the directory and through the server that holds it, with the same words."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Aforo, serving
from tests.cli.shop import ORDERS, csv_file

WINDOW = ("orders", "--tenant", "corner", "--from", "2024-03-01", "--to", "2024-03-02")


def test_backfills_of_a_directory(folder: Path, aforo: Aforo) -> None:
    aforo("load", csv_file(folder / "orders.csv", ORDERS), "--tenant", "corner", "--stream", "orders")
    plan = aforo("backfill", "plan", *WINDOW, "--format", "json").json
    assert (plan["slots"], plan["events"]) == (4, 4)
    assert "4 slots with 4 events" in aforo("backfill", "plan", *WINDOW).err
    done = aforo("backfill", "run", *WINDOW, "--format", "json").json
    assert (done["state"], done["slotsDone"], done["eventsDone"]) == ("done", 4, 4)
    assert [each["id"] for each in aforo("backfill", "status", "--format", "json").json["backfills"]] == [
        done["id"]
    ]
    assert aforo("backfill", "status", done["id"], "--format", "json").json == done
    assert "done" in aforo("backfill", "status", done["id"]).out
    aforo("backfill", "pause", done["id"]).told_no("is done and cannot be paused")
    aforo("backfill", "resume", "bf_x").told_no("no backfill with the id 'bf_x'")
    aforo("backfill", "run", "order").told_no("did you mean 'orders'?")
    wrong = aforo("backfill", "plan", "orders", "--from", "2024-02-30", "--to", "soon")
    wrong.told_no("from: '2024-02-30' is not a date", "to: 'soon' is not a date")
    assert wrong.err.count("soon") == 1  # and not again as a fault
    aforo("backfill", "run", "orders", "--from", "2020-01-01", "--to", "2020-01-02").told_no("nothing of")


def test_backfills_through_the_server(folder: Path, aforo: Aforo) -> None:
    aforo("load", csv_file(folder / "orders.csv", ORDERS), "--tenant", "corner", "--stream", "orders")
    with serving(folder):
        plan = aforo("backfill", "plan", *WINDOW, "--format", "json").json
        assert (plan["slots"], plan["events"]) == (4, 4)
        begun = aforo("backfill", "run", *WINDOW, "--format", "json").json
        aforo("backfill", "pause", begun["id"])
        aforo("backfill", "resume", begun["id"])
        assert aforo("backfill", "status", begun["id"], "--format", "json").json["slots"] == 4
        aforo("backfill", "cancel", "bf_x").told_no("no backfill with the id 'bf_x'")
        assert len(aforo("backfill", "status", "--format", "json").json["backfills"]) == 1
