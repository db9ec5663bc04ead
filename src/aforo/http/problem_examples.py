"""Examples of problems for the reference, one for each code that a caller may meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PROBLEM = "urn:aforo:problem:"
PROBLEMS: Mapping[str, Mapping[str, Any]] = {
    "A parameter that is not known": {
        "type": f"{_PROBLEM}unknown_name",
        "title": "A name in the request is not known",
        "status": 400,
        "detail": "there is no parameter named 'form'",
        "code": "unknown_name",
        "hint": "did you mean 'from'?",
        "errors": [
            {"path": "form", "code": "unknown_name", "message": "there is no parameter named 'form'"},
        ],
    },
    "No JSON": {
        "type": f"{_PROBLEM}not_json",
        "title": "The body is not JSON",
        "status": 400,
        "detail": "the body is not JSON that can be read: Input data was truncated",
        "code": "not_json",
    },
    "No key": {
        "type": f"{_PROBLEM}unauthorized",
        "title": "The request does not show who sends it",
        "status": 401,
        "detail": "this address needs a key, and none came",
        "code": "unauthorized",
        "hint": "send 'Authorization: Bearer KEY' or 'x-api-key: KEY'",
    },
    "A page elsewhere": {
        "type": f"{_PROBLEM}forbidden",
        "title": "This may not be asked from there, or with that key",
        "status": 403,
        "detail": "a page of 'https://example.org' may not call this server",
        "code": "forbidden",
        "hint": "only pages that this machine serves itself may, and those of access.cors_origins",
    },
    "Another's tenant": {
        "type": f"{_PROBLEM}not_your_tenant",
        "title": "This is another tenant's",
        "status": 403,
        "detail": "this key may not ask of tenant 'boston'",
        "code": "not_your_tenant",
        "hint": "it is bound to nyc",
    },
    "No such metric": {
        "type": f"{_PROBLEM}not_found",
        "title": "There is nothing at this address",
        "status": 404,
        "detail": "there is no metric named 'distance_totl'",
        "code": "not_found",
        "hint": "did you mean 'distance_total'?",
    },
    "A reply as a page": {
        "type": f"{_PROBLEM}not_acceptable",
        "title": "None of the wanted kinds of reply is given",
        "status": 406,
        "detail": "Accept is 'text/html'",
        "code": "not_acceptable",
        "hint": "this is given as application/json, text/csv, application/vnd.apache.arrow.stream, "
        "application/vnd.apache.parquet",
    },
    "A body that does not come": {
        "type": f"{_PROBLEM}body_too_slow",
        "title": "The body did not come in time",
        "status": 408,
        "detail": "after 30 s the body was not whole",
        "code": "body_too_slow",
        "hint": "send it again, faster or in smaller parts, or raise http.body_seconds",
    },
    "A backfill beside another": {
        "type": f"{_PROBLEM}conflict",
        "title": "This does not go with what is under way",
        "status": 409,
        "detail": "backfill bf_5d2f0c9a1b7e4f36 of flights runs for tenant nyc already",
        "code": "conflict",
        "hint": "wait for it, or end it: aforo backfill cancel bf_5d2f0c9a1b7e4f36",
    },
    "Too many events": {
        "type": f"{_PROBLEM}body_too_large",
        "title": "The body is too large",
        "status": 413,
        "detail": "10,001 events came in one request, and 10,000 may",
        "code": "body_too_large",
        "hint": "send them in several requests: what is repeated counts once",
    },
    "A form": {
        "type": f"{_PROBLEM}unsupported_body",
        "title": "The body is of a kind that is not taken",
        "status": 415,
        "detail": "a body of 'application/x-www-form-urlencoded' came, wanted application/json",
        "code": "unsupported_body",
        "hint": "send 'Content-Type: application/json'",
    },
    "Too many rows": {
        "type": f"{_PROBLEM}question_too_large",
        "title": "The question is too large",
        "status": 422,
        "detail": "the answer would have 140,160 rows, and it may have 100,000",
        "code": "question_too_large",
        "hint": "ask a shorter window, a coarser grain or fewer groups ('where')",
    },
    "Too often": {
        "type": f"{_PROBLEM}too_many_requests",
        "title": "Requests come too often",
        "status": 429,
        "detail": "more than 100 requests came at once from this page",
        "code": "too_many_requests",
        "hint": "wait for Retry-After; in the long run 20 a second may come",
    },
    "A mistake of the server": {
        "type": f"{_PROBLEM}internal_error",
        "title": "Something went wrong in the server",
        "status": 500,
        "detail": "the request could not be finished; the server's log says why",
        "code": "internal_error",
    },
    "No admin key": {
        "type": f"{_PROBLEM}admin_auth_not_configured",
        "title": "No key opens this address yet",
        "status": 503,
        "detail": "no key is there that opens operate, so this address stays shut",
        "code": "admin_auth_not_configured",
        "hint": "set ADMIN_API_KEY, or run: aforo keys create NAME --scope admin",
    },
    "Full for a moment": {
        "type": f"{_PROBLEM}intake_full",
        "title": "The server takes no more events at the moment",
        "status": 503,
        "detail": "198000 rows wait to be committed and 200000 may; nothing was taken",
        "code": "intake_full",
        "hint": "send the same batch again after Retry-After: what was taken before counts once",
    },
    "Over time": {
        "type": f"{_PROBLEM}time_limit",
        "title": "The question ran longer than it may",
        "status": 504,
        "detail": "the question was stopped after 30 s",
        "code": "time_limit",
        "hint": "ask a shorter window, or raise questions.time_limit_seconds",
    },
}
