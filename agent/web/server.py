"""The HTTP server: the application with its outer limits, and the listener that carries it.

Not here: who may do what (`auth`, `permission`), or what is answered (`routes`, `api`, `pages`).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from agent.errors import PayloadError
from agent.runtime.loop import JournalError, Overloaded
from agent.web.live import add_streams
from agent.web.problem import RETRY_AFTER, ProblemError, of_http, of_payload, overloaded, refuse
from agent.web.routes import Route, add_routes
from agent.web.site import SITE, Site

KEEPALIVE_S = 75.0
SHUTDOWN_S = 5.0
LINGERING_S = 2.0
"""How long the rest of a refused body is read away, so that the sender sees the refusal."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise itself."""

_HEADERS = CIMultiDict(HEADERS)
_log = structlog.get_logger(__name__)


def make_app(site: Site, routes: Iterable[Route]) -> web.Application:
    """The application that answers these routes for this agent, and nothing else."""
    table = tuple(routes)
    application = web.Application(
        middlewares=[_Gate(site, table).middleware()], client_max_size=site.limits.body_bytes_max
    )
    application[SITE] = site
    application.on_response_prepare.append(_add_headers)
    add_routes(application, table)
    add_streams(application)
    return application


class Listener:
    """Carries an application at one address from `start` to `stop`."""

    def __init__(self, application: web.Application, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._runner = web.AppRunner(
            application,
            handle_signals=False,
            access_log=None,
            auto_decompress=False,
            logger=_quiet_logger(),
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGERING_S,
            shutdown_timeout=SHUTDOWN_S,
        )

    async def start(self) -> tuple[str, int]:
        """Listen; returns the address, of use where port 0 asked for any. Raises OSError."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        host, port = self._runner.addresses[0][:2]
        return host, port

    async def stop(self) -> None:
        """Answer what is under way, for a short while, then close."""
        await self._runner.cleanup()


class _Gate:
    """The one way in and out: counts, bounds, and makes every refusal a problem."""

    def __init__(self, site: Site, routes: Iterable[Route]) -> None:
        self._site = site
        self._stream_paths = frozenset(route.path for route in routes if route.is_stream)
        self._short = _Places("requests_at_once", site.limits.requests_at_once_max)
        self._streams = _Places("streams_at_once", site.limits.streams_at_once_max)

    def middleware(self) -> Middleware:
        """What aiohttp calls around every request."""

        @web.middleware
        async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._measured(request, handler)

        return around

    async def _measured(self, request: web.Request, following: Handler) -> web.StreamResponse:
        metrics, clock = self._site.metrics, self._site.clock
        path = _template(request)
        method = request.method if path else "other"
        begun, status = clock.monotonic(), "none"
        try:
            response = await self._refused_or_answered(request, following, path)
            status = str(response.status)
        finally:
            self._site.bodies.forget(request)
            metrics.answered(method, path, status, clock.monotonic() - begun)
        return response

    async def _refused_or_answered(
        self, request: web.Request, following: Handler, path: str
    ) -> web.StreamResponse:
        places = self._streams if path in self._stream_paths else self._short
        if places.taken >= places.limit:
            self._site.metrics.limited.labels(places.name).inc()
            return overloaded("Too many requests at once.").response(request)
        places.taken += 1
        try:
            return await _translated(request, following)
        except ProblemError as refused:
            return refused.response(request)
        finally:
            places.taken -= 1


@dataclass(slots=True)
class _Places:
    name: str
    limit: int
    taken: int = 0


async def _translated(request: web.Request, following: Handler) -> web.StreamResponse:
    try:
        return await following(request)
    except (ProblemError, ConnectionError):
        raise
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        raise of_http(error) from None
    except PayloadError as error:
        raise of_payload(error) from None
    except Overloaded as error:
        raise overloaded(
            "More comes in than can be written down.", error.retry_after or RETRY_AFTER
        ) from None
    except JournalError as error:
        _log.warning("request_not_kept", problem=str(error))
        raise overloaded("Nothing can be written down now; nothing was kept.") from None
    except Exception:
        # One request ends here, whatever was wrong with it; the agent goes on.
        _log.exception("request_failed", method=request.method, route=_template(request))
        raise refuse(
            HTTPStatus.INTERNAL_SERVER_ERROR, "This is our mistake; see the log."
        ) from None


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.merge(_HEADERS)


def _quiet_logger() -> logging.Logger:
    # aiohttp logs every malformed request as an error with its traceback: noise that anybody can
    # make. What is wrong with us is logged where a request ends.
    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(_is_about_us)
    return logger


def _is_about_us(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)
