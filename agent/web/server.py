"""The HTTP server: the one way in and out with its outer limits, and the listener that carries it.

aiohttp speaks HTTP; which route answers is looked up in our own table. Not here: who may do what
(`auth`, `permission`), or what is answered (`routes`, `api`, `pages`).
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader

from agent.errors import PayloadError
from agent.runtime.loop import JournalError, Overloaded
from agent.web.headers import complete
from agent.web.problem import RETRY_AFTER, ProblemError, of_http, of_payload, overloaded, refuse
from agent.web.routes import SERVED, Route, Served, admit
from agent.web.routing import Found, RoutingTable
from agent.web.site import Site

KEEPALIVE_S = 75.0
SHUTDOWN_S = 5.0
LINGERING_S = 2.0
"""How long the rest of a refused body is read away, so that the sender sees the refusal."""

_log = structlog.get_logger(__name__)


class Listener:
    """Answers these routes for this agent at one address, from `start` to `stop`."""

    def __init__(self, site: Site, routes: Iterable[Route], host: str, port: int) -> None:
        """Raises ValueError where two routes have one address."""
        self._served = Served(site=site, table=RoutingTable(routes))
        self._host, self._port = host, port
        self._runner: web.ServerRunner | None = None
        self._socket: web.TCPSite | None = None

    async def start(self) -> tuple[str, int]:
        """Listen; returns the address, of use where port 0 asked for any. Raises OSError."""
        loop, body_bytes_max = asyncio.get_running_loop(), self._served.site.limits.body_bytes_max

        def request_of(
            head: RawRequestMessage, content: StreamReader, protocol: Any, writer: Any, task: Any
        ) -> web.Request:
            return web.Request(
                head, content, protocol, writer, task, loop, client_max_size=body_bytes_max
            )

        server = web.Server(
            Gate(self._served).answer,
            request_factory=request_of,
            access_log=None,
            auto_decompress=False,
            logger=_quiet_logger(),
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGERING_S,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        self._socket = web.TCPSite(self._runner, self._host, self._port)
        await self._socket.start()
        host, port = self._runner.addresses[0][:2]
        return host, port

    async def stop(self) -> None:
        """Answer what is under way, for a short while, then close."""
        assert self._runner is not None
        assert self._socket is not None
        await self._socket.stop()
        # Before anything is waited for: a stream ends only when what it listens to has ended.
        for feed in tuple(self._served.feeds):
            feed.close()
        await self._runner.cleanup()


class Gate:
    """The one way in and out: counts, bounds, and makes every refusal a problem."""

    def __init__(self, served: Served) -> None:
        limits = served.site.limits
        self._served = served
        self._site = served.site
        self._short = _Places("requests_at_once", limits.requests_at_once_max)
        self._streams = _Places("streams_at_once", limits.streams_at_once_max)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request, whatever it is; never raises but for a connection that is gone.

        `request` is a `web.Request`: that is what the listener has the server make.
        """
        assert isinstance(request, web.Request)
        request[SERVED] = self._served
        metrics, clock = self._site.metrics, self._site.clock
        found = self._served.table.find(request)
        method = request.method if found.route is not None else "other"
        begun, status = clock.monotonic(), "none"
        try:
            response = await self._within_limits(request, found)
            status = str(response.status)
        finally:
            self._site.bodies.forget(request)
            metrics.answered(method, found.template, status, clock.monotonic() - begun)
        complete(response)
        return response

    async def _within_limits(self, request: web.Request, found: Found[Route]) -> web.StreamResponse:
        is_stream = found.route is not None and found.route.is_stream
        places = self._streams if is_stream else self._short
        if places.taken >= places.limit:
            self._site.metrics.limited.labels(places.name).inc()
            return overloaded("Too many requests at once.").response(request)
        places.taken += 1
        try:
            return await _answered(request, found)
        except ProblemError as refused:
            return refused.response(request)
        finally:
            places.taken -= 1


@dataclass(slots=True)
class _Places:
    name: str
    limit: int
    taken: int = 0


async def _answered(request: web.Request, found: Found[Route]) -> web.StreamResponse:
    """What the route's handler answers; everything that goes wrong as a ProblemError."""
    route = found.route
    if route is None:
        raise _nobody(found)
    try:
        return await route.handler(await admit(request, route, found.named))
    except ProblemError as refused:
        if route.refused is None:
            raise
        return route.refused(request, refused)
    except ConnectionError:
        raise
    except web.HTTPException as error:
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
        _log.exception("request_failed", method=request.method, route=found.template)
        raise refuse(
            HTTPStatus.INTERNAL_SERVER_ERROR, "This is our mistake; see the log."
        ) from None


def _nobody(found: Found[Route]) -> ProblemError:
    if found.allowed:
        allowed = ", ".join(found.allowed)
        return refuse(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"This path takes {allowed}.",
            headers={"Allow": allowed},
        )
    return refuse(HTTPStatus.NOT_FOUND, "Nothing answers this path.")


def _quiet_logger() -> logging.Logger:
    # aiohttp logs every malformed request as an error with its traceback: noise that anybody can
    # make. What is wrong with us is logged where a request ends.
    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(_is_about_us)
    return logger


def _is_about_us(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)
