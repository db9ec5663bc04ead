"""An example of a summary for the reference: the Tuesday that the how-to page on sites works out."""

from __future__ import annotations

from aforo.http.about import Examples

_MOMENT = {
    "completeUntil": "2026-03-05T12:00:00+00:00",
    "staleSeconds": 0.0,
    "timezone": "UTC",
    "weekStart": "monday",
    "modelVersion": "cbd6d6a95eae",
}
_TO_ONE_PERCENT = {"relativeError": 0.00990099009900991}


def _part(
    source: str, rollup: str, rollup_hash: str, rows: int, exact: dict[str, object]
) -> dict[str, object]:
    """The proof of one of the answers that a summary is made of."""
    return {
        "source": source,
        "rollup": rollup,
        "rollupHash": rollup_hash,
        "grains": ["slot"] if source == "ledger" else ["day"],
        "rowsRead": rows,
        "considered": [
            {"rollup": rollup, "chosen": True, "why": "can serve, with 0 dimensions, the fewest"},
        ],
        **_MOMENT,
        "exact": exact,
        "commit": 1,
        "revision": 1,
        "tookMs": 1.9,
    }


SUMMARIES: Examples = {
    "A Tuesday beside the Monday before": {
        "ok": True,
        "window": {"from": "2026-03-03", "to": "2026-03-03"},
        "compareTo": {"from": "2026-03-02", "to": "2026-03-02"},
        "freshness": {
            "rolledUpThrough": "2026-03-04",
            "lagDays": 1,
            "generatedAt": "2026-03-05T12:00:00Z",
        },
        "metrics": {
            "uniqueVisitors": {"value": 3, "delta": 2.0},
            "returningVisitorsPct": {"value": 0.3333333333333333, "delta": None},
            "totalPageViews": {"value": 5, "delta": 4.0},
            "leadCaptureRate": {"value": 0.3333333333333333, "delta": None},
            "formCompletionRate": {"value": 0.5, "delta": None},
            "landingPageConversionRate": {"value": 0.25, "delta": None},
            "avgTimeToFirstCaptureHrs": {"value": 23.9, "delta": None},
            "trafficSourceMix": {"direct": 0.6, "organic_search": 0.2, "social": 0.2},
        },
        "ingest": {
            "successPct": 1.0,
            "p95TtfbMs": 239,
            "totalEventsAccepted": 10,
            "totalEventsRejected": 0,
        },
        "trend": [{"day": "2026-03-03", "uniqueVisitors": 3, "pageViews": 5, "newLeads": 1}],
        "proof": {
            **_MOMENT,
            "exact": {
                "uniqueVisitors": True,
                "returningVisitorsPct": True,
                "totalPageViews": True,
                "leadCaptureRate": True,
                "formCompletionRate": True,
                "landingPageConversionRate": True,
                "avgTimeToFirstCaptureHrs": True,
                "trafficSourceMix": True,
                "p95TtfbMs": _TO_ONE_PERCENT,
            },
            "comparison": {
                "compare": "previous",
                "from": "2026-03-02T00:00:00+00:00",
                "to": "2026-03-03T00:00:00+00:00",
                "sameElapsed": False,
            },
            "parts": {
                "traffic": _part(
                    "rollup",
                    "site",
                    "4299d9de17598af9",
                    3,
                    {"web_visitors": True, "web_ttfb_p95": _TO_ONE_PERCENT},
                ),
                "days": _part("rollup", "site", "4299d9de17598af9", 2, {"web_visitors": True}),
                "sources": _part("rollup", "sources", "fa55e4792b9004dd", 4, {"web_page_views": True}),
                "leads": _part("rollup", "new_leads", "1e67a301deac71ec", 1, {"web_new_leads": True}),
                "leadDays": _part("rollup", "new_leads", "1e67a301deac71ec", 1, {"web_new_leads": True}),
                "ingest": _part("ledger", "ledger", "c8126707fefd7708", 2, {"ingest_accepted": True}),
            },
            "tookMs": 12.7,
        },
    }
}
