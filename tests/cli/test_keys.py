"""`aforo keys`: on the directory and through the server that holds it, with the same words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Aforo, serving


def test_keys_of_a_directory(folder: Path, aforo: Aforo) -> None:
    made = aforo("keys", "create", "reports", "--scope", "read", "--tenant", "corner")
    assert (made.code, len(made.out.strip()), made.out[:6]) == (0, 49, "aforo_")
    page = aforo(
        "keys", "create", "page", "--public", "--tenant", "corner", "--origin", "*", "--format", "json"
    )
    assert page.json["key"]["scopes"] == ["ingest"]
    listed = aforo("keys", "list", "--format", "json")
    assert [key["name"] for key in listed.json["keys"]] == ["page", "reports"]
    assert made.out.strip() not in listed.out
    more = aforo("keys", "list", "--limit", "1")
    assert "--cursor" in more.err
    revoked = aforo("keys", "revoke", page.json["key"]["id"], "--format", "json")
    assert revoked.json["state"] == "revoked"
    acts = aforo("keys", "audit", "--format", "json").json["acts"]
    assert [act["action"] for act in acts] == ["key_revoked", "key_created", "key_created"]


def test_mistakes_with_keys(folder: Path, aforo: Aforo) -> None:
    aforo("keys", "create", "x").told_no("scopes: wanted one or more of ingest")
    aforo("keys", "create", "x", "--scope", "reed").told_no("scopes are ingest, read")
    aforo("keys", "create", "x", "--public", "--tenant", "a").told_no("lists the origins of its pages")
    aforo("keys", "revoke", "key_x").told_no("no key with the id 'key_x'")
    aforo("keys", "list", "--limit", "0").told_no("limit: came '0', wanted 1 to 1000", "leave it out for 100")


def test_keys_through_the_server_shut_it_at_once(
    folder: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(folder) as (_, url):
        made = aforo("keys", "create", "reports", "--scope", "read", "--tenant", "corner", "--format", "json")
        assert aforo("keys", "list", "--format", "json").json["keys"] == [made.json["key"]]
        assert aforo("keys", "audit", "--format", "json").json["acts"][0]["actor"] == "command line"
        assert aforo("fold").code == 0
        monkeypatch.setenv("AFORO_URL", url)
        ask = ("ask", "revenue", "--from", "2024-03-01", "--to", "2024-03-02", "--tenant")
        aforo(*ask, "corner").told_no("needs a key, and none came", code=1)
        monkeypatch.setenv("AFORO_KEY", made.json["secret"])
        aforo(*ask, "other").told_no("may not ask of tenant 'other'", code=1)
        assert aforo(*ask, "corner").code == 0
        aforo("keys", "list").told_no("opens read, and this address needs admin", code=1)
        assert aforo("keys", "revoke", made.json["key"]["id"]).code == 1


def test_a_server_that_others_reach_wants_a_key_first(
    folder: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch
) -> None:
    aforo("serve", "--host", "0.0.0.0", "--port", "0").told_no("no key is there", "aforo keys create")
