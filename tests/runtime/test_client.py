"""The one HTTP client against real servers on loopback that behave badly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from agent.connector import Exchange, Request, Response, answer
from agent.errors import PayloadError, PermanentError, TransientError
from agent.runtime.breaker import FAILURES_MAX, Breaker, Pace
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.clock import SystemClock
from tests.servers.faulty import faulty_proxy

SECRET = "s3cr3t-key"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """A server on a free port that answers everything with the handler."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened


def client(session: aiohttp.ClientSession, port: int, **changes: object) -> Client:
    content: dict[str, object] = {
        "name": "tool",
        "url": f"http://127.0.0.1:{port}/base",
        "credentials": lambda: {"Authorization": f"Bearer {SECRET}"},
        "timeout": timedelta(seconds=2),
    }
    endpoint = Endpoint(**{**content, **changes})  # type: ignore[arg-type]
    return Client(
        session, endpoint, clock=SystemClock(), metrics=ClientMetrics(CollectorRegistry())
    )


def one(method: str = "GET", path: str = "/x", *, repeatable: bool = False) -> Exchange[Response]:
    """A conversation of one turn."""
    response = yield Request(method=method, path=path, query={"q": "a b&c"}, repeatable=repeatable)
    return response


async def test_a_request_carries_what_the_endpoint_says(session: aiohttp.ClientSession) -> None:
    """Base path, query and credentials are put together here, not by connectors."""
    seen: list[tuple[str, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.raw_path, request.headers.get("Authorization")))
        return web.Response(text="yes")

    async with serving(handler) as port:
        response = await client(session, port).drive(one())
    assert (response.status, response.body) == (200, b"yes")
    assert [("/base/x?q=a+b%26c", f"Bearer {SECRET}")] == seen


async def test_a_repeatable_request_is_repeated_and_a_write_is_not(
    session: aiohttp.ClientSession,
) -> None:
    """Twice is only what does no harm twice; `Retry-After` is obeyed."""
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.method)
        busy = len(seen) < 2 or request.method == "PUT"
        return web.Response(status=503 if busy else 200, headers={"Retry-After": "0"})

    async with serving(handler) as port:
        talk = client(session, port)
        assert (await talk.drive(one())).status == 200
        assert seen == ["GET", "GET"]
        with pytest.raises(TransientError, match="status 503"):
            await talk.drive(one("PUT"))
        assert seen == ["GET", "GET", "PUT"]


async def test_a_tool_that_wants_long_patience_is_left_to_the_core(
    session: aiohttp.ClientSession,
) -> None:
    """Nobody waits a minute inside one effect: the error says how long."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "60"})

    async with serving(handler) as port:
        with pytest.raises(TransientError) as caught:
            await client(session, port).drive(one())
    assert timedelta(seconds=60) == caught.value.retry_after


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
async def test_a_write_whose_answer_is_lost_was_sent_once(
    session: aiohttp.ClientSession, method: str
) -> None:
    """Also on a connection that was used before, where HTTP libraries repeat by themselves."""
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.method)
        return web.Response()

    async with serving(handler) as port, faulty_proxy(port, lose=method.encode()) as proxy:
        talk = client(session, proxy.port)
        await talk.drive(one())
        with pytest.raises(TransientError):
            await talk.drive(one(method))
    assert ["GET", method] == seen


async def test_redirects_are_not_followed(session: aiohttp.ClientSession) -> None:
    """An answer never sends our credentials to another place."""
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.path)
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data")

    async with serving(handler) as port:
        with pytest.raises(PermanentError, match="redirect"):
            await client(session, port).drive(one())
    assert seen == ["/base/x"]


async def test_an_endless_answer_is_cut(session: aiohttp.ClientSession) -> None:
    """Memory is bounded, also where the answer is compressed."""

    async def handler(request: web.Request) -> web.Response:
        response = web.Response(body=b"0" * 5_000_000)
        response.enable_compression()
        return response

    async with serving(handler) as port:
        with pytest.raises(PermanentError, match="over 1000000 bytes"):
            await client(session, port, response_bytes_max=1_000_000).drive(one())


async def test_silence_ends_with_the_timeout(session: aiohttp.ClientSession) -> None:
    """A tool that accepts and says nothing costs the timeout, not a task for ever."""

    async def wait(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with serving(wait) as port:
        talk = client(session, port, timeout=timedelta(milliseconds=100))
        with pytest.raises(TransientError, match="no answer within"):
            await talk.drive(one("POST"))


async def test_no_error_shows_a_secret(session: aiohttp.ClientSession) -> None:
    """A tool that repeats our key in its refusal does not get it into a log or a timeline."""

    async def handler(request: web.Request) -> web.Response:
        status = 401 if request.method == "GET" else 422
        return web.Response(status=status, text=f"bad key {request.headers['Authorization']}")

    def asking() -> Exchange[object]:
        response = yield Request(method="POST", path="/x")
        return answer(TypeAdapter(object), response, "write")

    async with serving(handler) as port:
        talk = client(session, port)
        with pytest.raises(PermanentError) as refused:
            await talk.drive(asking())
        with pytest.raises(TransientError, match="credentials") as unknown:
            await talk.drive(one())
    assert str(refused.value) == "write: refused with status 422: bad key ***"
    assert SECRET not in f"{unknown.value!r}{refused.value!r}"


async def test_a_page_where_json_should_be_has_a_place(session: aiohttp.ClientSession) -> None:
    """A proxy's login page is no answer of the tool."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="<html>log in</html>")

    def asking() -> Exchange[object]:
        response = yield Request(method="GET", path="/x")
        return answer(TypeAdapter(dict[str, int]), response, "read")

    async with serving(handler) as port:
        with pytest.raises(PayloadError) as caught:
            await client(session, port).drive(asking())
    assert caught.value.where == "$"


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def test_a_tool_that_fails_is_left_alone_and_asked_again() -> None:
    """Open after failures in a row, one try after the rest, closed by an answer."""
    clock = HandClock()
    breaker = Breaker(clock)
    for _ in range(FAILURES_MAX):
        breaker.check()
        breaker.failed()
    with pytest.raises(TransientError, match="failed 5 times in a row"):
        breaker.check()
    clock.seconds += 2.0
    breaker.check()
    breaker.failed()
    clock.seconds += 3.9
    with pytest.raises(TransientError, match="failed 6 times in a row"):
        breaker.check()
    clock.seconds += 0.1
    breaker.check()
    breaker.answered()
    breaker.failed()
    breaker.check()


def test_requests_keep_their_pace_after_a_burst() -> None:
    """A few at once, then no faster than agreed."""
    clock = HandClock()
    clock.seconds = 1024.0
    pace = Pace(clock, per_second=8)
    waits = [pace.turn() for _ in range(14)]
    assert waits[:11] == [0.0] * 11
    assert waits[11:] == [0.125, 0.25, 0.375]
