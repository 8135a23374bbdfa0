"""What can be shown without own hosts: recorded alerts, remediated on this machine for real.

The alerts are a recording of a real Prometheus; the incident, the change, the run of Ansible and
the processes that it restarts are not. The recorded end of an alert is played only when the
stopped process answers again.
"""

import asyncio
import sys
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.acts import ACTS, REMEDIATED_S_MAX, Act, Teller, tell_downtime
from deploy.demo.agent import Agent
from deploy.demo.agent_view import AgentView
from deploy.demo.inbox import Inbox
from deploy.demo.narrator import Detail, Narrator, Tone
from deploy.demo.programs import (
    ANSWER_S_MAX,
    LOOPBACK,
    READY_S_MAX,
    Program,
    answers,
    free_ports,
    until,
)
from deploy.demo.recording import Recording
from deploy.demo.world import TELLING

HERE = Path(__file__).parent
ON_THIS_MACHINE = HERE / "on_this_machine"
HOSTS = ("app1", "app2", "app3")
SERVICES = ("nginx", "redis")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """A throw-away process and the keeper that starts and stops it."""

    service: str
    port: int
    log: Path

    @property
    def url(self) -> str:
        """Where its keeper is asked."""
        return f"http://{LOOPBACK}:{self.port}/"

    def stop(self) -> None:
        """Stop the service; its keeper stays."""
        request = urllib.request.Request(f"{self.url}stop", method="POST")
        urllib.request.urlopen(request, timeout=ANSWER_S_MAX).close()

    def restarts(self) -> int:
        """How often it was restarted, by its keeper's own log."""
        return self.log.read_text().split().count("/restart")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalWorld:
    """Everything that is up."""

    stand_ins: Mapping[str, StandIn]
    agent: Agent
    inbox: Inbox


@asynccontextmanager
async def raised_here(folder: Path, narrator: Narrator) -> AsyncIterator[LocalWorld]:
    """Stand-ins and the agent, up for the time of the block."""
    narrator.act("Setting the stage on this machine")
    async with AsyncExitStack() as up:
        stand_ins = {name: await _stand_in(up, folder, name) for name in SERVICES}
        narrator.stage("services", "throw-away processes stand in for nginx and redis")
        inbox = await up.enter_async_context(Inbox())
        agent = Agent(
            folder,
            address=f"{LOOPBACK}:{free_ports(1)[0]}",
            settings={"receivers": [{"name": "on-call", "apprise": [inbox.address]}]},
            filled_in=_words(stand_ins),
            more_rules=[TELLING, ON_THIS_MACHINE / "remediation.yaml"],
            remediations=ON_THIS_MACHINE / "remediations",
        )
        await up.enter_async_context(agent)
        narrator.stage("watchkeeper", f"{agent.url}  console, API, alerts in")
        yield LocalWorld(stand_ins=stand_ins, agent=agent, inbox=inbox)


async def play_here(world: LocalWorld, narrator: Narrator) -> None:
    """Both failures, from their recording."""
    recording, view = Recording(), AgentView(world.agent.url)
    for act in ACTS:
        await _play(act, world, recording, Teller(view, world.inbox, narrator), narrator)


async def _play(
    act: Act, world: LocalWorld, recording: Recording, teller: Teller, narrator: Narrator
) -> None:
    narrator.act(f"{act.title} (alerts recorded)")
    stand_in, url = world.stand_ins[act.service], world.agent.url
    await asyncio.to_thread(stand_in.stop)
    narrator.stage("broken", f"the process that stands in for {act.service}", tone=Tone.BAD)
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(teller.until_over())
        await recording.play(act.stops, url)
        await until(lambda: answers(stand_in.url), limit_s=REMEDIATED_S_MAX)
        await recording.play(act.returns, url)
    counts = ", ".join(
        f"{name} {each.restarts()}" for name, each in sorted(world.stand_ins.items())
    )
    narrator.stage(
        "seen",
        f"{act.service} answers again",
        tone=Tone.GOOD,
        details=[Detail(f"restarts so far, by their keepers' logs: {counts}")],
    )
    await tell_downtime(AgentView(url), narrator, telling.result())


async def _stand_in(up: AsyncExitStack, folder: Path, name: str) -> StandIn:
    keeper_port, service_port = free_ports(2)
    stand_in = StandIn(service=name, port=keeper_port, log=folder / f"{name}.log")
    program = await Program.start(
        *(sys.executable, HERE / "stand_in.py", str(keeper_port), str(service_port)),
        log=stand_in.log,
    )
    up.push_async_callback(program.stop)
    await program.until_ready(lambda: answers(stand_in.url), limit_s=READY_S_MAX)
    return stand_in


def _words(stand_ins: Mapping[str, StandIn]) -> Mapping[str, str]:
    local = f'connection: local\n    watchkeeper.io/python: "{sys.executable}"'
    return {
        **{f"ssh-host: root@{name}": local for name in HOSTS},
        **{f"{name.upper()}_PORT": str(each.port) for name, each in stand_ins.items()},
    }
