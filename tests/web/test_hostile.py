"""Hostile requests: a clear 4xx with the place, quickly; the process alive, its memory bounded."""

import asyncio
import gzip
import resource
import time
import zlib
from urllib.parse import urlsplit

from agent.web.api import API_ROUTES
from agent.web.routes import Route
from tests.web.conftest import LIMITS, Running
from tests.web.test_access import path_of

QUICKLY_S = 2.0
BOMB_BYTES = 1024**3
MEMORY_GROWTH_MAX_KIB = 64 * 1024

JSON = {"Content-Type": "application/json"}


def deflated_zeros(size: int, wbits: int) -> bytes:
    """`size` zero bytes, compressed: one block, which stands for itself, again and again."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, wbits)
    block = bytes(1024 * 1024)
    head = squeeze.compress(block) + squeeze.flush(zlib.Z_FULL_FLUSH)
    again = squeeze.compress(block) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return head + again * (size // len(block) - 1)


CORPUS: dict[str, tuple[bytes, dict[str, str]]] = {
    "empty": (b"", {}),
    "half": (b'{"a": ', {}),
    "deep lists": (b"[" * 100_000, {}),
    "deep lists, closed": (b"[" * 100_000 + b"]" * 100_000, {}),
    "deep objects": (b'{"a":' * 100_000, {}),
    "huge integer": (b"[" + b"9" * 500_000 + b"]", {}),
    "huge exponent": (b'[{"labels": 1e999999999}]', {}),
    "NaN": (b"[NaN]", {}),
    "not UTF-8": (b'[{"labels": {"a": "\xff\xfe"}}]', {}),
    "UTF-16": ('[{"labels": {"a": "b"}}]'.encode("utf-16"), {}),
    "lone surrogate": (rb'[{"labels": {"a": "\ud800"}}]', {}),
    "NUL bytes": (b"\x00" * 1000, {}),
    "wrong shape": (b'"text"', {}),
    "null": (b"null", {}),
    "too large": (b" " * (LIMITS.body_bytes_max + 1), {}),
    "gzip that is none": (b"not gzip", {"Content-Encoding": "gzip"}),
    "gzip cut short": (gzip.compress(b"[]" * 1000)[:20], {"Content-Encoding": "gzip"}),
    "unknown encoding": (b"[]", {"Content-Encoding": "br"}),
    "two encodings": (b"[]", {"Content-Encoding": "gzip, gzip"}),
    "many keys": (b"{" + b",".join(b'"k%d":1' % n for n in range(50_000)) + b"}", {}),
}


def takes_body(route: Route) -> bool:
    return route.body is not None or route.takes_bytes


def fill(route: Route) -> str:
    return path_of(route.path).replace("/source", "/alertmanager")


async def test_every_route_survives_the_corpus(agent: Running) -> None:
    """Each hostile body on each route that takes one: 4xx as a problem, in time; nothing kept."""
    for route in filter(takes_body, API_ROUTES):
        for name, (body, headers) in CORPUS.items():
            begun = time.monotonic()
            status, problem = await agent.ask(
                route.method, fill(route), role="admin", data=body, headers={**JSON, **headers}
            )
            assert (route.path, name, 4) == (route.path, name, status // 100)
            assert problem["title"]
            assert time.monotonic() - begun < QUICKLY_S
    assert agent.loop.state.last_number == 1
    assert agent.site.bodies.held_bytes == 0
    assert (await agent.ask("GET", "/-/healthy"))[0] == 200


async def test_bombs_do_not_fill_memory(agent: Running) -> None:
    """A gigabyte of zeros in a megabyte of gzip or deflate is refused at the limit, in time."""
    bombs = {
        "gzip": deflated_zeros(BOMB_BYTES, 31),
        "deflate": deflated_zeros(BOMB_BYTES, 15),
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for encoding, bomb in bombs.items():
        for path in ("/api/v2/alerts", "/api/v1/webhooks/alertmanager"):
            begun = time.monotonic()
            status, _ = await agent.ask(
                "POST", path, data=bomb, headers={**JSON, "Content-Encoding": encoding}
            )
            assert (encoding, 413) == (encoding, status)
            assert time.monotonic() - begun < QUICKLY_S
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MEMORY_GROWTH_MAX_KIB


async def test_compressed_alerts_are_taken(agent: Running) -> None:
    """Honest gzip and deflate are inflated and taken."""
    body = b'[{"labels": {"alertname": "Down"}}]'
    packed = {"gzip": gzip.compress(body), "deflate": zlib.compress(body)}
    for encoding, data in packed.items():
        status, _ = await agent.ask(
            "POST", "/api/v2/alerts", data=data, headers={**JSON, "Content-Encoding": encoding}
        )
        assert (encoding, 200) == (encoding, status)
    assert len(agent.loop.state.alerts) == 1


async def test_labels_have_bounds(agent: Running) -> None:
    """Ten thousand labels, or one of half a megabyte, are refused with their place."""
    many = {f"l{n}": "x" for n in range(10_000)}
    for labels in (many, {"a": "x" * 500_000}, {"x" * 500_000: "a"}, {}):
        status, problem = await agent.ask(
            "POST", "/api/v2/alerts", json=[{"labels": {"alertname": "A"}}, {"labels": labels}]
        )
        assert status == 400
        assert problem["errors"][0]["where"].startswith("$[1]")
        assert len(problem["errors"][0]["where"]) < 500
    assert agent.taken("kept") == 0


async def test_hostile_paths_and_queries(agent: Running) -> None:
    """Strange bytes in paths and queries are 4xx everywhere, never 5xx."""
    strange = ("%00", "%ff", "%ed%a0%80", "..%2f..%2fetc", "'--", "%F0%9F%92%A9", "a" * 3000)
    for route in API_ROUTES:
        if route.method != "GET":
            continue
        for part in strange:
            path = path_of(route.path)
            if "{" in route.path:
                path = route.path[: route.path.index("{")] + part
            status, _ = await agent.ask("GET", f"{path}?filter={part}&limit={part}&ref={part}")
            assert (route.path, part, True) == (route.path, part, status < 500)


async def raw(agent: Running, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """What comes back for bytes sent as they are, piece by piece."""
    address = urlsplit(agent.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        async with asyncio.timeout(15):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                answered = asyncio.ensure_future(reader.read(65536))
                done, _ = await asyncio.wait({answered}, timeout=pause_s or 0.01)
                if done:
                    return answered.result()
                answered.cancel()
            return await reader.read(65536)
    finally:
        writer.close()


HEAD = b"POST /api/v2/alerts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


async def test_a_dripping_body_is_cut_off(agent: Running) -> None:
    """A body that comes byte by byte, or not at all, is answered 408 within its patience."""
    begun = time.monotonic()
    head = HEAD + b"Content-Length: 1000\r\n\r\n"
    assert b" 408 " in (await raw(agent, head, *([b"["] * 100), pause_s=0.05)).split(b"\r\n")[0]
    assert b" 408 " in (await raw(agent, head, pause_s=5)).split(b"\r\n")[0]
    assert time.monotonic() - begun < QUICKLY_S
    assert agent.site.bodies.held_bytes == 0


async def test_malformed_http_is_400(agent: Running) -> None:
    """What is no HTTP is refused with 400 and the connection closed."""
    for request in (
        b"\x16\x03\x01\x02\x00garbage\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
        HEAD + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
    ):
        answer = await raw(agent, request, pause_s=1)
        assert (request[:60], True) == (request[:60], b" 400 " in answer[:20])


async def test_refusals_of_aiohttp_are_problems(agent: Running) -> None:
    """Unknown paths and methods are answered as problems, too, with what is allowed."""
    status, problem = await agent.ask("GET", "/nowhere")
    assert (status, problem["title"]) == (404, "Not Found")
    async with agent.client.put(agent.url + "/api/v2/alerts") as answer:
        assert (answer.status, answer.content_type) == (405, "application/problem+json")
        assert "GET" in answer.headers["Allow"]


async def test_too_many_at_once_is_503(agent: Running) -> None:
    """Beyond the requests at once, the next is told to come again; the agent then goes on."""
    head = HEAD + b"Content-Length: 1000\r\n\r\n"
    waiting = [raw(agent, head, pause_s=5) for _ in range(LIMITS.requests_at_once_max + 4)]
    answers = [answer.split(b"\r\n")[0] for answer in await asyncio.gather(*waiting)]
    assert sum(b" 503 " in answer for answer in answers) == 4
    assert (await agent.ask("GET", "/-/healthy"))[0] == 200


async def test_answers_carry_security_headers(agent: Running) -> None:
    """Every answer, refusals too, forbids scripts from elsewhere, framing and sniffing."""
    for path in ("/-/healthy", "/nowhere", "/api/v2/alerts"):
        async with agent.client.get(agent.url + path) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Cache-Control"] == "no-store"


async def test_a_client_may_ask_before_it_sends(agent: Running) -> None:
    """`Expect: 100-continue` is answered before the body is read; other expectations are 417."""
    head = HEAD + b"Content-Length: 2\r\nExpect: %s\r\n\r\n"
    assert (await raw(agent, head % b"100-continue", pause_s=5)).startswith(b"HTTP/1.1 100 ")
    assert b" 417 " in (await raw(agent, head % b"wonders", pause_s=5))[:20]


async def test_an_empty_answer_says_all_that_others_say(agent: Running) -> None:
    """A POST of alerts is answered with the same headers over every kind of connection."""
    body = b'[{"labels": {"alertname": "Down"}}]'
    seen = []
    for version, rest in ((b"1.1", b""), (b"1.1", b"Connection: close\r\n"), (b"1.0", b"")):
        request = HEAD.replace(b"HTTP/1.1", b"HTTP/" + version) + rest
        request += b"Content-Length: %d\r\n\r\n" % len(body) + body
        answer = (await raw(agent, request, pause_s=5)).decode()
        status, *lines = answer.removesuffix("\r\n\r\n").split("\r\n")
        assert "200 OK" in status
        seen.append({line.split(":")[0] for line in lines} - {"Connection"})
    assert seen[0] == seen[1] == seen[2]
    assert "Content-Security-Policy" in seen[0]
