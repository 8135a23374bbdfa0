"""Plays remediations with the Ansible beside us: private, bounded, and ended for certain.

Not here: whether a run may start (`core.policy`), and how its process is watched (`supervisor`).
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from agent.config.collections import Collections
from agent.errors import PermanentError
from agent.model.preview import Preview
from agent.model.remediation import Host, Outcome, Phase, RunLine, RunResult, RunSpec
from agent.runtime.ansible import folder as run_folder
from agent.runtime.ansible.check_mode import Gathering
from agent.runtime.ansible.conversation import Conversation
from agent.runtime.ansible.elsewhere import end_on_hosts
from agent.runtime.ansible.fork_server import ForkServer
from agent.runtime.ansible.installation import READ_AT_IMPORT, Installation
from agent.runtime.ansible.outcome import incomplete, judge, lives_on, preview_of
from agent.runtime.ansible.processes import RunProcesses, tag_of
from agent.runtime.ansible.syntax import syntax_spec
from agent.runtime.ansible.wire import Cause, Checked, Ended, Line, Order
from agent.runtime.executor import Prepared

CALL = "agent.runtime.ansible.supervisor:main"
GRACE_S = 3.0
"""How long ansible-playbook has to end its own workers after a SIGTERM."""
KILL_BUDGET_S = 10.0
END_MARGIN_S = 30.0
STARTS_MAX = 2
"""A run whose supervisor was never heard of has not begun, and may be started once more."""

Hear = Callable[[Line | Checked], None]

log = structlog.get_logger(__name__)


class AnsibleExecutor:
    """An `Executor` that drives ansible-playbook on this machine.

    `remediations` holds one folder a remediation; `work` is ours alone and holds one folder a
    live run. `secrets` are blotted out of all output. `settings` are Ansible's own environment
    settings, over ours. Without `known_hosts`, a new host's key is taken and kept in `work`.
    """

    def __init__(
        self,
        remediations: Path,
        work: Path,
        secrets: tuple[str, ...] = (),
        concurrency: int | None = None,
        *,
        known_hosts: Path | None = None,
        settings: Mapping[str, str] | None = None,
        collections: Collections | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._remediations = remediations.resolve()
        self._work = work.resolve()
        self._secrets = secrets
        self._concurrency = concurrency or os.cpu_count() or 1
        self._slots = asyncio.Semaphore(self._concurrency)
        self._known_hosts = (known_hosts or self._work / "known_hosts").resolve()
        self._checking = checking = "yes" if known_hosts else "accept-new"
        self._server = ForkServer(
            folder=self._work / ".ansible",
            environment={
                "ANSIBLE_SSH_EXTRA_ARGS": f"-o StrictHostKeyChecking={checking}",
                **(settings or {}),
            },
        )
        self._now = now
        self._collections = collections or Collections()
        self._reading = asyncio.Lock()
        self._live: dict[str, Conversation | None] = {}
        self._cancelled: set[str] = set()

    @property
    def plain_starts(self) -> int:
        """How many runs had to wait for Ansible to be imported."""
        return self._server.plain_starts

    async def start(self) -> None:
        """Make ready to launch quickly. Raises `PermanentError` when Ansible is not installed."""
        self._work.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._work.chmod(0o700)
        await self._server.start()

    async def stop(self) -> None:
        """End every live run, then the warm process."""
        async with asyncio.TaskGroup() as ending:
            for run in tuple(self._live):
                ending.create_task(self.cancel(run), name=f"cancel {run}")
        await self._server.stop()

    async def prepare(self, spec: RunSpec) -> Prepared:
        """Put a run's own copy of its remediation, inventory and variables on disk."""
        async with self._reading:
            made = await asyncio.to_thread(
                run_folder.create,
                spec,
                remediations=self._remediations,
                work=self._work,
                known_hosts=self._known_hosts,
                collections=self._collections,
            )
        return Prepared(run=spec.run, digest=made.digest, spec=spec, check_problem=made.problem)

    async def launch(
        self,
        prepared: Prepared,
        report: Callable[[RunLine], None],
        *,
        begun: Callable[[], None],
        patience: timedelta,
    ) -> RunResult:
        """Play it to its end, or to its timeout. A failed play is an outcome, never an error."""
        run, spec = prepared.run, prepared.spec
        if run in self._live:
            said = f"run {run} is live already; nothing more was started"
            return self._nothing_started(Outcome.REFUSED, said)
        if prepared.check_problem is not None:
            return self._nothing_started(Outcome.REFUSED, prepared.check_problem)
        self._live[run] = None
        try:
            return await self._in_turn(spec, report, begun, patience)
        except PermanentError as problem:
            return self._nothing_started(Outcome.REFUSED, str(problem))
        finally:
            self._live.pop(run, None)
            self._cancelled.discard(run)
            await asyncio.to_thread(self._remove, run)

    async def preview(self, spec: RunSpec) -> Preview:
        """Play it in check mode with diff, beside the runs; whatever goes wrong is part of it."""
        spec, seen = replace(spec, check_mode=True), Gathering()
        self._live.setdefault(spec.run, None)

        def hear(said: Line | Checked) -> None:
            if isinstance(said, Checked):
                seen.take(said)

        try:
            prepared = await self.prepare(spec)
            if prepared.check_problem is not None:
                return incomplete(prepared.check_problem, self._now())
            arguments = _arguments(spec, self._work / spec.run)
            ended = await self._converse(spec, arguments, hear)
        except PermanentError as problem:
            return incomplete(str(problem), self._now())
        finally:
            self._live.pop(spec.run, None)
            self._cancelled.discard(spec.run)
            await asyncio.to_thread(self._remove, spec.run)
        return preview_of(ended, seen, spec=spec, digest=prepared.digest, at=self._now())

    async def cancel(self, run: str) -> None:
        """End it for certain; its `launch` gives the outcome `CANCELLED`. Unknown runs: no-op."""
        if run not in self._live:
            await asyncio.to_thread(self._remove, run)
            return
        self._cancelled.add(run)
        conversation = self._live[run]
        if conversation is not None:
            conversation.cancel()
            await conversation.wait(GRACE_S + KILL_BUDGET_S)

    async def sweep(self, runs: Sequence[str]) -> None:
        """End and remove what an earlier life of the agent left of these runs, and of any other."""
        for run in sorted({*runs, *run_folder.left_in(self._work)} - self._live.keys()):
            if not await asyncio.to_thread(
                RunProcesses(tag_of(run, self._work)).kill, KILL_BUDGET_S
            ):
                log.error("ansible.survivors", run=run)
            hosts = await asyncio.to_thread(run_folder.hosts_in, self._work / run)
            await self._end_elsewhere(run, hosts)
            await asyncio.to_thread(self._remove, run)

    async def syntax_check(self, name: str) -> str | None:
        """What Ansible says is wrong with the playbooks of a remediation, or None."""
        for phase in Phase:
            spec = syntax_spec(self._remediations, name, phase, self._collections)
            problem = None if spec is None else await self._check_syntax(spec)
            if problem is not None:
                return problem
        return None

    async def _check_syntax(self, spec: RunSpec) -> str | None:
        prepared = await self.prepare(spec)
        lines: list[str] = []

        def keep(said: Line | Checked) -> None:
            lines.append(said.text)

        try:
            if prepared.check_problem is not None:
                return prepared.check_problem
            arguments = (*_arguments(spec, self._work / spec.run), "--syntax-check")
            ended = await self._converse(spec, arguments, keep)
        finally:
            self._live.pop(spec.run, None)
            await asyncio.to_thread(self._remove, spec.run)
        if ended is not None and ended.status == 0:
            return None
        return "\n".join(lines) or "ansible-playbook --syntax-check gave no answer"

    async def _in_turn(
        self,
        spec: RunSpec,
        report: Callable[[RunLine], None],
        begun: Callable[[], None],
        patience: timedelta,
    ) -> RunResult:
        try:
            async with asyncio.timeout(patience.total_seconds()):
                await self._slots.acquire()
        except TimeoutError:
            return self._not_begun(spec.run)
        try:
            changed = await self._changed(spec)
            if spec.run in self._cancelled:
                return self._not_begun(spec.run)
            if changed is not None:
                return self._nothing_started(Outcome.REFUSED, changed)
            begun()
            return await self._play(spec, _arguments(spec, self._work / spec.run), report)
        finally:
            self._slots.release()

    async def _changed(self, spec: RunSpec) -> str | None:
        """Looked at once more: it may have waited, and collections are shared."""
        async with self._reading:
            return await asyncio.to_thread(
                run_folder.refuse_changed, spec, self._work / spec.run, self._collections
            )

    def _not_begun(self, run: str) -> RunResult:
        if run in self._cancelled:
            said = "cancelled before its start; nothing was started"
            return self._nothing_started(Outcome.CANCELLED, said)
        said = (
            f"{self._concurrency} runs play already, as many as ansible.concurrency allows; "
            "nothing was started"
        )
        return self._nothing_started(Outcome.REFUSED, said)

    async def _play(
        self, spec: RunSpec, arguments: tuple[str, ...], report: Callable[[RunLine], None]
    ) -> RunResult:
        started_at = self._now()
        count = 0

        def pass_on(line: Line | Checked) -> None:
            nonlocal count
            if isinstance(line, Checked):
                return
            count += 1
            report(
                RunLine(
                    run=spec.run,
                    number=count,
                    at=self._now(),
                    text=line.text,
                    task=line.task,
                    host=line.host,
                )
            )

        ended = await self._converse(spec, arguments, pass_on)
        is_whole = ended is not None and ended.cause is Cause.EXITED
        left = () if is_whole else await self._end_elsewhere(spec.run, spec.hosts)
        if ended is None:
            return self._lost(spec.run, started_at, left)
        hosts = [host.name for host in spec.hosts]
        return judge(ended, hosts, started_at=started_at, ended_at=self._now(), left=left)

    async def _end_elsewhere(self, run: str, hosts: Sequence[Host]) -> tuple[str, ...]:
        """Hosts on which something that the run began may live on."""
        return await end_on_hosts(
            hosts,
            tag_of(run, self._work),
            known_hosts=self._known_hosts,
            checking=self._checking,
        )

    async def _converse(
        self, spec: RunSpec, arguments: tuple[str, ...], hear: Hear
    ) -> Ended | None:
        for _ in range(STARTS_MAX):
            order = self._order(spec, arguments, await self._server.ready())
            conversation, ended = await self._attempt(order, hear)
            if ended is not None or conversation.supervisor or spec.run in self._cancelled:
                return ended
            await self._server.stop()
        raise PermanentError("Ansible's fork server died at each start; nothing was played")

    async def _attempt(self, order: Order, hear: Hear) -> tuple[Conversation, Ended | None]:
        ours, theirs = socket.socketpair()
        conversation = await Conversation.over(ours)
        if order.run in self._cancelled:
            conversation.close()
            return conversation, None
        self._live[order.run] = conversation
        ended = None
        try:
            with theirs:
                self._server.fork(
                    call=CALL, tag=order.tag, order=order.encode(), descriptor=theirs.fileno()
                )
            ended = await conversation.listen(
                hear, timeout_s=order.timeout_s + order.grace_s + END_MARGIN_S
            )
        finally:
            # Closed is cancelled: the supervisor ends the run when it cannot be heard any more.
            conversation.close()
            if ended is None:
                await asyncio.to_thread(RunProcesses(order.tag).kill, KILL_BUDGET_S)
        return conversation, ended

    def _order(
        self, spec: RunSpec, arguments: tuple[str, ...], installation: Installation
    ) -> Order:
        folder = self._work / spec.run
        return Order(
            run=spec.run,
            tag=tag_of(spec.run, self._work),
            folder=str(folder),
            call=installation.call,
            arguments=arguments,
            environment={
                "AWX_ISOLATED_DATA_DIR": str(folder / "artifacts"),
                "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
                "TMPDIR": str(folder / "tmp"),
            },
            assign={READ_AT_IMPORT: str(folder / "tmp")},
            timeout_s=spec.timeout.total_seconds(),
            grace_s=GRACE_S,
            secrets=self._secrets,
            is_check=spec.check_mode,
        )

    def _lost(self, run: str, started_at: datetime, left: tuple[str, ...]) -> RunResult:
        cancelled = run in self._cancelled
        summary = "cancelled; its supervisor was gone" if cancelled else "its supervisor died"
        return RunResult(
            outcome=Outcome.CANCELLED if cancelled and not left else Outcome.UNKNOWN,
            summary=summary + lives_on(left),
            started_at=started_at,
            ended_at=self._now(),
        )

    def _nothing_started(self, outcome: Outcome, summary: str) -> RunResult:
        return RunResult(outcome=outcome, summary=summary, ended_at=self._now())

    def _remove(self, run: str) -> None:
        if run_folder.RUN.fullmatch(run):
            run_folder.remove(self._work / run)


def _arguments(spec: RunSpec, folder: Path) -> tuple[str, ...]:
    # In check mode the reason why a task was left out is printed, and told nowhere else.
    # No word of the command line comes from outside: names are plain, files are ours.
    return (
        "ansible-playbook",
        *("--inventory", str(folder / "inventory.json")),
        *("--extra-vars", f"@{folder / 'variables.json'}"),
        *(("--check", "--diff", "-v") if spec.check_mode else ()),
        run_folder.PLAYBOOKS[spec.phase],
    )
