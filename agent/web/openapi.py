"""The OpenAPI 3.1 document and the table for the documentation, made from the registry."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, Literal

from openapi_pydantic import (
    Components,
    Info,
    MediaType,
    OpenAPI,
    Operation,
    Parameter,
    PathItem,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
    Tag,
)
from pydantic import BaseModel, TypeAdapter

from agent.web.body import FORM, JSON
from agent.web.problem import MEDIA_TYPE, ProblemBody
from agent.web.routes import Route, Shape

_REFERENCE = "#/components/schemas/{model}"
_PART = re.compile(r"{(\w+)[^}]*}")
_ALWAYS = (400, 401, 403, 503)
_WITH_BODY = (408, 413, 415)


def document(routes: Sequence[Route], version: str) -> str:
    """The whole document as JSON."""
    described = _describe(routes)
    paths: dict[str, PathItem] = {}
    for route in routes:
        item = paths.setdefault(route.path, PathItem())
        setattr(item, route.method.lower(), _operation(route, described))
    api = OpenAPI(
        openapi="3.1.1",
        info=Info(title="Watchkeeper", version=version),
        tags=[Tag(name=name) for name in dict.fromkeys(route.tag for route in routes)],
        paths=paths,
        components=Components(
            schemas=described.components,
            securitySchemes={
                "token": SecurityScheme(type="http", scheme="bearer"),
                "password": SecurityScheme(
                    type="http", scheme="basic", description="Any user; the token is the password."
                ),
            },
        ),
    )
    return api.model_dump_json(by_alias=True, exclude_none=True)


def table(routes: Sequence[Route]) -> str:
    """The routes as a Markdown table for the documentation."""
    rows = ["| method | path | permission | what |", "|---|---|---|---|"]
    for route in routes:
        permission = route.permission.value if route.permission else "everybody"
        rows.append(f"| {route.method} | `{route.path}` | {permission} | {route.summary} |")
    return "\n".join(rows) + "\n"


@dataclass(frozen=True, slots=True)
class _Described:
    components: dict[str, Any]
    by_shape: dict[tuple[int, str], Schema]

    def body(self, model: type[BaseModel]) -> Schema:
        return self.by_shape[id(model), "validation"]

    def response(self, shape: Shape) -> Schema:
        return self.by_shape[id(shape), "serialization"]


def _describe(routes: Sequence[Route]) -> _Described:
    wanted: dict[tuple[int, Literal["validation", "serialization"]], TypeAdapter[Any]] = {
        (id(ProblemBody), "serialization"): TypeAdapter(ProblemBody)
    }
    for route in routes:
        if route.body is not None:
            wanted[id(route.body), "validation"] = TypeAdapter(route.body)
        if route.response is not None:
            wanted[id(route.response), "serialization"] = TypeAdapter(route.response)
    schemas, shared = TypeAdapter.json_schemas(
        [(key, mode, adapter) for (key, mode), adapter in wanted.items()],
        ref_template=_REFERENCE,
    )
    return _Described(
        components={
            name: Schema.model_validate(schema) for name, schema in shared.get("$defs", {}).items()
        },
        by_shape={key: Schema.model_validate(schema) for key, schema in schemas.items()},
    )


def _operation(route: Route, described: _Described) -> Operation:
    name = getattr(route.handler, "__name__", route.path)
    module = route.handler.__module__.rpartition(".")[2]
    return Operation(
        summary=route.summary,
        description=cleandoc(route.handler.__doc__ or ""),
        operationId=f"{module}.{name}",
        tags=[route.tag],
        parameters=[*_parts(route), *_query(route)] or None,
        requestBody=_body(route, described),
        responses=_responses(route, described),
        security=[{"token": []}, {"password": []}] if route.permission else [{}],
    )


def _parts(route: Route) -> list[Parameter]:
    return [
        Parameter.model_validate(
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        )
        for name in _PART.findall(route.path)
    ]


def _query(route: Route) -> list[Parameter]:
    if route.query is None:
        return []
    schema = TypeAdapter(route.query).json_schema()
    shared = schema.get("$defs", {})
    return [
        Parameter.model_validate(
            {
                "name": name,
                "in": "query",
                "description": described.get("description"),
                "required": name in schema.get("required", ()),
                "schema": _inlined(described, shared),
            }
        )
        for name, described in schema["properties"].items()
    ]


def _inlined(value: Any, shared: dict[str, Any]) -> Any:
    """The same schema without references: parameters have no components of their own."""
    if isinstance(value, dict):
        if "$ref" in value:
            return shared[value["$ref"].rpartition("/")[2]]
        return {key: _inlined(inner, shared) for key, inner in value.items()}
    if isinstance(value, list):
        return [_inlined(inner, shared) for inner in value]
    return value


def _body(route: Route, described: _Described) -> RequestBody | None:
    if route.takes_bytes:
        anything = MediaType(schema=Schema(description="As the tool writes it."))
        return RequestBody(content={JSON: anything}, required=True)
    if route.body is None:
        return None
    content = {JSON: MediaType(schema=described.body(route.body))}
    if route.takes_form:
        content[FORM] = content[JSON]
    return RequestBody(content=content, required=True)


def _responses(route: Route, described: _Described) -> dict[str, Response]:
    answered = Response(description=route.status.phrase)
    if route.response is not None:
        schema = described.response(route.response)
        answered.content = {route.media_type: MediaType(schema=schema)}
    refusal = {MEDIA_TYPE: MediaType(schema=described.response(ProblemBody))}
    refusals = {*_ALWAYS, *map(int, route.errors), *(() if route.is_safe else _WITH_BODY)}
    refused = {
        str(status): Response(description="Refused", content=refusal) for status in sorted(refusals)
    }
    return {str(int(route.status)): answered, **refused}
