"""A real executor with a real ansible-playbook, playing on this machine alone."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from agent.config.contents import contents_of
from agent.model.remediation import Host, ParameterValue, Phase, RunLine, RunResult, RunSpec
from agent.runtime.ansible.executor import AnsibleExecutor
from agent.runtime.executor import Prepared

SECRET = "hunter2-and-more"
LOCAL = Host(name="app1", address="127.0.0.1", connection="local")


@dataclass
class Stage:
    """Where a test puts its playbooks and has them played."""

    executor: AnsibleExecutor
    remediations: Path
    work: Path
    numbers: Iterator[int] = field(default_factory=count)

    def remediation(self, tasks: str, name: str = "play") -> str:
        """Register a remediation with these tasks; gives its digest."""
        folder = self.remediations / name
        folder.mkdir(exist_ok=True)
        play = "- hosts: targets\n  gather_facts: false\n  tasks:\n"
        indented = "\n".join(f"    {line}" for line in tasks.splitlines())
        (folder / "playbook.yml").write_text(play + indented + "\n")
        return contents_of(folder).digest

    def spec(
        self,
        digest: str,
        parameters: Mapping[str, ParameterValue] | None = None,
        *,
        remediation: str = "play",
        hosts: tuple[Host, ...] = (LOCAL,),
        timeout_s: float = 30,
        check_mode: bool = False,
        phase: Phase = Phase.REMEDIATE,
    ) -> RunSpec:
        """A spec with a run id of its own."""
        return RunSpec(
            run=f"run-{next(self.numbers)}",
            remediation=remediation,
            digest=digest,
            phase=phase,
            hosts=hosts,
            parameters=parameters or {},
            timeout=timedelta(seconds=timeout_s),
            check_mode=check_mode,
        )

    async def play(
        self, spec: RunSpec, report: Callable[[RunLine], None] = lambda line: None
    ) -> RunResult:
        """Prepare and launch."""
        return await self.launch(await self.executor.prepare(spec), report)

    async def launch(
        self,
        prepared: Prepared,
        report: Callable[[RunLine], None] = lambda line: None,
        patience_s: float = 30,
    ) -> RunResult:
        """Launch what was prepared, as soon as others of the test make room for it."""
        return await self.executor.launch(
            prepared, report, begun=lambda: None, patience=timedelta(seconds=patience_s)
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("act")
    (folder / "remediations").mkdir()
    executor = AnsibleExecutor(
        folder / "remediations", folder / "work", secrets=(SECRET,), concurrency=2
    )
    await executor.start()
    yield Stage(executor, folder / "remediations", folder / "work")
    await executor.stop()
