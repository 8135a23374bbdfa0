"""The only HTTP client: drives the exchanges of connectors, and owns all that differs by site.

Base URL, credentials, TLS, proxy, patience, pace, size: all of an `Endpoint`. URLs come from the
operator's configuration alone; redirects are not followed, so that no answer leads us elsewhere.
Not here: what a request means, and what to do about a refusal.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import aiohttp
from prometheus_client import CollectorRegistry, Counter, Histogram
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base, wait_random_exponential
from yarl import URL

from agent.connector import Exchange, Request, Response
from agent.errors import PayloadError, PermanentError, TransientError
from agent.runtime.breaker import Breaker, Pace
from agent.runtime.clock import Clock

T = TypeVar("T")

TURNS_MAX = 1_000
ATTEMPTS_MAX = 3
WAIT_S_MAX = 5.0
"""A tool that wants more patience is asked again by the core, not here."""
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
NOT_MODIFIED = 304
"""No redirect: what we have is what there is. Only who asked with a condition hears it."""
NOT_US = frozenset({401, 407})
CHUNK_BYTES = 64 * 1024
KEPT_ALIVE_S = 5.0
"""Shorter than what servers keep: a write that they drop is not repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where one tool is, and how we talk to it there."""

    name: str
    url: str
    credentials: Callable[[], Mapping[str, str]] = dict
    """Headers with secrets, read anew for every request; never logged."""
    timeout: timedelta = timedelta(seconds=15)
    per_second: float = 50.0
    concurrency: int = 4
    ca_file: Path | None = None
    """Certificates to trust beside the system's."""
    proxy: str | None = None
    response_bytes_max: int = 32 * 1024 * 1024


class ClientMetrics:
    """How the tools answer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "watchkeeper_connector_requests_total",
            "Requests to tools, by connector and by what became of them.",
            ("connector", "outcome"),
            registry=registry,
        )
        self.seconds = Histogram(
            "watchkeeper_connector_request_seconds",
            "How long tools take to answer.",
            ("connector",),
            registry=registry,
        )


@asynccontextmanager
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    """The one session that all clients share: no cookies, nothing from the environment."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=KEPT_ALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_never_twice,),
        trust_env=False,
    ) as session:
        yield session


class _ConnectionLost(aiohttp.ClientError):
    """The connection ended before the answer: the request may have been heard or not."""


