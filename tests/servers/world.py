"""Hosts that can be broken, the monitoring that notices, and a recorder of what it sends."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from deploy.demo import hosts as demo_hosts
from deploy.demo import monitoring as demo_monitoring
from deploy.demo.hosts import Hosts
from deploy.demo.monitoring import Alertmanager, Monitoring
from deploy.demo.programs import LOOPBACK

HEAL = {"nginx": "service nginx start", "redis": "service redis-server start"}

StartMonitoring = Callable[[Sequence[str]], Monitoring]
StartAlertmanager = Callable[[str], Alertmanager]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_hosts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hosts]:
    """The hosts of this session; tests ask for `hosts`, which leaves them healthy."""
    if reason := demo_hosts.why_not():
        pytest.skip(reason)
    async with Hosts(tmp_path_factory.mktemp("hosts")) as running:
        yield running


@pytest_asyncio.fixture
async def hosts(session_hosts: Hosts) -> AsyncIterator[Hosts]:
    """Three real SSH hosts, all services up; what a test stops is started again after it."""
    yield session_hosts
    for host in session_hosts.all:
        if not await asyncio.to_thread(host.is_up):
            for service in host.services:
                if service in HEAL:
                    await host.run(HEAL[service])


@pytest.fixture
def monitoring(hosts: Hosts, tmp_path: Path) -> StartMonitoring:
    """Makes a Prometheus that watches the hosts and posts to the HOST:PORTs given.

    Use it as `async with monitoring([address]) as prometheus`: about six seconds until it watches.
    """
    if reason := demo_monitoring.why_not():
        pytest.skip(reason)

    def start(alertmanagers: Sequence[str]) -> Monitoring:
        return Monitoring(tmp_path, hosts=hosts.all, alertmanagers=alertmanagers)

    return start


@pytest.fixture
def alertmanager(tmp_path: Path) -> StartAlertmanager:
    """Makes an Alertmanager that posts to the webhook given.

    Use it as `async with alertmanager(url) as real`.
    """
    if reason := demo_monitoring.why_no_alertmanager():
        pytest.skip(reason)

    def start(webhook: str) -> Alertmanager:
        return Alertmanager(tmp_path, webhook=webhook)

    return start


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One POST: its path and its JSON."""

    path: str
    body: Any

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The alerts of a webhook or of an Alertmanager API body."""
        return list(self.body if isinstance(self.body, list) else self.body["alerts"])


class Recorder:
    """Accepts every POST of JSON and keeps it, for a test to look at what a tool truly sends."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._changed = asyncio.Condition()
        self._runner = web.AppRunner(self._application(), access_log=None)

    async def start(self) -> None:
        """Listen on a free loopback port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    @property
    def address(self) -> str:
        """HOST:PORT."""
        host, port = self._runner.addresses[0][:2]
        return f"{host}:{port}"

    async def first_alert(
        self, accept: Callable[[dict[str, Any]], bool], *, limit_s: float
    ) -> dict[str, Any]:
        """The first alert received that is accepted; TimeoutError after the limit."""
        async with asyncio.timeout(limit_s), self._changed:
            while True:
                for each in self.received:
                    for alert in each.alerts:
                        if accept(alert):
                            return alert
                await self._changed.wait()

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/{path:.*}", self._post)
        return application

    async def _post(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        async with self._changed:
            self.received.append(Received(path=request.path, body=body))
            self._changed.notify_all()
        return web.Response()


@pytest_asyncio.fixture
async def recorder() -> AsyncIterator[Recorder]:
    """A recorder that listens."""
    listening = Recorder()
    await listening.start()
    try:
        yield listening
    finally:
        await listening.stop()
