"""`make demo`: real services break, and one watches them being remediated.

Stops nginx on one host, then the redis that two others share. KEEP=1 leaves everything running
afterwards, at the addresses it prints, until Ctrl-C; otherwise all is cleaned up.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.demo import hosts as demo_hosts
from deploy.demo import monitoring as demo_monitoring
from deploy.demo.agent import Agent
from deploy.demo.hosts import Hosts
from deploy.demo.monitoring import Monitoring
from deploy.demo.narrator import Narrator
from deploy.demo.programs import LOOPBACK, NotReadyError, free_ports, until
from deploy.demo.prometheus_view import Claim, firing

FOLDER = Path(__file__).parent.parent.parent / ".demo"
ALERT_S_MAX = 30.0
REMEDIATED_S_MAX = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A failure: what is done to which host, and what Prometheus must claim then."""

    title: str
    host: str
    command: str
    claims: frozenset[Claim]


ACTS = (
    Act(
        title="nginx stops on app1",
        host="app1",
        command="service nginx stop",
        claims=frozenset({Claim("ServiceDown", "app1"), Claim("CheckoutFailing", "app1")}),
    ),
    Act(
        title="the redis that app1 and app2 share stops on app3",
        host="app3",
        command="service redis-server stop",
        claims=frozenset(
            {
                Claim("ServiceDown", "app3"),
                Claim("CheckoutFailing", "app1"),
                Claim("CheckoutFailing", "app2"),
            }
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The world that the acts are played in."""

    hosts: Hosts
    monitoring: Monitoring
    agent: Agent


@asynccontextmanager
async def raised(folder: Path, narrator: Narrator) -> AsyncIterator[Stage]:
    """Hosts, monitoring and agent, up for the time of the block."""
    narrator.act("Setting the stage")
    (port,) = free_ports(1)
    address = f"{LOOPBACK}:{port}"
    async with Hosts(folder) as hosts:
        names = ", ".join(f"{host.name} ({' and '.join(host.services)})" for host in hosts.all)
        narrator.stage("hosts", names)
        monitoring = Monitoring(folder, hosts=hosts.all, alertmanagers=[address])
        agent = Agent(folder, address=address, hosts=hosts, prometheus_url=monitoring.url)
        async with agent:
            narrator.stage("watchkeeper", f"{agent.url}  console, API, alerts in")
            async with monitoring:
                narrator.stage("prometheus", f"{monitoring.url}  posts alerts to watchkeeper")
                yield Stage(hosts=hosts, monitoring=monitoring, agent=agent)


async def play(act: Act, stage: Stage, narrator: Narrator) -> None:
    """Break something and tell what follows, until all is well again."""
    narrator.act(act.title)
    await stage.hosts[act.host].run(act.command)
    narrator.stage("broken", f"{act.host}: {act.command}")
    prometheus = stage.monitoring.url
    await until(lambda: act.claims <= firing(prometheus), limit_s=ALERT_S_MAX)
    told = [f"{claim.alertname} on {claim.host}" for claim in sorted(act.claims)]
    narrator.stage("alerts", "\n".join(told))
    await until(lambda: not firing(prometheus), limit_s=REMEDIATED_S_MAX)
    narrator.stage("all is well", "Prometheus claims nothing any more")


async def on_real_hosts(narrator: Narrator, *, keep: bool) -> None:
    """The demonstration proper."""
    async with raised(FOLDER, narrator) as stage:
        for act in ACTS:
            await play(act, stage, narrator)
        if keep:
            narrator.act("Everything stays up until Ctrl-C")
            narrator.note(f"watchkeeper  {stage.agent.url}")
            narrator.note(f"prometheus   {stage.monitoring.url}")
            for host in stage.hosts.all:
                narrator.note(f"{host.name}         ssh -F {host.ssh_config} {host.name}")
            await asyncio.Event().wait()


async def on_a_recording(narrator: Narrator, *, keep: bool) -> None:
    """What can be shown without own hosts: recorded alerts, remediated on this machine."""
    raise NotReadyError("the recorded demonstration is not there yet")


def main() -> int:
    """Play everything; 0 when each failure was remediated."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    keep = os.environ.get("KEEP") == "1"
    narrator = Narrator()
    missing = demo_hosts.why_not() or demo_monitoring.why_not()
    if missing:
        narrator.note(f"No real hosts here: {missing}. A recorded failure is played instead.")
    try:
        with suppress(KeyboardInterrupt):
            play_all = on_a_recording if missing else on_real_hosts
            asyncio.run(play_all(narrator, keep=keep))
    except (NotReadyError, TimeoutError) as error:
        print(f"demo: {error or 'that took too long'}; logs are in {FOLDER}", file=sys.stderr)
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
