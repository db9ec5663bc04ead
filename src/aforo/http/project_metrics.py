"""`GET /api/project-metrics`: a module of a project by day or week, as its dashboard reads it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aforo.http import project_examples
from aforo.http.about import About, Content
from aforo.http.asking import ERRORS_OF_ADDRESSES
from aforo.http.caller import Caller, KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.project_events import PATH
from aforo.http.reply import json_reply
from aforo.packs.projects import PACK, STREAM
from aforo.packs.projects.asked import PARAMETERS, asked_of
from aforo.packs.projects.metrics import project_metrics
from aforo.packs.projects.reply import ProjectMetrics
from aforo.packs.together import require_pack
from aforo.questions.ask import Desk
from aforo.rollups.lag import FoldLag


def telling(desk: Desk, lag: FoldLag, hands: Hands) -> Door:
    """The way to the metrics of projects."""

    def work(request: Request, caller: Caller) -> Response:
        asked = asked_of(request.query_params, caller.only_tenant)
        caller.require(asked.wedding_id)
        require_pack(desk.model, PACK, (STREAM,))
        return json_reply(project_metrics(desk.within(caller.budget), lag, asked))

    async def answer(request: Request) -> Response:
        caller = caller_of(request)
        return await hands.do(lambda: work(request, caller))

    return Door("GET", PATH, "getProjectMetrics", answer, ABOUT, tuple(PARAMETERS), scope=KeyScope.READ)


ABOUT = About(
    tag="Questions",
    summary="Tell a project's metrics",
    description=(
        "A module of a project by day or week, of the pack `projects`: each day of the range is there, with "
        "zeros where nothing happened. Which columns a point has depends on the module; one that the pack "
        "does not know has `events`, `alerts` and `errors`, which the totals of every module have. "
        "`breakdown` has the 500 events that happened most often; `breakdownOther`, where there are more, "
        "those left. Days and weeks are the tenant's."
    ),
    query=PARAMETERS,
    reply=Content("application/json", (ProjectMetrics,), project_examples.METRICS),
    errors=ERRORS_OF_ADDRESSES,
)