async def _never_twice(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    # aiohttp repeats a PUT by itself when its connection is lost: a comment would be there twice
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionLost(str(error)) from None


class Client:
    """Talks to one endpoint. What it raises holds no secret of that endpoint."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint: Endpoint,
        *,
        clock: Clock,
        metrics: ClientMetrics,
    ) -> None:
        self.endpoint = endpoint
        self._session = session
        self._clock = clock
        self._metrics = metrics
        self._breaker = Breaker(clock)
        self._pace = Pace(clock, endpoint.per_second)
        self._free = asyncio.Semaphore(endpoint.concurrency)
        self._tls = _tls(endpoint.ca_file)

    async def drive(self, exchange: Exchange[T]) -> T:
        """Carry a conversation to its end.

        Raises TransientError when the tool cannot be reached or asks for patience, PermanentError
        when it refuses, PayloadError when it answers something that it should not.
        """
        try:
            return await self._drive(exchange)
        except TransientError as error:
            raise TransientError(self._scrubbed(str(error)), error.retry_after) from None
        except PermanentError as error:
            raise PermanentError(self._scrubbed(str(error))) from None
        except PayloadError as error:
            raise PayloadError(error.where, self._scrubbed(error.problem)) from None
        finally:
            exchange.close()

    def address(self, path: str) -> str:
        """The URL of a path at this tool, for people."""
        return f"{URL(self.endpoint.url).with_user(None)}".rstrip("/") + path

    async def _drive(self, exchange: Exchange[T]) -> T:
        try:
            request = next(exchange)
            for _ in range(TURNS_MAX):
                request = exchange.send(await self._send(request))
        except StopIteration as end:
            result: T = end.value
            return result
        raise PermanentError(f"a conversation of more than {TURNS_MAX} turns was broken off")

    async def _send(self, request: Request) -> Response:
        if not request.is_repeatable:
            return await self._once(request)
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(_is_worth_waiting),
            stop=stop_after_attempt(ATTEMPTS_MAX),
            wait=_AsAsked(),
            sleep=asyncio.sleep,
            reraise=True,
        ):
            with attempt:
                return await self._once(request)
        raise AssertionError("tenacity gives a result or raises")

    async def _once(self, request: Request) -> Response:
        self._breaker.check()
        async with self._free:
            await asyncio.sleep(self._pace.turn())
            began = self._clock.monotonic()
            try:
                async with asyncio.timeout(self.endpoint.timeout.total_seconds()):
                    response = await self._exchange(request)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._breaker.failed()
                self._count("unreachable")
                words = str(error) or f"no answer within {self.endpoint.timeout}"
                raise TransientError(f"{request.method} {request.path}: {words}") from None
            self._metrics.seconds.labels(self.endpoint.name).observe(
                self._clock.monotonic() - began
            )
        return self._judged(request, response)

    async def _exchange(self, request: Request) -> Response:
        assert request.path.startswith("/"), "a path is below the endpoint's URL"
        url = URL(f"{self.endpoint.url.rstrip('/')}{request.path}").update_query(request.query)
        async with self._session.request(
            request.method,
            url,
            data=request.body,
            headers={**request.headers, **self.endpoint.credentials()},
            allow_redirects=False,
            proxy=self.endpoint.proxy,
            ssl=self._tls,
        ) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                if len(body) > self.endpoint.response_bytes_max:
                    limit = self.endpoint.response_bytes_max
                    raise PermanentError(f"{request.path}: the answer is over {limit} bytes")
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(status=answer.status, headers=headers, body=bytes(body))

    def _judged(self, request: Request, response: Response) -> Response:
        """The response, where it is one that a connector has to see."""
        told = f"{request.method} {request.path}: status {response.status}"
        if response.status in PASSING:
            self._breaker.failed()
            self._count("passing")
            raise TransientError(told, _retry_after(response))
        self._breaker.answered()
        self._count("answered" if response.is_success else "refused")
        if response.status in NOT_US:
            # They can be mended while we wait: a file that holds them is read anew each time.
            raise TransientError(f"{told}: it does not accept our credentials")
        if 300 <= response.status < 400 and response.status != NOT_MODIFIED:
            raise PermanentError(f"{told}: a redirect, which is not followed; mend the URL")
        return response

    def _count(self, outcome: str) -> None:
        self._metrics.requests.labels(self.endpoint.name, outcome).inc()

    def _scrubbed(self, text: str) -> str:
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> list[str]:
        # "Bearer SECRET" may come back without its first word
        headers = self.endpoint.credentials().values()
        words = {word for value in headers for word in (value, value.rpartition(" ")[2])}
        words.add(URL(self.endpoint.url).password or "")
        return sorted((word for word in words if word), key=len, reverse=True)


def _is_worth_waiting(error: BaseException) -> bool:
    if not isinstance(error, TransientError):
        return False
    return error.retry_after is None or error.retry_after.total_seconds() <= WAIT_S_MAX


class _AsAsked(wait_base):
    """As long as the tool asks for, otherwise growing with jitter."""

    def __init__(self) -> None:
        self._growing = wait_random_exponential(multiplier=0.2, max=WAIT_S_MAX)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, TransientError) and error.retry_after is not None:
            return error.retry_after.total_seconds()
        return self._growing(retry_state)


def _retry_after(response: Response) -> timedelta | None:
    text = response.headers.get("retry-after", "")
    return timedelta(seconds=int(text)) if text.isdecimal() and len(text) < 6 else None


def _tls(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    return context
