"""Errors as RFC 9457 says them: `application/problem+json`, one shape for every refusal."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import PayloadError

MEDIA_TYPE = "application/problem+json"
PLACES_MAX = 20
"""Mistakes named in one answer; a body may hold a million of them."""
SAID_CHARACTERS_MAX = 300
RETRY_AFTER = timedelta(seconds=1)


class Place(BaseModel):
    """One mistake: where in the request, and what is wrong there."""

    where: str = Field(description="JSON path into the body, or `query.NAME`.")
    problem: str


class ProblemBody(BaseModel):
    """What every refusal carries."""

    model_config = ConfigDict(title="Problem")

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    reason: str | None = Field(None, description="The named cause, where a decision refused it.")
    errors: list[Place] = Field(default_factory=list)


class ProblemError(Exception):
    """Ends one request with a refusal; `problem` says which and `headers` go with it."""

    def __init__(self, problem: ProblemBody, headers: Mapping[str, str]) -> None:
        self.problem = problem
        self.headers = headers
        super().__init__(f"{problem.status} {problem.detail}")

    def response(self, request: web.Request) -> web.Response:
        """The answer that says so, in a form that the client understands."""
        if is_of_alertmanager(request):
            return web.json_response(
                self._sentence(), status=self.problem.status, headers=self.headers
            )
        return web.Response(
            status=self.problem.status,
            body=orjson.dumps(self.problem.model_dump(exclude_none=True)),
            content_type=MEDIA_TYPE,
            headers=self.headers,
        )

    def _sentence(self) -> str:
        places = [f"{place.where}: {place.problem}" for place in self.problem.errors]
        return " ".join((self.problem.detail or self.problem.title, *places))


def is_of_alertmanager(request: web.Request) -> bool:
    """Whether a client of Alertmanager asks: it reads a refusal only as a JSON text."""
    return (
        request.path.startswith("/api/v2/") and request.headers.get("Accept") == "application/json"
    )


def refuse(
    status: HTTPStatus,
    detail: str = "",
    *,
    reason: str | None = None,
    places: tuple[Place, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> ProblemError:
    """The refusal to raise."""
    body = ProblemBody(
        title=status.phrase,
        status=status.value,
        detail=_said(detail),
        reason=reason,
        errors=list(places[:PLACES_MAX]),
    )
    return ProblemError(body, headers or {})


def not_found(kind: str, given: str) -> ProblemError:
    """There is no such thing."""
    return refuse(HTTPStatus.NOT_FOUND, f"There is no {kind} {given!r}.")


def overloaded(what: str, retry_after: timedelta = RETRY_AFTER) -> ProblemError:
    """Too much at once; nothing was kept, and the same request may succeed later."""
    seconds = max(1, round(retry_after.total_seconds()))
    return refuse(HTTPStatus.SERVICE_UNAVAILABLE, what, headers={"Retry-After": str(seconds)})


def of_payload(error: PayloadError) -> ProblemError:
    """A payload that its parser refused, with the place."""
    place = Place(where=_said(error.where), problem=_said(error.problem))
    return refuse(
        HTTPStatus.BAD_REQUEST, "The payload was refused; nothing of it was kept.", places=(place,)
    )


def of_validation(error: ValidationError, root: str) -> ProblemError:
    """What a pydantic model refused; `root` is `$` for a body and `query` for a query."""
    places = tuple(
        Place(where=_path(root, item["loc"]), problem=_said(item["msg"]))
        for item in error.errors(include_url=False, include_context=False, include_input=False)[
            :PLACES_MAX
        ]
    )
    return refuse(HTTPStatus.BAD_REQUEST, "The request does not fit its schema.", places=places)


def of_http(error: web.HTTPException) -> ProblemError:
    """One of aiohttp's own refusals (404, 405, 413 ...) in our shape."""
    headers = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    return refuse(HTTPStatus(error.status), error.text or "", headers=headers)


def _path(root: str, steps: tuple[int | str, ...]) -> str:
    named = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return _said(root + "".join(named))


def _said(text: str) -> str:
    # Words of the sender come back to people's terminals: short, printable, valid UTF-8.
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return plain if len(plain) <= SAID_CHARACTERS_MAX else plain[:SAID_CHARACTERS_MAX] + "…"
