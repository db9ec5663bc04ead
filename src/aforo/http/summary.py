"""`GET /v1/metrics/summary`: a site's numbers at a glance, as dashboards of sites read them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aforo.http import summary_example
from aforo.http.about import About, Content
from aforo.http.access.bearing import OF_ADMINS
from aforo.http.asking import ERRORS_OF_ADDRESSES, told
from aforo.http.caller import Caller, KeyScope
from aforo.http.door import Door
from aforo.http.readings import Readings
from aforo.http.reply import Written
from aforo.packs.web.asked import PARAMETERS, asked_of
from aforo.packs.web.reply import Summary
from aforo.packs.web.summary import summary
from aforo.questions.ask import Desk
from aforo.settings import Web


def summing_up(desk: Desk, readings: Readings, settings: Web) -> Door:
    """The way to the summary."""

    def read(request: Request, caller: Caller, askers: int) -> Written:
        asked = asked_of(request.query_params, caller.only_tenant or settings.default_property)
        caller.require(asked.property_id)
        return Written.of(summary(desk.within(caller.budget), asked, askers))

    async def answer(request: Request) -> Response:
        return await told(readings, request, lambda caller, askers: read(request, caller, askers))

    return Door(
        "GET",
        "/v1/metrics/summary",
        "getSummary",
        answer,
        ABOUT,
        tuple(PARAMETERS),
        scope=KeyScope.READ,
        places=OF_ADMINS,
        flagged=True,
    )


ABOUT = About(
    tag="Questions",
    summary="Sum up a site",
    description=(
        "Visitors, page views, forms, leads and sources of one site over days, from the streams of the pack "
        "`web`, beside another window where that is asked: `delta` is (current - other) / other, and null "
        "without another or where that is zero. Visitors are those of the whole window, each counted once; "
        "who returns was there before it began. A window that is not over is compared with as much of the "
        "other. A key of scope `read` opens it, or an admin's as `x-admin-key`. Problems say `ok` and "
        "`error` too."
    ),
    query=PARAMETERS,
    reply=Content("application/json", (Summary,), summary_example.SUMMARIES),
    errors=ERRORS_OF_ADDRESSES,
)
