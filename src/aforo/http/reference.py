"""`GET /docs`: the reference as a page that needs nothing from elsewhere; its parts come from a wheel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from swagger_ui_bundle import swagger_ui_path

from aforo.errors import NotFound
from aforo.http.door import Door
from aforo.http.reply import HEADERS, JSON

ASSETS: Mapping[str, str] = MappingProxyType(
    {
        "swagger-ui-bundle.js": "text/javascript",
        "swagger-ui.css": "text/css",
        "favicon-32x32.png": "image/png",
    }
)
START = "start.js"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # the style sheet draws its arrows so
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Aforo: reference</title>
<link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<noscript>This page draws <a href="/openapi.json">/openapi.json</a> with JavaScript.</noscript>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/{START}"></script>
</body>
</html>
"""
# The validator of the page's library would send the address of the reference to a stranger.
SCRIPT = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
"""


def pages(document: Callable[[], Mapping[str, object]]) -> list[Door]:
    """The reference, what it is drawn from and with, and the way there from the server's root.

    The document is made when somebody asks for it first: a start need not wait for it.
    """

    @cache
    def content() -> bytes:
        return msgspec.json.encode(document())

    async def root(_request: Request) -> Response:
        return RedirectResponse("/docs", headers=HEADERS)

    async def page(_request: Request) -> Response:
        return HTMLResponse(PAGE, headers={**HEADERS, "Content-Security-Policy": POLICY})

    async def data(_request: Request) -> Response:
        return Response(content(), media_type=JSON, headers=HEADERS)

    async def asset(request: Request) -> Response:
        return _asset(request.path_params["name"])

    return [
        Door("GET", "/", "root", root, scope=None),
        Door("GET", "/docs", "docs", page, scope=None),
        Door("GET", "/openapi.json", "openapi", data, scope=None),
        Door("GET", "/docs/assets/{name}", "asset", asset, scope=None),
    ]


def _asset(name: str) -> Response:
    if name == START:
        return Response(SCRIPT, media_type="text/javascript", headers=HEADERS)
    if name not in ASSETS:  # only these: a name from outside never becomes a path
        raise NotFound(f"the reference has no part named {name[:100]!r}", hint="/docs is its page")
    nosniff = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}
    return FileResponse(Path(swagger_ui_path) / name, media_type=ASSETS[name], headers=nosniff)
