"""An agent behind a real listener on loopback, for tests of everything that comes by HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from prometheus_client import CollectorRegistry

from agent.core.step import step
from agent.manifest import Kind
from agent.model.entry import ConfigLoaded
from agent.model.labels import Matcher, MatchOperator
from agent.model.policy import Policy, PolicyRule, Verdict
from agent.model.remediation import Host, Parameter, ParameterType, Remediation
from agent.model.rule import Config
from agent.model.rule import Route as Telling
from agent.model.service import Entity, EntityKind, ServiceMap
from agent.runtime.audit.checkpoints import AuditMetrics, Publisher
from agent.runtime.audit.desk import AuditDesk
from agent.runtime.audit.note import open_signer
from agent.runtime.clock import SystemClock
from agent.runtime.database import Database
from agent.runtime.discover import Discoverer
from agent.runtime.intake import Intake, IntakeMetrics
from agent.runtime.loop import Loop
from agent.runtime.metrics import LoopMetrics
from agent.runtime.migrate import migrate
from agent.runtime.recovery import recover
from agent.runtime.registry import Registry
from agent.runtime.signature import Signed
from agent.runtime.snapshot import Snapshots
from agent.runtime.store import Store
from agent.runtime.tokens import Keyring, mint
from agent.web.api import API_ROUTES
from agent.web.auth import Access
from agent.web.body import Bodies, Limits
from agent.web.metrics import HttpMetrics
from agent.web.server import Listener
from agent.web.session import Sessions
from agent.web.site import About, Site
from connectors.alertmanager import parse_v2, parse_webhook
from tests.runtime.agents import own

LIMITS = Limits(
    body_bytes_max=1024 * 1024,
    bodies_bytes_max=8 * 1024 * 1024,
    body_patience=timedelta(seconds=0.3),
    requests_at_once_max=16,
)

CLIENT_S_MAX = 20
SIGNING = "what-the-tools-sign-with"
REGISTRY = Registry.find()


def shop_config() -> Config:
    """A shop that rests on a database."""
    return Config(
        digest="shop",
        service_map=ServiceMap.of(
            {
                "component:default/shop": _component("shop", depends_on=("db",), owner="group:web"),
                "component:default/db": replace(_component("db"), cost_per_hour=12_000.0),
                "component:default/sign": replace(_component("sign"), matches=()),
            }
        ),
        routes=(Telling(name="all", receiver="oncall"),),
        remediations={
            "restart": Remediation(
                name="restart",
                title="Restart it",
                digest="d1",
                author="carla",
                parameters=(
                    Parameter(name="service", type=ParameterType.STRING, choices=("db", "shop")),
                ),
            )
        },
        policy=Policy(
            rules=(
                PolicyRule(
                    name="ask",
                    when="true",
                    verdict=Verdict.NEEDS_APPROVAL,
                    roles=("approver",),
                ),
            ),
            digest="p1",
        ),
    )


def _component(name: str, depends_on: tuple[str, ...] = (), owner: str | None = None) -> Entity:
    return Entity(
        ref=f"component:default/{name}",
        kind=EntityKind.COMPONENT,
        name=name,
        owner=owner,
        host=Host(name=name, address="192.0.2.1", private_key_file="/secret/key"),
        depends_on=tuple(f"component:default/{each}" for each in depends_on),
        matches=((Matcher(name="service", operator=MatchOperator.EQUAL, value=name),),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An agent that listens, and a client that knows its address."""

    url: str
    client: aiohttp.ClientSession
    site: Site
    loop: Loop
    store: Store
    tokens: Mapping[str, str]
    """By role."""
    publisher: Publisher
    """Signs the audit log when a test asks it to."""

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

    def taken(self, outcome: str) -> int:
        """How many alerts had this outcome at the intake: kept, repeated or stale."""
        name = "watchkeeper_intake_alerts_total"
        labels = {"source": "alertmanager_v2", "outcome": outcome}
        return int(self.site.registry.get_sample_value(name, labels) or 0)

    async def fire(self, *label_sets: Mapping[str, str]) -> None:
        """Post alerts that began at the test's own moment."""
        status, answer = await self.ask(
            "POST", "/api/v2/alerts", json=[{"labels": labels} for labels in label_sets]
        )
        assert (status, answer) == (200, "")


