"""The reference as data: OpenAPI 3.0 of all doors.

3.0 and not 3.1, because the reference page's library reads no newer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from inspect import cleandoc

import msgspec

from aforo.errors import AforoError, Forbidden, NotAuthorised, UnknownName
from aforo.http import problems
from aforo.http.about import About, Content
from aforo.http.door import Door
from aforo.http.problem_examples import PROBLEMS
from aforo.http.problems import Problem

VERSION = "3.0.3"
TOKEN = "startToken"  # noqa: S105  (the name of a scheme)
_SCHEMAS = "#/components/schemas/"

Json = dict[str, object]


def document(doors: Iterable[Door], version: str) -> Json:
    """The whole reference: a path for each door that has something to say, and every schema it names."""
    told = [(door, door.about) for door in doors if door.about is not None]
    paths: dict[str, Json] = {}
    for door, about in told:
        paths.setdefault(door.path, {})[door.method.lower()] = _operation(door, about)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Aforo",
            "version": version,
            "description": "Product events in, metrics that carry their proof out.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(about.tag for _, about in told)],
        "paths": paths,
        "components": {
            "schemas": schemas([Problem, *_types(about for _, about in told)]),
            "securitySchemes": {
                TOKEN: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of this start of the server; the command line finds it itself.",
                }
            },
        },
    }


def schemas(types: Iterable[type]) -> Json:
    """The schemas of types and of all that they are made of, by name."""
    unique = list(dict.fromkeys(types))
    _, found = msgspec.json.schema_components(unique, ref_template=_SCHEMAS + "{name}")
    return {name: as_3_0(schema) for name, schema in sorted(found.items())}


def as_3_0(schema: object) -> object:
    """A JSON Schema in the words that OpenAPI 3.0 has for it: `nullable` in the place of a type `null`."""
    if isinstance(schema, list):
        return [as_3_0(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    turned = {key: as_3_0(value) for key, value in schema.items() if key != "anyOf"}
    if turned.get("required") == []:
        del turned["required"]
    description = turned.get("description")
    if isinstance(description, str):
        turned["description"] = cleandoc(description)
    if "anyOf" not in schema:
        return turned
    kinds = [as_3_0(kind) for kind in schema["anyOf"] if kind != {"type": "null"}]
    nullable = len(kinds) < len(schema["anyOf"])
    return {**turned, **_one_of(kinds, nullable=nullable)}


def _one_of(kinds: Sequence[object], *, nullable: bool) -> Json:
    if not nullable:
        return {"anyOf": list(kinds)}
    # `nullable` says something only where a type stands beside it, and a name has none.
    shown = [{**kind, "nullable": True} if _typed(kind) else kind for kind in map(_as_object, kinds)]
    if not any(_typed(kind) for kind in shown):
        shown.append({"type": "object", "nullable": True, "enum": [None]})
    return shown[0] if len(shown) == 1 else {"anyOf": shown}


def _typed(schema: Json) -> bool:
    return "type" in schema


def _as_object(schema: object) -> Json:
    assert isinstance(schema, dict), "a schema is an object"
    return schema


def _types(abouts: Iterable[About]) -> Iterable[type]:
    for about in abouts:
        for content in (*about.body, about.reply):
            yield from content.types


def _operation(door: Door, about: About) -> Json:
    operation: Json = {
        "operationId": door.name,
        "tags": [about.tag],
        "summary": about.summary,
        "description": about.description,
        "responses": _responses(about, guarded=door.token is not None),
    }
    if about.path or about.query:
        operation["parameters"] = [
            *(_parameter("path", name, text) for name, text in about.path.items()),
            *(_parameter("query", name, text) for name, text in about.query.items()),
        ]
    if about.body:
        contents = {content.media_type: _content(content) for content in about.body}
        operation["requestBody"] = {"required": not about.body_optional, "content": contents}
    if door.token is not None:
        operation["security"] = [{TOKEN: []}]
    return operation


def _parameter(place: str, name: str, text: str) -> Json:
    required = place == "path"
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": text,
        "schema": {"type": "string"},
    }


def _responses(about: About, *, guarded: bool) -> Json:
    reply = {"description": about.summary, "content": {about.reply.media_type: _content(about.reply)}}
    always: tuple[type[AforoError], ...] = (UnknownName, Forbidden, *((NotAuthorised,) if guarded else ()))
    by_status: dict[int, list[type[AforoError]]] = {}
    for error in dict.fromkeys((*always, *about.errors, AforoError)):
        by_status.setdefault(problems.kind_of(error).status, []).append(error)
    return {
        str(about.status): reply,
        **{str(status): _problem(status, by_status[status]) for status in sorted(by_status)},
    }


def _problem(status: int, errors: Sequence[type[AforoError]]) -> Json:
    titles = dict.fromkeys(problems.kind_of(error).title for error in errors)
    codes = {problems.code_of(error) for error in errors}
    shown = {name: value for name, value in PROBLEMS.items() if value["code"] in codes}
    content = Content(problems.MEDIA_TYPE, (Problem,), shown)
    response: Json = {"description": "; ".join(titles), "content": {content.media_type: _content(content)}}
    headers = {
        401: ("WWW-Authenticate", "How to show who sends it.", "string"),
        503: ("Retry-After", "Seconds after which to send the same again.", "integer"),
    }
    if status in headers:
        name, text, kind = headers[status]
        response["headers"] = {name: {"description": text, "schema": {"type": kind}}}
    return response


def _content(content: Content) -> Json:
    names = [{"$ref": _SCHEMAS + each.__name__} for each in content.types]
    schema: Json = {"type": "string"}
    if names:
        schema = dict(names[0]) if len(names) == 1 else {"oneOf": names}
    examples = {title: {"value": value} for title, value in content.examples.items()}
    return {"schema": schema, **({"examples": examples} if examples else {})}
