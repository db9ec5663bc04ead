"""Examples of keys for the reference, and of what the audit tells of them."""

from __future__ import annotations

from aforo.http.examples import Examples

_REPORTS_KEY = {
    "id": "key_5d2f0c9a1b7e4f36",
    "name": "reports",
    "principal": {"kind": "team", "name": "network planning"},
    "kind": "secret",
    "scopes": ["read"],
    "tenants": ["nyc"],
    "origins": [],
    "requestsPerSecond": None,
    "burstRequests": None,
    "rawRows": None,
    "rawBytes": None,
    "state": "good",
    "createdAt": "2013-02-01T00:00:00+00:00",
    "expiresAt": "2014-02-01T00:00:00+00:00",
    "revokedAt": None,
    "lastUsedAt": None,
}
KEYS_ASKED: Examples = {
    "For a report of one tenant": {
        "name": "reports",
        "scopes": ["read"],
        "tenants": ["nyc"],
        "principal": {"kind": "team", "name": "network planning"},
        "expiresAt": "2014-02-01T00:00:00Z",
    },
    "For a page": {
        "name": "departures page",
        "kind": "public",
        "tenants": ["nyc"],
        "origins": ["https://departures.example"],
    },
}
KEYS_MADE: Examples = {
    "For a report of one tenant": {"secret": "aforo_(told this once)", "key": _REPORTS_KEY}
}
KEYS: Examples = {"Revoked": {**_REPORTS_KEY, "state": "revoked", "revokedAt": "2013-02-01T00:00:00+00:00"}}
KEY_LISTS: Examples = {"One key": {"keys": [_REPORTS_KEY], "nextCursor": None}}
AUDITS: Examples = {
    "A key was made": {
        "acts": [
            {
                "id": 1,
                "at": "2013-02-01T00:00:00+00:00",
                "action": "key_created",
                "actor": "command line",
                "address": "127.0.0.1",
                "subject": "key_5d2f0c9a1b7e4f36",
                "detail": "reports: secret, read, for nyc",
            }
        ],
        "nextCursor": None,
    }
}
