"""The shipped remediations, played by the real executor on real SSH hosts."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from agent.config.remediations import read_remediations
from agent.core.changes.decide import check_parameters
from agent.core.state import State
from agent.model.remediation import (
    Host,
    Outcome,
    ParameterValue,
    Phase,
    Remediation,
    RunLine,
    RunResult,
    RunSpec,
)
from agent.runtime.ansible.executor import AnsibleExecutor
from deploy.demo import hosts as demo
from deploy.demo.hosts import Hosts
from deploy.demo.programs import LOOPBACK, find
from tests.source import ROOT

SHIPPED = ROOT / "remediations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How a play ended, and all that it said."""

    result: RunResult
    text: str

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.result.outcome


@dataclass(slots=True)
class Library:
    """Plays what is shipped, with parameters that went through the gate of the core."""

    executor: AnsibleExecutor
    remediations: Mapping[str, Remediation]
    _numbers: Iterator[int] = field(default_factory=count)

    def accepted(
        self, name: str, parameters: Mapping[str, ParameterValue]
    ) -> dict[str, ParameterValue] | str:
        """The values in their declared types, or why they are refused."""
        return check_parameters(State(), self.remediations[name], parameters)

    async def play(
        self,
        name: str,
        /,
        *hosts: demo.Host,
        check: bool = False,
        undo: bool = False,
        **parameters: ParameterValue,
    ) -> Played:
        """Play it as a change would; `undo` plays its rollback."""
        remediation = self.remediations[name]
        given = self.accepted(name, parameters)
        assert isinstance(given, dict), given
        spec = RunSpec(
            run=f"lib-{next(self._numbers)}",
            remediation=name,
            digest=remediation.digest,
            phase=Phase.ROLLBACK if undo else Phase.REMEDIATE,
            hosts=tuple(target(host) for host in hosts),
            parameters=given,
            timeout=remediation.timeout,
            check_mode=check,
        )
        lines: list[RunLine] = []
        prepared = await self.executor.prepare(spec)
        result = await self.executor.launch(
            prepared, lines.append, begun=lambda: None, patience=remediation.timeout
        )
        text = "\n".join(line.text for line in lines)
        print(text)  # pytest shows it beside a claim that fails
        return Played(result=result, text=text)


def target(host: demo.Host) -> Host:
    """The host as the service map would give it."""
    return Host(
        name=host.name,
        address=LOOPBACK,
        port=host.ssh_port,
        private_key_file=str(host.ssh_key),
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def library(
    session_hosts: Hosts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Library]:
    """The shipped remediations with an executor that trusts the session's hosts."""
    work = tmp_path_factory.mktemp("library")
    executor = AnsibleExecutor(SHIPPED, work / "w", known_hosts=session_hosts.known_hosts)
    await executor.start()
    yield Library(executor, read_remediations(SHIPPED).remediations)
    await executor.stop()


@pytest.fixture(scope="session")
def app1(session_hosts: Hosts) -> demo.Host:
    """A host with nginx."""
    return session_hosts["app1"]


@pytest.fixture(scope="session")
def app2(session_hosts: Hosts) -> demo.Host:
    """Its twin."""
    return session_hosts["app2"]


Needs = Callable[..., None]


@pytest.fixture(scope="session")
def needs() -> Needs:
    """Skips a test where programs are not installed: `needs("haproxy", "socat")`."""

    def ask(*programs: str) -> None:
        absent = [name for name in programs if find(name) is None and not Path(name).exists()]
        if absent:
            pytest.skip(f"not installed: {', '.join(absent)}")

    return ask
