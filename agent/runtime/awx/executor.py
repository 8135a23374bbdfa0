"""An `Executor` that has a controller play: launched once, followed, and ended by its word.

A launch whose answer was lost is looked for by its mark and never made again; what cannot be found
is unknown. Not here: whether what would be played is what was approved (`plan`).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from agent.config.collections import Collections
from agent.config.contents import contents_of
from agent.config.tree import TreeError
from agent.errors import AgentError, PayloadError, TransientError
from agent.model.contents import differences, listed
from agent.model.preview import Preview
from agent.model.remediation import Outcome, RunLine, RunResult, RunSpec
from agent.runtime.ansible.outcome import incomplete, judge, preview_of
from agent.runtime.ansible.processes import tag_of
from agent.runtime.ansible.wire import Cause, Ended
from agent.runtime.awx import exchanges
from agent.runtime.awx.listening import Listening
from agent.runtime.awx.plan import Pinned, Plan, pinned, plan, refuse_words
from agent.runtime.awx.shapes import Job
from agent.runtime.client import Client
from agent.runtime.clock import Clock, SystemClock
from agent.runtime.executor import Prepared
from agent.runtime.log import logger

MARK = "watchkeeper_run"
"""The extra variable that says whose job it is: by it a launch is found again."""
FOUND_WITHIN_S = 20.0
"""How long a launch whose answer was lost is looked for."""
ENDED_WITHIN_S = 45.0
"""How long the controller may take to end a job that we cancelled."""

log = logger("awx")


class AwxExecutor:
    """Has the job templates of one controller played, through `client`.

    `work` is the agent's own folder of runs: it makes the marks of two agents different. `secrets`
    are blotted out of all output. `look_s` is how often a live job is looked at.
    """

    def __init__(
        self,
        remediations: Path,
        work: Path,
        client: Client,
        *,
        secrets: tuple[str, ...] = (),
        look_s: float = 1.0,
        found_within_s: float = FOUND_WITHIN_S,
        ended_within_s: float = ENDED_WITHIN_S,
        collections: Collections | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._remediations = remediations.resolve()
        # What tells two agents apart that have one controller.
        self._who = Path(f"{socket.gethostname()}:{work}")
        self._client = client
        self._secrets = secrets
        self._look_s = look_s
        self._found_within_s = found_within_s
        self._ended_within_s = ended_within_s
        self._collections = collections or Collections()
        self._now = (clock or SystemClock()).now
        self._reading = asyncio.Lock()
        self._live: dict[str, asyncio.Event] = {}
        """Runs under way, each with whether it is to be ended."""
        self._over: dict[str, asyncio.Event] = {}

    async def start(self) -> None:
        """Nothing to make ready: the controller is asked when there is something to play."""

    async def stop(self) -> None:
        """End every live run."""
        async with asyncio.TaskGroup() as ending:
            for run in tuple(self._live):
                ending.create_task(self.cancel(run), name=f"cancel {run}")

    async def prepare(self, spec: RunSpec) -> Prepared:
        """Look whether the controller would play what was approved; nothing is kept anywhere."""
        digest, found = await self._plan(spec)
        problem = found if isinstance(found, str) else None
        return Prepared(run=spec.run, digest=digest, spec=spec, check_problem=problem)

    async def launch(
        self,
        prepared: Prepared,
        report: Callable[[RunLine], None],
        *,
        begun: Callable[[], None],
        patience: timedelta,
    ) -> RunResult:
        """Launch one job and follow it to its end, or to its timeout."""
        spec, problem = prepared.spec, prepared.check_problem
        if spec.run in self._live:
            problem = f"run {spec.run} is live already; nothing more was started"
        if problem is not None:
            return self._nothing_started(problem)
        heard = Listening(spec, report=report, secrets=self._secrets, now=self._now)
        return await self._alone(spec, lambda: self._launch(spec, heard, begun, patience))

    async def preview(self, spec: RunSpec) -> Preview:
        """Launch a job of type check, and keep what its events show."""
        spec = replace(spec, check_mode=True)
        heard = Listening(spec, report=lambda line: None, secrets=self._secrets, now=self._now)
        if spec.run in self._live:
            return incomplete("it is being played already", self._now())
        within = timedelta(seconds=self._client.endpoint.timeout.total_seconds() * 5)
        result = await self._alone(
            spec, lambda: self._launch(spec, heard, lambda: None, patience=within)
        )
        if heard.ended is None:
            return incomplete(result.summary, self._now())
        return preview_of(heard.ended, heard.seen, spec=spec, digest=spec.digest, at=self._now())

    async def cancel(self, run: str) -> None:
        """Have its job ended; its `launch` gives the outcome. Unknown runs: no-op."""
        if run in self._live:
            self._live[run].set()
            await self._over[run].wait()

    async def sweep(self, runs: Sequence[str]) -> None:
        """Have what an earlier life of the agent left ended, as far as the controller answers."""
        if not runs:
            return
        for number in sorted(await asyncio.to_thread(self._templates)):
            for run in runs:
                try:
                    for job in await self._find(number, run):
                        await self._end(job)
                except AgentError as error:
                    log.warning("awx.not_swept", run=run, template=number, problem=str(error))

    async def _alone(self, spec: RunSpec, play: Callable[[], Awaitable[RunResult]]) -> RunResult:
        self._live[spec.run], self._over[spec.run] = asyncio.Event(), asyncio.Event()
        try:
            return await play()
        finally:
            self._live.pop(spec.run)
            self._over.pop(spec.run).set()

    async def _launch(
        self, spec: RunSpec, heard: Listening, begun: Callable[[], None], patience: timedelta
    ) -> RunResult:
        try:
            async with asyncio.timeout(patience.total_seconds()):
                _, found = await self._plan(spec)
        except TimeoutError:
            return self._nothing_started("the controller did not answer in time")
        if isinstance(found, str):
            return self._nothing_started(found)
        if self._live[spec.run].is_set():
            return self._nothing_started("cancelled before its start", Outcome.CANCELLED)
        started_at = self._now()
        begun()
        job = await self._begin(spec, found)
        if not isinstance(job, Job):
            return replace(job, started_at=started_at)
        try:
            return await self._follow(job, spec, found, heard, started_at)
        except AgentError as error:
            return self._unknown(f"how job {job.id} ended cannot be read: {error}", started_at)
        except asyncio.CancelledError:
            # We go, and nobody would watch it any more.
            await asyncio.shield(self._end(job))
            raise

    async def _begin(self, spec: RunSpec, found: Plan) -> Job | RunResult:
        """The job, or how it ended before there was one that is known."""
        wish: dict[str, object] = {
            "limit": found.limit,
            "extra_vars": {"agent_input": dict(spec.parameters), MARK: self._mark(spec.run)},
        }
        if spec.check_mode:
            wish |= {"job_type": "check", "diff_mode": True}
        try:
            launched = await self._client.drive(exchanges.launch(found.template, wish))
        except (TransientError, PayloadError) as lost:
            # The request may have arrived: a second one might be a second run.
            return await self._find_again(spec, found, str(lost))
        except AgentError as refused:
            return self._nothing_started(str(refused))
        if ignored := sorted(launched.ignored_fields.keys() & wish.keys()):
            job = Job(id=launched.job, status="pending")
            was_ended = await self._end(job)
            said = f"the controller ignored {', '.join(ignored)}; its job {job.id} was cancelled"
            outcome = Outcome.FAILED if was_ended else Outcome.UNKNOWN
            return RunResult(outcome=outcome, summary=said, ended_at=self._now())
        return Job(id=launched.job, status="pending")

    async def _find_again(self, spec: RunSpec, found: Plan, why: str) -> Job | RunResult:
        said = f"nobody knows whether the controller took it: {why}"
        try:
            async with asyncio.timeout(self._found_within_s):
                while True:
                    try:
                        jobs = await self._find(found.template, spec.run)
                    except AgentError as still:
                        said = f"nobody knows whether the controller took it: {why}; {still}"
                        jobs = ()
                    if jobs:
                        log.warning("awx.launch_found", run=spec.run, job=jobs[0].id, problem=why)
                        return jobs[0]
                    await asyncio.sleep(self._look_s)
        except TimeoutError:
            return RunResult(outcome=Outcome.UNKNOWN, summary=said, ended_at=self._now())

    async def _follow(
        self, job: Job, spec: RunSpec, found: Plan, heard: Listening, started_at: datetime
    ) -> RunResult:
        cause = Cause.EXITED
        wanted = self._live[spec.run]
        try:
            async with asyncio.timeout(spec.timeout.total_seconds()):
                job = await self._until_over(job, heard, wanted)
        except TimeoutError:
            cause = Cause.TIMED_OUT
        if not job.is_over and cause is Cause.EXITED:
            cause = Cause.CANCELLED
        if not job.is_over:
            if not await self._end(job):
                said = f"job {job.id} did not end when it was cancelled"
                return self._unknown(said, started_at)
            job = await self._client.drive(exchanges.job(job.id))
        await heard.catch_up(self._client, job.id)
        heard.ended = Ended(
            cause=_cause(job, cause),
            status=_status(job),
            stats=heard.recap.stats,
            evidence=heard.recap.evidence,
        )
        hosts = [host.name for host in spec.hosts]
        result = judge(heard.ended, hosts, started_at=started_at, ended_at=self._now())
        if job.scm_revision and job.scm_revision != found.revision:
            said = f"job {job.id} played revision {job.scm_revision[:12]}, not what was approved"
            return replace(result, outcome=Outcome.FAILED, summary=said)
        return replace(result, summary=f"job {job.id}: {result.summary}")

    async def _until_over(self, job: Job, heard: Listening, wanted: asyncio.Event) -> Job:
        """The job once it is over, or is to be ended; the controller may be away meanwhile."""
        while not job.is_over and not wanted.is_set():
            try:
                job = await self._client.drive(exchanges.job(job.id))
                await heard.catch_up(self._client, job.id)
            except AgentError as error:
                log.warning("awx.not_followed", job=job.id, problem=str(error))
            if not job.is_over:
                try:
                    async with asyncio.timeout(self._look_s):
                        await wanted.wait()
                except TimeoutError:
                    continue
        return job

    async def _end(self, job: Job) -> bool:
        """Cancel it until the controller says that it is over; False when it does not in time."""
        try:
            async with asyncio.timeout(self._ended_within_s):
                while not job.is_over:
                    try:
                        await self._client.drive(exchanges.cancel(job.id))
                        job = await self._client.drive(exchanges.job(job.id))
                    except AgentError as error:
                        log.warning("awx.not_cancelled", job=job.id, problem=str(error))
                    if not job.is_over:
                        await asyncio.sleep(self._look_s)
        except TimeoutError:
            return False
        return True

    async def _plan(self, spec: RunSpec) -> tuple[str, Plan | str]:
        """The digest of the folder, and what the controller would play of it, or why not."""
        if words := refuse_words(spec):
            return "", words
        folder = self._remediations / spec.remediation
        try:
            async with self._reading:
                contents = await asyncio.to_thread(contents_of, folder, self._collections)
        except (TreeError, OSError) as refused:
            return "", str(refused)
        if contents.digest != spec.digest:
            changed = differences(spec.contents, contents.parts) if spec.contents else ()
            said = listed(changed) or "it changed"
            return contents.digest, f"{spec.remediation} is not what was approved: {said}"
        pin = await asyncio.to_thread(pinned, folder)
        if isinstance(pin, str):
            return contents.digest, pin
        try:
            return contents.digest, await plan(self._client, spec, pin)
        except AgentError as error:
            return contents.digest, f"the controller cannot be asked: {error}"

    async def _find(self, template: int, run: str) -> tuple[Job, ...]:
        return await self._client.drive(exchanges.find(template, MARK, self._mark(run)))

    def _mark(self, run: str) -> str:
        return tag_of(run, self._who)

    def _templates(self) -> set[int]:
        """Every job template that a remediation names."""
        numbers: set[int] = set()
        for folder in self._remediations.iterdir() if self._remediations.is_dir() else ():
            pin = pinned(folder)
            if isinstance(pin, Pinned):
                numbers |= {pin.template, pin.rollback_template or pin.template}
        return numbers

    def _nothing_started(self, why: str, outcome: Outcome = Outcome.REFUSED) -> RunResult:
        said = f"{why}; nothing was started"
        return RunResult(outcome=outcome, summary=said, ended_at=self._now())

    def _unknown(self, why: str, started_at: datetime) -> RunResult:
        return RunResult(
            outcome=Outcome.UNKNOWN, summary=why, started_at=started_at, ended_at=self._now()
        )


def _cause(job: Job, ours: Cause) -> Cause:
    if job.status == "canceled":
        return ours if ours is not Cause.EXITED else Cause.CANCELLED
    return Cause.EXITED


def _status(job: Job) -> int | None:
    """As ansible-playbook would have left; None where the controller itself broke."""
    return {"successful": 0, "failed": 2, "canceled": 0}.get(job.status)
