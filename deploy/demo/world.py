"""The world that the demonstration is played in, raised part by part and cleared away after it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.agent import Agent
from deploy.demo.hosts import Hosts
from deploy.demo.inbox import Inbox
from deploy.demo.monitoring import Monitoring
from deploy.demo.narrator import Narrator
from deploy.demo.programs import LOOPBACK, free_ports
from deploy.demo.ticketing import Redmine, Ticketing

MORE_RULES = Path(__file__).parent / "more_rules"
TELLING = MORE_RULES / "telling.yaml"
TICKETING = MORE_RULES / "ticketing.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that is up."""

    hosts: Hosts
    monitoring: Monitoring
    agent: Agent
    inbox: Inbox
    redmine: Redmine | None


@asynccontextmanager
async def raised(folder: Path, narrator: Narrator, *, tickets: bool) -> AsyncIterator[World]:
    """Hosts, monitoring, agent and, where asked, a ticketing tool, up for the time of the block."""
    narrator.act("Setting the stage")
    address = f"{LOOPBACK}:{free_ports(1)[0]}"
    async with AsyncExitStack() as up:
        hosts = await up.enter_async_context(Hosts(folder))
        names = ", ".join(f"{host.name} ({' and '.join(host.services)})" for host in hosts.all)
        narrator.stage("hosts", f"three, by SSH: {names}")
        monitoring = Monitoring(folder, hosts=hosts.all, alertmanagers=[address])
        inbox = await up.enter_async_context(Inbox())
        redmine = await _redmine(up, narrator) if tickets else None
        agent = Agent(
            folder,
            address=address,
            settings=_settings(hosts, monitoring, inbox, redmine),
            filled_in={
                f"root@{host.name}": f"root@{LOOPBACK}:{host.ssh_port}" for host in hosts.all
            },
            more_rules=[TELLING, TICKETING] if tickets else [TELLING],
        )
        # Prometheus pauses five seconds before it looks at anything: the agent starts meanwhile.
        async with asyncio.TaskGroup() as starting:
            agent_up = starting.create_task(_up(up, agent, narrator))
            starting.create_task(_watching(up, monitoring, narrator, agent_up))
        yield World(hosts=hosts, monitoring=monitoring, agent=agent, inbox=inbox, redmine=redmine)


async def _up(up: AsyncExitStack, agent: Agent, narrator: Narrator) -> None:
    await up.enter_async_context(agent)
    narrator.stage("watchkeeper", f"{agent.url}  console, API, alerts in")


async def _watching(
    up: AsyncExitStack, monitoring: Monitoring, narrator: Narrator, agent_up: asyncio.Task[None]
) -> None:
    await up.enter_async_context(monitoring)
    await agent_up
    narrator.stage("prometheus", f"{monitoring.url}  posts its alerts to watchkeeper")


async def _redmine(up: AsyncExitStack, narrator: Narrator) -> Redmine:
    # below the system's own folder: Redmine runs as another user, who may not enter a checkout
    folder = up.enter_context(tempfile.TemporaryDirectory(prefix="watchkeeper-redmine-"))
    redmine = await up.enter_async_context(Ticketing(Path(folder)))
    narrator.stage("redmine", f"{redmine.url}  ticketing")
    return redmine


def _settings(
    hosts: Hosts, monitoring: Monitoring, inbox: Inbox, redmine: Redmine | None
) -> Mapping[str, object]:
    return {
        "prometheus": {"url": monitoring.url},
        "ansible": {
            "known_hosts": str(hosts.known_hosts),
            "private_key_file": str(hosts.ssh_key),
        },
        "receivers": [{"name": "on-call", "apprise": [inbox.address]}],
        "connectors": [_connection(redmine)] if redmine else [],
    }


def _connection(redmine: Redmine) -> Mapping[str, object]:
    return {
        "name": "redmine",
        "type": "redmine",
        "url": redmine.url,
        "secret": redmine.api_key,
        "poll_every": "2s",
        "options": {
            "project": redmine.project,
            "external_id_field": redmine.external_id_field,
            "statuses": {
                "open": ["New"],
                "in_progress": ["In Progress"],
                "resolved": ["Closed"],
            },
            "priorities": {"P1": "Urgent", "P2": "High", "P3": "Normal"},
        },
    }