def _tokens(keyring: Keyring) -> dict[str, str]:
    """A token of each role, by role."""
    now = SystemClock().now()
    tokens = {}
    for role in ("sender", "viewer", "operator", "approver", "admin"):
        tokens[role], record = mint(name=f"{role}-anna", roles=(role,), at=now)
        keyring.add(record)
    return tokens


def _publisher(folder: Path, database: Database, registry: CollectorRegistry) -> Publisher:
    """Signs when a test has it look; nobody outside is told."""
    return Publisher(
        database,
        open_signer(folder / "audit.key", None, may_make=True),
        (),
        clock=SystemClock(),
        every=timedelta(minutes=1),
        events=1,
        metrics=AuditMetrics(registry),
    )


def _sources(folder: Path) -> dict[str, Any]:
    """What reads what tools post, as `Site` wants it."""
    return {
        "parsers": {
            "alertmanager_v2": partial(parse_v2, resolve_timeout=timedelta(minutes=5)),
            "alertmanager": partial(parse_webhook, lease=None),
            "guarded": partial(parse_webhook, lease=None),
        },
        "change_parsers": {
            name: REGISTRY.changes(name, {}, folder).parse_changes
            for name in REGISTRY.names(Kind.CHANGES)
        },
        "signatures": {
            name: Signed(signature=signature, secret=lambda: SIGNING)
            for name in REGISTRY.names(Kind.CHANGES)
            if (signature := REGISTRY.manifest_of(name).signature)
        },
    }


@asynccontextmanager
async def running(
    folder: Path,
    access: Access,
    *,
    is_stuck: bool = False,
    discoverer: Discoverer | None = None,
) -> AsyncIterator[Running]:
    """An agent on a journal and a history of its own. Stuck: it takes entries and decides none."""
    migrate(folder / "watchkeeper.db")
    clock, registry, keyring = SystemClock(), CollectorRegistry(), Keyring()
    snapshots = Snapshots(folder / "snapshots")
    database = own(folder / "watchkeeper.db")
    loop = Loop(
        recovered=recover(folder / "watchkeeper.db", snapshots, step),
        database=database,
        snapshots=snapshots,
        clock=clock,
        step=step,
        perform=lambda _: None,
        metrics=LoopMetrics(registry),
    )
    store = Store(database)
    publisher = _publisher(folder, database, registry)
    site = Site(
        loop=loop,
        store=store,
        intake=Intake(loop, IntakeMetrics(registry)),
        clock=clock,
        **_sources(folder),
        guarded_sources=frozenset({"guarded"}),
        access=access,
        keyring=keyring,
        tokens=store,
        sessions=Sessions(keyring),
        limits=LIMITS,
        bodies=Bodies(LIMITS, clock.monotonic),
        metrics=HttpMetrics(registry),
        registry=registry,
        discoverer=discoverer,
        audit=AuditDesk(database, publisher),
        about=About(version="0.0.test", started_at=clock.now(), problems=lambda: ()),
    )
    tokens = _tokens(keyring)
    listener = Listener(site, API_ROUTES, "127.0.0.1", 0)
    host, port = await listener.start()
    timeout = aiohttp.ClientTimeout(total=CLIENT_S_MAX)
    async with asyncio.TaskGroup() as tasks, aiohttp.ClientSession(timeout=timeout) as client:
        working = None if is_stuck else tasks.create_task(loop.run())
        if working:
            await loop.append(ConfigLoaded(config=shop_config()))
        url = f"http://{host}:{port}"
        yield Running(
            url=url,
            client=client,
            site=site,
            loop=loop,
            store=store,
            tokens=tokens,
            publisher=publisher,
        )
        await listener.stop()
        loop.stop()
        if working:
            await working
    database.close()


@pytest_asyncio.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Running]:
    """On loopback: reading and intake are open."""
    async with running(tmp_path, Access(is_loopback=True)) as found:
        yield found


@pytest_asyncio.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Running]:
    """As on a public address: everything needs a token."""
    async with running(tmp_path, Access(is_loopback=False)) as found:
        yield found


@pytest_asyncio.fixture
async def stuck(tmp_path: Path) -> AsyncIterator[Running]:
    """An agent that takes entries until its queue is full, and decides none."""
    async with running(tmp_path, Access(is_loopback=True), is_stuck=True) as found:
        yield found
