"""The reference as data: OpenAPI 3.0 of all doors.

3.0 and not 3.1, because the reference page's library reads no newer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from inspect import cleandoc
from types import MappingProxyType

import msgspec

from aforo.errors import (
    AdminAuthNotConfigured,
    AforoError,
    Forbidden,
    NotAuthorised,
    NotYourTenant,
    StorageError,
    TooManyRequests,
    UnknownName,
)
from aforo.http import problems
from aforo.http.about import About, Content
from aforo.http.access.bearing import ADMIN_KEY, API_KEY, WRITE_KEY, Place
from aforo.http.door import Door
from aforo.http.problem_examples import PROBLEMS
from aforo.http.problems import FlaggedProblem, Problem

Json = dict[str, object]
VERSION = "3.0.3"
SCHEMES: Mapping[Place, tuple[tuple[str, Json], ...]] = MappingProxyType(
    {
        Place.HEADER: (
            ("bearer", {"type": "http", "scheme": "bearer", "description": "A key, or the start's token."}),
            ("apiKey", {"type": "apiKey", "in": "header", "name": API_KEY}),
        ),
        Place.ADMIN_HEADER: (("adminKey", {"type": "apiKey", "in": "header", "name": ADMIN_KEY}),),
        Place.BASIC: (
            ("basic", {"type": "http", "scheme": "basic", "description": "A key as the user, no password."}),
        ),
        Place.QUERY: (("writeKey", {"type": "apiKey", "in": "query", "name": WRITE_KEY}),),
    }
)
"""How a key may be shown; one in a form is a field of its body."""
_SCHEMAS = "#/components/schemas/"
_RETRY_AFTER = ("Retry-After", "Seconds after which to send the same again.", "integer")
SCOPE = "x-aforo-scope"


def document(doors: Iterable[Door], version: str) -> Json:
    """The whole reference: a path for each door that has something to say, and every schema it names."""
    told = [(door, door.about) for door in doors if door.about is not None]
    paths: dict[str, Json] = {}
    for door, about in told:
        paths.setdefault(door.shown_path, {})[door.method.lower()] = _operation(door, about)
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
            "schemas": schemas([Problem, FlaggedProblem, *_types(about for _, about in told)]),
            "securitySchemes": {name: scheme for schemes in SCHEMES.values() for name, scheme in schemes},
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
        "responses": _responses(door, about),
    }
    parameters = [
        *(_parameter("path", name, text) for name, text in about.path.items()),
        *(_parameter("query", name, text) for name, text in about.query.items()),
    ]
    if parameters:
        operation["parameters"] = parameters
    if about.body:
        contents = {content.media_type: _content(content) for content in about.body}
        operation["requestBody"] = {"required": not about.body_optional, "content": contents}
    if door.lock is not None:
        places = [place for place in SCHEMES if place in door.lock.places]
        operation["security"] = [{name: []} for place in places for name, _ in SCHEMES[place]]
        operation[SCOPE] = str(door.lock.scope)
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


def _refusals(door: Door) -> tuple[type[AforoError], ...]:
    """What whoever asks may be told before the route itself is asked."""
    if door.lock is None:
        return UnknownName, Forbidden
    admin = (AdminAuthNotConfigured,) if door.lock.takes_admins else ()
    tenants = (NotYourTenant,) if door.across_tenants else ()
    # A key is looked up in the store, and a use of it may have to be written there.
    return UnknownName, Forbidden, NotAuthorised, TooManyRequests, *admin, *tenants, StorageError


def _responses(door: Door, about: About) -> Json:
    contents = {each.media_type: _content(each) for each in (about.reply, *about.also)}
    reply: Json = {"description": about.summary, "content": contents}
    if about.headers:
        reply["headers"] = _headers((name, text, "string") for name, text in about.headers.items())
    by_status: dict[int, list[type[AforoError]]] = {}
    for error in dict.fromkeys((*_refusals(door), *about.errors, AforoError)):
        by_status.setdefault(problems.kind_of(error).status, []).append(error)
    return {
        str(about.status): reply,
        **{str(status): _problem(status, by_status[status], door) for status in sorted(by_status)},
    }


def _problem(status: int, errors: Sequence[type[AforoError]], door: Door) -> Json:
    titles = dict.fromkeys(problems.kind_of(error).title for error in errors)
    codes = {problems.code_of(error) for error in errors}
    shown = {name: dict(value) for name, value in PROBLEMS.items() if value["code"] in codes}
    if door.flagged:
        shown = {name: {**value, "ok": False, "error": value["code"]} for name, value in shown.items()}
    shape = FlaggedProblem if door.flagged else Problem
    content = Content(problems.MEDIA_TYPE, (shape,), shown)
    response: Json = {"description": "; ".join(titles), "content": {content.media_type: _content(content)}}
    headers = {
        401: (("WWW-Authenticate", "How to show who sends it.", "string"),),
        429: (
            _RETRY_AFTER,
            ("RateLimit-Policy", "The limit: its name, q requests in w seconds.", "string"),
            ("RateLimit", "What is left of it: r requests, and t seconds until that changes.", "string"),
        ),
        503: (_RETRY_AFTER,),
    }
    if status in headers:
        response["headers"] = _headers(headers[status])
    return response


def _headers(told: Iterable[tuple[str, str, str]]) -> Json:
    """Headers by name, from their names, what they say, and their types."""
    return {name: {"description": text, "schema": {"type": kind}} for name, text, kind in told}


def _content(content: Content) -> Json:
    names = [{"$ref": _SCHEMAS + each.__name__} for each in content.types]
    schema: Json = {"type": "string", **({"format": "binary"} if content.binary else {})}
    if names:
        schema = dict(names[0]) if len(names) == 1 else {"oneOf": names}
    examples = {title: {"value": value} for title, value in content.examples.items()}
    return {"schema": schema, **({"examples": examples} if examples else {})}
