"""`GET /api/project-metrics`: a module of a project by day or week, as its dashboard reads it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aforo.http import project_examples
from aforo.http.about import About, Content
from aforo.http.asking import ERRORS_OF_ADDRESSES, told
from aforo.http.caller import Caller, KeyScope
from aforo.http.door import Door
from aforo.http.project_events import PATH
from aforo.http.readings import Readings
from aforo.http.reply import Written
from aforo.packs.projects import PACK, STREAM
from aforo.packs.projects.asked import PARAMETERS, asked_of
from aforo.packs.projects.metrics import project_metrics
from aforo.packs.projects.reply import ProjectMetrics
from aforo.packs.together import require_pack
from aforo.questions.ask import Desk
from aforo.rollups.lag import FoldLag


def telling(desk: Desk, lag: FoldLag, readings: Readings) -> Door:
    """The way to the metrics of projects."""

    def read(request: Request, caller: Caller, askers: int) -> Written:
        asked = asked_of(request.query_params, caller.only_tenant)
        caller.require(asked.wedding_id)
        require_pack(desk.model, PACK, (STREAM,))
        return Written.of(project_metrics(desk.within(caller.budget), lag, asked, askers))

    async def answer(request: Request) -> Response:
        return await told(readings, request, lambda caller, askers: read(request, caller, askers))

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
