"""An agent behind a real listener on loopback, for tests of everything that comes by HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import pytest_asyncio
from prometheus_client import CollectorRegistry

from agent.model.labels import Matcher, MatchOperator
from agent.model.rule import Config
from agent.model.rule import Route as Telling
from agent.model.service import Entity, EntityKind, ServiceMap
from agent.runtime.clock import SystemClock
from agent.runtime.intake import Intake, IntakeMetrics
from agent.runtime.tokens import Keyring, mint
from agent.web.api import API_ROUTES
from agent.web.auth import Access
from agent.web.body import Bodies, Limits
from agent.web.metrics import HttpMetrics
from agent.web.server import Listener, make_app
from agent.web.session import Sessions
from agent.web.site import About, Site
from connectors.alertmanager import parse_v2, parse_webhook
from tests.web.memory import MemoryHistory, MemoryLoop

LIMITS = Limits(
    body_bytes_max=1024 * 1024,
    bodies_bytes_max=8 * 1024 * 1024,
    body_patience=timedelta(seconds=0.3),
    requests_at_once_max=16,
)


def shop_config() -> Config:
    """A shop that rests on a database."""
    return Config(
        digest="shop",
        service_map=ServiceMap.of(
            {
                "component:default/shop": _component("shop", depends_on=("db",), owner="group:web"),
                "component:default/db": _component("db"),
            }
        ),
        routes=(Telling(name="all", receiver="oncall"),),
    )


def _component(name: str, depends_on: tuple[str, ...] = (), owner: str | None = None) -> Entity:
    return Entity(
        ref=f"component:default/{name}",
        kind=EntityKind.COMPONENT,
        name=name,
        owner=owner,
        depends_on=tuple(f"component:default/{each}" for each in depends_on),
        matches=((Matcher(name="service", operator=MatchOperator.EQUAL, value=name),),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An agent that listens, and a client that knows its address."""

    url: str
    client: aiohttp.ClientSession
    site: Site
    loop: MemoryLoop
    history: MemoryHistory
    tokens: Mapping[str, str]
    """By role."""

    def bearer(self, role: str) -> dict[str, str]:
        """The header that shows the token of this role."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    async def ask(
        self, method: str, path: str, *, role: str | None = None, **given: Any
    ) -> tuple[int, Any]:
        """Status and JSON (or text) of an answer."""
        headers = {**(self.bearer(role) if role else {}), **given.pop("headers", {})}
        async with self.client.request(method, self.url + path, headers=headers, **given) as got:
            if got.content_type.endswith("json"):
                return got.status, await got.json(content_type=None)
            return got.status, await got.text()

    async def fire(self, *label_sets: Mapping[str, str]) -> None:
        """Post alerts that began at the test's own moment."""
        status, answer = await self.ask(
            "POST", "/api/v2/alerts", json=[{"labels": labels} for labels in label_sets]
        )
        assert (status, answer) == (200, "")


def make_site(access: Access, limits: Limits = LIMITS) -> tuple[Site, MemoryLoop, MemoryHistory]:
    """An agent in memory on the real core."""
    clock, registry, history, keyring = (
        SystemClock(),
        CollectorRegistry(),
        MemoryHistory(),
        Keyring(),
    )
    loop = MemoryLoop(shop_config(), clock, history)
    site = Site(
        loop=loop,
        store=history,
        intake=Intake(loop, IntakeMetrics(registry)),
        clock=clock,
        parsers={
            "alertmanager_v2": partial(parse_v2, resolve_timeout=timedelta(minutes=5)),
            "alertmanager": partial(parse_webhook, lease=None),
        },
        guarded_sources=frozenset(),
        access=access,
        keyring=keyring,
        tokens=history,
        sessions=Sessions(keyring),
        limits=limits,
        bodies=Bodies(limits, clock.monotonic),
        metrics=HttpMetrics(registry),
        registry=registry,
        about=About(version="0.0.test", started_at=clock.now(), problems=lambda: ()),
    )
    return site, loop, history


async def run(access: Access) -> AsyncIterator[Running]:
    """Listen until the test is over."""
    site, loop, history = make_site(access)
    tokens = {}
    for role in ("sender", "viewer", "operator", "approver", "admin"):
        token, record = mint(name=f"{role}-anna", roles=(role,), at=site.clock.now())
        site.keyring.add(record)
        tokens[role] = token
    listener = Listener(make_app(site, API_ROUTES), "127.0.0.1", 0)
    host, port = await listener.start()
    timeout = aiohttp.ClientTimeout(total=20)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as client:
            yield Running(
                url=f"http://{host}:{port}",
                client=client,
                site=site,
                loop=loop,
                history=history,
                tokens=tokens,
            )
    finally:
        async with asyncio.timeout(10):
            await listener.stop()


@pytest_asyncio.fixture
async def agent() -> AsyncIterator[Running]:
    """On loopback: reading and intake are open."""
    async for running in run(Access(is_loopback=True)):
        yield running


@pytest_asyncio.fixture
async def guarded() -> AsyncIterator[Running]:
    """As on a public address: everything needs a token."""
    async for running in run(Access(is_loopback=False)):
        yield running
