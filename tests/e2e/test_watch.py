"""Claims about watches: queries that raise alerts of their own, asked of a real Prometheus."""

import asyncio
import operator
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from deploy.demo import monitoring
from deploy.demo.monitoring import Monitoring, Probe
from deploy.demo.programs import LOOPBACK, get_json
from tests.e2e.agent import Agent, eventually
from tests.e2e.company import Company, rule

SEEN_S_MAX = 20.0
LENGTH = "probe_http_content_length"
LOW, HIGH = 10, 20
"""It fires above the high mark and ends below the low one; between them nothing changes."""


class Queue:
    """Something with a length that Prometheus can ask for: the probed page is that many bytes."""

    def __init__(self) -> None:
        self.length = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer with as many bytes as the queue is long."""
        with suppress(ConnectionError):
            await reader.read(4096)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {self.length}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + b"x" * self.length)
            await writer.drain()
        writer.close()


async def _measured(url: str) -> int:
    """What Prometheus says about the length."""
    answer = await asyncio.to_thread(get_json, f"{url}/api/v1/query?query={LENGTH}")
    return sum(int(each["value"][1]) for each in answer["data"]["result"])


async def _fires(agent: Agent) -> bool:
    return bool(await agent.get("/api/v2/alerts"))


def _is(wanted: object) -> Callable[[object], bool]:
    return lambda seen: seen == wanted


async def test_a_watch_has_hysteresis(company: Company, tmp_path: Path) -> None:
    """Above the high mark it fires, and has an incident; between the marks it goes on; below the
    low one it ends, and its incident too."""
    if reason := monitoring.why_not():
        pytest.skip(reason)
    spec = {
        "query": f"{LENGTH} > {HIGH}",
        "clear": f"{LENGTH} < {LOW}",
        "every": "500ms",
        "for": "1s",
        "labels": {"severity": "warning"},
    }
    queue = Queue()
    server = await asyncio.start_server(queue.serve, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    probe = Probe(module="http", target=f"http://{LOOPBACK}:{port}/", host="a", service="web")
    real = Monitoring(tmp_path, hosts=(), alertmanagers=(), probes=(probe,))
    company.found(rule("Watch", "QueueLong", spec), prometheus={"url": real.url})
    seen: list[bool] = []
    async with server, real, Agent(company) as agent:
        # from nothing to high, to the middle, to low
        for wanted, fires in ((HIGH + 5, True), (LOW + 5, True), (LOW - 5, False)):
            queue.length = wanted
            await eventually(lambda: _measured(real.url), _is(wanted), limit_s=SEEN_S_MAX)
            await eventually(lambda: _fires(agent), _is(fires), limit_s=SEEN_S_MAX)
            evaluated = await agent.metric("watchkeeper_connector_requests_total")
            await eventually(
                lambda: agent.metric("watchkeeper_connector_requests_total"),
                partial(operator.le, evaluated + 4),
                limit_s=SEEN_S_MAX,
            )
            seen.append(await _fires(agent))
        states = [each["state"] for each in await agent.incidents()]

    assert seen == [True, True, False]
    assert len(states) == 1
    assert states[0] in ("resolved", "closed")
