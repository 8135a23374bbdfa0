"""The registry of everything that we answer: one `Route` is address, check, schema and handler.

From it come the routing table, the permission checks and the OpenAPI document, so that nothing
can be reached that is not documented, and nothing documented that is not checked.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar, get_origin

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from agent.web.auth import SAFE_METHODS, identify, refuse_foreign_page, unauthorized
from agent.web.body import FORM, JSON, form_fields
from agent.web.permission import Identity, Permission
from agent.web.problem import ProblemError, of_validation, refuse
from agent.web.routing import RoutingTable
from agent.web.session import CSRF_FIELD, CSRF_HEADER, Session
from agent.web.site import Feed, Site

M = TypeVar("M", bound=BaseModel)

Shape = Any
"""A type, or a generic alias of one, that pydantic can describe and write."""


class Wish(BaseModel):
    """What a client may send. A field that we do not know is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that was let in, with everything about it checked."""

    request: web.Request
    site: Site
    identity: Identity
    session: Session | None
    content: bytes
    """The body as it came, for routes with `takes_bytes`."""
    body: BaseModel | None
    query: BaseModel | None
    parts: Mapping[str, str]
    """The parts of the path that the route's template names."""

    def body_as(self, model: type[M]) -> M:
        """The body, of the type that the route declares."""
        assert isinstance(self.body, model)
        return self.body

    def query_as(self, model: type[M]) -> M:
        """The query, of the type that the route declares."""
        assert isinstance(self.query, model)
        return self.query

    def named(self, part: str) -> str:
        """A part of the path that the route's template names."""
        return self.parts[part]


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One thing to ask for. Documented by its summary and the handler's docstring."""

    method: str
    path: str
    permission: Permission | None
    """None: open to everybody, wherever we listen. The set of these is pinned by a test."""
    summary: str
    handler: Handler
    tag: str
    body: type[BaseModel] | None = None
    takes_bytes: bool = False
    """The handler reads `content` itself: bodies of monitoring tools."""
    takes_signature: bool = False
    """Sources that sign their bodies need no token; the handler looks at the signature."""
    takes_form: bool = False
    """Browsers may send the body as a form."""
    query: type[BaseModel] | None = None
    response: Shape | None = None
    status: HTTPStatus = HTTPStatus.OK
    media_type: str = JSON
    errors: tuple[HTTPStatus, ...] = ()
    """Beside those that every route may answer (400, 401, 403, 413, 503 ...)."""
    is_stream: bool = False
    """Stays open for long; counted apart from short requests."""
    refused: Callable[[web.Request, ProblemError], web.StreamResponse] | None = None
    """How a refusal reads here; None: as a problem document. Pages say it as a page."""

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method in SAFE_METHODS


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What one listener serves, and for whom."""

    site: Site
    table: RoutingTable[Route]
    feeds: set[Feed] = field(default_factory=set)
    """What open streams listen to; closed first when the listener stops, or it waits for them."""


SERVED: web.RequestKey[Served] = web.RequestKey("served", Served)
"""On every request: what it was sent to."""


async def admit(request: web.Request, route: Route, named: Mapping[str, str]) -> Call:
    """Check who asks and what for, before anything of the body is read, then read it."""
    site = request[SERVED].site
    refuse_foreign_page(request, site.access)
    identity, session = identify(
        request,
        access=site.access,
        keyring=site.keyring,
        sessions=site.sessions,
        at=site.clock.now(),
    )
    is_signed = route.takes_signature and named["source"] in site.signatures
    is_open = route.permission is None or is_signed
    if not is_open and route.permission not in identity.permissions:
        if identity.is_anonymous:
            raise unauthorized("This needs a token: `Authorization: Bearer wk_...`.")
        raise refuse(HTTPStatus.FORBIDDEN, f"This needs the permission {route.permission!r}.")
    query = _query(request, route.query) if route.query else None
    content = b""
    if not route.is_safe:
        taken = site.bodies.take(request)
        content = await site.bodies.read(request) if taken is None else taken
    fields = _form(request, route, content)
    if session is not None and not route.is_safe:
        given = request.headers.get(CSRF_HEADER) or fields.get(CSRF_FIELD, [""])[-1]
        if not session.vouches_for(given):
            raise refuse(HTTPStatus.FORBIDDEN, f"The page must send its {CSRF_HEADER}.")
    fields.pop(CSRF_FIELD, None)
    body = _body(request, route, content, fields)
    return Call(
        request=request,
        site=site,
        identity=identity,
        session=session,
        content=content,
        body=body,
        query=query,
        parts=named,
    )


def _form(request: web.Request, route: Route, content: bytes) -> dict[str, list[str]]:
    if route.takes_form and request.content_type == FORM:
        return form_fields(content)
    return {}


def _body(
    request: web.Request, route: Route, content: bytes, fields: Mapping[str, list[str]]
) -> BaseModel | None:
    if route.body is None or route.takes_bytes:
        return None
    try:
        if route.takes_form and request.content_type == FORM:
            return route.body.model_validate(_given(route.body, fields))
        if not content and not any(f.is_required() for f in route.body.model_fields.values()):
            return route.body()
        if request.content_type != JSON:
            raise refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the body as {JSON}.")
        return route.body.model_validate_json(content)
    except ValidationError as error:
        raise of_validation(error, "$") from None


def _query(request: web.Request, model: type[M]) -> M:
    fields = {name: request.query.getall(name) for name in request.query}
    try:
        return model.model_validate(_given(model, fields))
    except ValidationError as error:
        raise of_validation(error, "query") from None


def _given(model: type[BaseModel], fields: Mapping[str, list[str]]) -> dict[str, object]:
    """What was given for each field: one value, or all of them where the field takes many."""
    given: dict[str, object] = {}
    for name, values in fields.items():
        field = model.model_fields.get(name)
        takes_many = field is not None and get_origin(field.annotation) is tuple
        given[name] = values if takes_many or len(values) > 1 else values[0]
    return given


def answer(value: object, shape: Shape, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """A JSON answer of the shape that the route declares."""
    content = TypeAdapter[Any](shape).dump_json(value)
    return web.Response(status=status, body=content, content_type=JSON)


def answer_json(value: object, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """A JSON answer made of plain values, where a shape of ours would not do."""
    return web.Response(status=status, body=orjson.dumps(value), content_type=JSON)
