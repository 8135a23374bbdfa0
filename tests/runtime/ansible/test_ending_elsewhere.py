"""Claims about the end of runs on real SSH hosts: what a host had begun is ended there, too."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from agent.model.remediation import Host, Outcome, RunResult, RunSpec
from agent.runtime.ansible.elsewhere import REAPER, VARIABLE, end_on_hosts
from agent.runtime.ansible.executor import AnsibleExecutor
from agent.runtime.ansible.folder import hosts_in
from agent.runtime.ansible.processes import tag_of
from deploy.demo import hosts as demo
from deploy.demo.hosts import Hosts
from deploy.demo.programs import LOOPBACK, free_ports
from tests.e2e.agent import eventually
from tests.runtime.ansible.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

BEGUN_S_MAX = 30.0
STUBBORN = """\
- ansible.builtin.command:
    argv:
      - sh
      - -c
      - "trap '' HUP TERM INT; setsid sleep 600 & while :; do sleep 1; done"
"""
"""Ignores what a polite end sends, and has a child in a session of its own."""


@pytest_asyncio.fixture(loop_scope="session")
async def afar(session_hosts: Hosts, tmp_path: Path) -> AsyncIterator[Stage]:
    """An executor that trusts the session's hosts."""
    remediations, work = tmp_path / "remediations", tmp_path / "w"
    remediations.mkdir()
    executor = AnsibleExecutor(remediations, work, known_hosts=session_hosts.known_hosts)
    await executor.start()
    yield Stage(executor, remediations, work)
    await executor.stop()


def target(host: demo.Host) -> Host:
    """The host as the service map would give it."""
    key = str(host.ssh_key)
    return Host(name=host.name, address=LOOPBACK, port=host.ssh_port, private_key_file=key)


def carrying(tag: str) -> list[int]:
    """Processes of this kernel, the hosts' among them, that ssh started for the run."""
    wanted, found = f"{VARIABLE}={tag}".encode(), []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            environment = Path("/proc", name, "environ").read_bytes()
        except OSError:
            continue
        if wanted in environment.split(b"\0"):
            found.append(int(name))
    return found


def command(pid: int) -> bytes:
    """The command line of a process; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


async def begun(stage: Stage, host: demo.Host) -> tuple[RunSpec, asyncio.Task[RunResult]]:
    """A run whose task the host has begun."""
    spec = stage.spec(stage.remediation(STUBBORN), hosts=(target(host),), timeout_s=60)
    play = asyncio.get_running_loop().create_task(stage.play(spec))
    await until_asleep(stage, spec)
    return spec, play


async def until_asleep(stage: Stage, spec: RunSpec) -> None:
    """Return once the host plays the stubborn task and its child."""
    tag = tag_of(spec.run, stage.work)

    async def commands() -> list[bytes]:
        return [command(pid) for pid in carrying(tag)]

    await eventually(
        commands, lambda seen: any(b"600" in each for each in seen), limit_s=BEGUN_S_MAX
    )


async def test_a_cancelled_run_leaves_nothing_on_its_host(
    afar: Stage, session_hosts: Hosts
) -> None:
    """Neither the task that ignores signals nor its child in another session lives on."""
    spec, play = await begun(afar, session_hosts["app1"])
    await afar.executor.cancel(spec.run)
    result = await play

    assert carrying(tag_of(spec.run, afar.work)) == []
    assert (result.outcome, "may still run" in result.summary) == (Outcome.CANCELLED, False)


async def test_a_run_past_its_time_leaves_nothing_on_its_host(
    afar: Stage, session_hosts: Hosts
) -> None:
    """The time limit holds on the host as well."""
    hosts = (target(session_hosts["app1"]),)
    spec = replace(afar.spec(afar.remediation(STUBBORN), hosts=hosts), timeout=timedelta(seconds=6))
    play = asyncio.get_running_loop().create_task(afar.play(spec))
    await until_asleep(afar, spec)
    result = await play

    assert carrying(tag_of(spec.run, afar.work)) == []
    assert result.outcome is Outcome.TIMED_OUT


async def test_a_sweep_ends_what_an_earlier_life_had_begun_on_hosts(
    afar: Stage, session_hosts: Hosts
) -> None:
    """What is left of a run says by its inventory where to look."""
    spec, play = await begun(afar, session_hosts["app1"])
    assert [host.name for host in hosts_in(afar.work / spec.run)] == ["app1"]
    earlier = carrying(tag_of(spec.run, afar.work))
    next_life = AnsibleExecutor(afar.remediations, afar.work, known_hosts=session_hosts.known_hosts)
    await next_life.sweep([spec.run])

    assert earlier != []
    assert carrying(tag_of(spec.run, afar.work)) == []
    await play


async def test_a_host_that_cannot_be_asked_is_named(session_hosts: Hosts) -> None:
    """Not reached is not over."""
    there = target(session_hosts["app2"])
    (port,) = free_ports(1)
    away = replace(there, name="away", port=port)
    left = await end_on_hosts(
        (there, away, replace(there, name="here", connection="local")),
        "run-1@0",
        known_hosts=session_hosts.known_hosts,
        checking="yes",
    )

    assert left == ("away",)


async def test_where_the_variable_is_not_accepted_nothing_is_claimed() -> None:
    """An sshd that drops it would find nothing, and mean nothing by it."""
    asked = await asyncio.create_subprocess_exec(
        *("sh", "-c", REAPER.replace("TAG", "run-1@0")),
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asked.communicate()

    assert said.strip() == b"the variable is not accepted"
