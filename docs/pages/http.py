"""Every route, from the app's own OpenAPI document."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aforo import __version__
from aforo.assembly import Aforo
from aforo.assembly.rooms import rooms
from aforo.clock import SystemClock
from aforo.http.app import Crew, doors_of
from aforo.http.openapi import SCOPE, document
from aforo.settings import Settings
from aforo.store.connect import Store
from pages.writing import as_json, block, code, codes, paragraphs, table

Json = Mapping[str, Any]

INTRO = """
# The HTTP API

A running server shows this reference with a place to try it at `/docs`, and the OpenAPI document behind
it at `/openapi.json`; both work without any network but the server's own.

What is sent and what comes back is JSON unless said otherwise. Everything the server says no to is a
[problem](errors.md) with a code. A parameter of the query string that a route does not know is an error
too. Instants are RFC 3339 with a zone; dates are `2013-01-31`.

A route of a scope wants a key that opens it: `Authorization: Bearer KEY` or `x-api-key: KEY`, on the
routes of an admin also `x-admin-key: KEY`. While a server on the loopback has no keys, `ingest` and `read`
are open to whoever is on the machine, and the others only to the command line.
[Keys](../how-to/keys.md) says how to make them.
"""


def page() -> str:
    """A table of all routes, then each with its body, its reply and the statuses it may have."""
    told = openapi()
    routes = [
        (method.upper(), path, operation)
        for path, operations in told["paths"].items()
        for method, operation in operations.items()
    ]
    rows = (
        (code(f"{method} {path}"), operation["summary"], operation.get(SCOPE, "open"))
        for method, path, operation in routes
    )
    parts = [INTRO, table(("route", "what it does", "scope"), rows)]
    for method, path, operation in routes:
        parts += _route(method, path, operation)
    return paragraphs(*parts, "## Shapes", *_shapes(told["components"]["schemas"]))


def openapi() -> Json:
    """The document of an app on real parts, over a directory that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="aforo-docs-") as folder:
        aforo = Aforo(replace(Settings(), data=Path(folder)), SystemClock())
        try:
            store = Store(Path(folder))
            crew = Crew.of(1)
            try:
                return document(doors_of(rooms(aforo, store), crew), __version__)
            finally:
                crew.stop()
                store.close()
        finally:
            aforo.stop()


def _route(method: str, path: str, operation: Json) -> list[str]:
    parameters = (
        (code(each["name"]), each["in"], each["description"]) for each in operation.get("parameters", ())
    )
    return [
        f"## `{method} {path}`",
        operation["description"],
        f"Needs a key of the scope {code(operation[SCOPE])}." if SCOPE in operation else "",
        table(("parameter", "in", "what it is"), parameters),
        *_body(operation.get("requestBody")),
        *_replies(operation["responses"]),
    ]


def _body(body: Json | None) -> list[str]:
    if body is None:
        return []
    kinds = " or ".join(
        f"{code(media_type)}{_named(content['schema'])}" for media_type, content in body["content"].items()
    )
    optional = "" if body["required"] else " It may be left out."
    return [f"**Body**: {kinds}.{optional}", _first_example(body["content"])]


def _replies(responses: Json) -> list[str]:
    (status, reply), *problems = responses.items()
    kinds = " or ".join(
        f"{code(media_type)}{_named(content['schema'])}" for media_type, content in reply["content"].items()
    )
    return [
        f"**Reply** {status}: {kinds}.",
        _first_example(reply["content"]),
        table(("other status", "why"), ((status, problem["description"]) for status, problem in problems)),
    ]


def _first_example(contents: Json) -> str:
    for content in contents.values():
        for example in content.get("examples", {}).values():
            value = example["value"]
            return block(value, "text") if isinstance(value, str) else as_json(value)
    return ""


def _shapes(schemas: Json) -> Iterable[str]:
    for name, schema in schemas.items():
        yield f"### {name}"
        yield schema.get("description", "")
        if "enum" in schema:
            yield f"One of {codes(schema['enum'])}."
        required = schema.get("required", ())
        yield table(
            ("key", "type", "default"),
            (
                (code(key), _type(part), "" if key in required else _default(part))
                for key, part in schema.get("properties", {}).items()
            ),
        )


def _default(schema: Json) -> str:
    match schema.get("default"):
        case None:
            return "none"
        case "" | [] | {}:
            return "empty"
        case value:
            return code(value)


def _named(schema: Json) -> str:
    """The shapes a body may have, as links; nothing where it is a plain text."""
    shapes = [_type(each) for each in schema.get("oneOf", [schema]) if "$ref" in each]
    return f" ({' or '.join(shapes)})" if shapes else ""


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            told = [kind for kind in schema[word] if kind.get("enum") != [None]]
            kinds = [_type({**kind, "nullable": False}) for kind in told]
            nullable = schema.get("nullable") or any(kind.get("nullable") for kind in schema[word])
            return " or ".join([*dict.fromkeys(kinds), *(["null"] if nullable else [])])
    text = str(schema.get("type", "anything"))
    if text == "array":
        items = schema.get("items") or {}
        text = f"list of {_type(items)}" if items else "list"
    elif text == "object" and isinstance(schema.get("additionalProperties"), dict):
        text = f"object of {_type(schema['additionalProperties'])}"
    return f"{text} or null" if schema.get("nullable") else text
