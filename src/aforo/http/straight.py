"""Finding the route of a request at once where its path has no names in it, as most have not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.routing import Match, Route, Router
from starlette.types import Receive, Scope, Send


class Straight(Router):
    """The framework's router, which tries one route after the other; but first those of just this path."""

    def __init__(
        self, routes: Sequence[Route], lifespan: Callable[[Any], AbstractAsyncContextManager[None]]
    ) -> None:
        super().__init__(routes, redirect_slashes=False, lifespan=lifespan)
        self._of_path: defaultdict[str, list[Route]] = defaultdict(list)
        for route in routes:
            if not route.param_convertors:
                self._of_path[route.path].append(route)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or says no as the framework does."""
        for route in self._of_path.get(scope.get("path", ""), ()):
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found, router=self, route=route)
                await route.handle(scope, receive, send)
                return
        await super().app(scope, receive, send)
