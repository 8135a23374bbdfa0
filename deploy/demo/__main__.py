"""`make demo`: real services break, and one watches them being remediated.

Stops nginx on one host, then the redis that two others share. KEEP=1 leaves everything running
afterwards, at the addresses it prints, until Ctrl-C; TICKETS=1 has a Redmine take part. All is
cleaned up at the end, however it comes. Where no hosts can be made the alerts are a
recording, and the remediation runs on this machine.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.error import URLError

from deploy.demo import hosts as demo_hosts
from deploy.demo import monitoring as demo_monitoring
from deploy.demo.acts import ACTS, Teller, play_on_hosts, tell_downtime, tell_tickets
from deploy.demo.agent import Agent
from deploy.demo.agent_view import AgentView
from deploy.demo.downtime import HEAD, rows
from deploy.demo.fallback import play_here, raised_here
from deploy.demo.narrator import Narrator, Tone
from deploy.demo.programs import NotReadyError
from deploy.demo.ticketing import why_no_redmine
from deploy.demo.world import World, raised

FOLDER = Path(__file__).parent.parent.parent / ".demo"
COMMENT = "The shop knows; nobody has to call."
FAILURES = (NotReadyError, TimeoutError, URLError)
INTERRUPTED = 128 + signal.SIGINT


async def on_real_hosts(narrator: Narrator, *, keep: bool, tickets: bool) -> None:
    """The demonstration proper."""
    async with raised(FOLDER, narrator, tickets=tickets) as world:
        view, began = AgentView(world.agent.url), datetime.now(UTC)
        for act in ACTS:
            played = await play_on_hosts(
                act,
                hosts=world.hosts,
                monitoring=world.monitoring,
                teller=Teller(view, world.inbox, narrator, _comment(view, world)),
                narrator=narrator,
            )
            if world.redmine:
                await tell_tickets(world.redmine, narrator, played.records)
            await tell_downtime(view, narrator, played.records)
        await tell_end(narrator, view, began)
        if keep:
            tell_places(narrator, world.agent, _other_places(world))
            await asyncio.Event().wait()


def _comment(view: AgentView, world: World) -> Callable[[str], None] | None:
    token = world.agent.first_token()
    return partial(view.comment, token, COMMENT) if world.redmine and token else None


async def on_this_machine(narrator: Narrator, *, keep: bool) -> None:
    """What can be shown where no hosts can be made."""
    async with raised_here(FOLDER, narrator) as world:
        began = datetime.now(UTC)
        await play_here(world, narrator)
        await tell_end(narrator, AgentView(world.agent.url), began)
        if keep:
            tell_places(narrator, world.agent, {})
            await asyncio.Event().wait()


async def tell_end(narrator: Narrator, view: AgentView, began: datetime) -> None:
    """The table of all services since everything was up."""
    report = await asyncio.to_thread(view.availability, began, datetime.now(UTC))
    narrator.act(f"Availability since the stage was set; {narrator.total_s:.0f} s in all")
    narrator.table(HEAD, rows(report))


def tell_places(narrator: Narrator, agent: Agent, others: Mapping[str, str]) -> None:
    """Where to look, and how to get in."""
    narrator.act("Everything stays up until Ctrl-C")
    narrator.place("console", f"{agent.url}/")
    narrator.place("sign in", agent.first_token() or f"no token found in {agent.log}")
    for name, address in others.items():
        narrator.place(name, address)
    narrator.note("Looking needs no token on this machine; whatever changes something does.")


def _other_places(world: World) -> Mapping[str, str]:
    redmine = {"redmine": world.redmine.url} if world.redmine else {}
    hosts = {host.name: f"ssh -F {_short(host.ssh_config)} {host.name}" for host in world.hosts.all}
    return {"prometheus": world.monitoring.url, **redmine, **hosts}


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


async def play(narrator: Narrator, *, keep: bool, tickets: bool) -> None:
    """Play what this machine permits; ends in good order when it is interrupted."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None, "this is run by asyncio"
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, task.cancel)
    if missing := demo_hosts.why_not() or demo_monitoring.why_not():
        narrator.note(f"No real hosts here: {missing}.", Tone.WARNING)
        narrator.note(
            "Recorded alerts of a real Prometheus are played to the agent instead, and real "
            "Ansible runs restart throw-away processes on this machine: no SSH, no live metrics."
        )
        await on_this_machine(narrator, keep=keep)
    else:
        if tickets and (reason := why_no_redmine()):
            narrator.note(f"No tickets: {reason}.", Tone.WARNING)
            tickets = False
        await on_real_hosts(narrator, keep=keep, tickets=tickets)
    if not keep:
        narrator.note("KEEP=1 make demo leaves everything up, to look around in the console.")


def main() -> int:
    """Play everything; 0 when each failure was remediated."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    keep, tickets = (os.environ.get(name) == "1" for name in ("KEEP", "TICKETS"))
    try:
        asyncio.run(play(Narrator(), keep=keep, tickets=tickets))
    except (*FAILURES, ExceptionGroup) as error:
        print(f"demo: {_told(error)}; logs are in {FOLDER}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        shutil.rmtree(FOLDER, ignore_errors=True)
        return 0 if keep else INTERRUPTED
    shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


def _told(error: Exception) -> str:
    """The words of a failure that one may meet; whatever else is raised again."""
    while isinstance(error, ExceptionGroup):
        met, unknown = error.split(FAILURES)
        if unknown is not None or met is None:
            raise error
        error = met.exceptions[0]
    if isinstance(error, URLError):
        return f"a program of the demonstration does not answer any more ({error.reason})"
    return str(error) or "that took too long"


if __name__ == "__main__":
    sys.exit(main())
