"""Which columns the points of a module have: a module, a line; each column is a metric of the pack."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Columns = Mapping[str, str]

ANY: Columns = MappingProxyType(
    {"events": "project_events", "alerts": "project_alerts", "errors": "project_errors"}
)
"""The totals of every module, and the points of one that is not listed."""

MODULES: Mapping[str, Columns] = MappingProxyType(
    {
        "finance": {
            "alerts": "project_alerts",
            "transactions": "project_transactions",
            "overBudget": "project_over_budget",
        },
        "emailMetrics": {
            "sent": "project_mails_sent",
            "opened": "project_mails_opened",
            "clicked": "project_mails_clicked",
            "bounced": "project_mails_bounced",
        },
        "gamification": {
            "pointsAwarded": "project_points_awarded",
            "achievements": "project_achievements",
            "levels": "project_levels",
        },
        "websiteEvents": {
            "pageViews": "project_page_views",
            "formSubmits": "project_form_submits",
            "conversions": "project_conversions",
        },
        "publicSites": {
            "published": "project_sites_published",
            "visits": "project_site_visits",
            "rsvps": "project_rsvps",
        },
        "aiBudgetAdvisorSessions": {
            "sessions": "project_sessions",
            "completed": "project_sessions_completed",
            "accepted": "project_recommendations_accepted",
        },
    }
)


def columns_of(module: str) -> Columns:
    """The columns of a module's points, by name."""
    return MODULES.get(module, ANY)
