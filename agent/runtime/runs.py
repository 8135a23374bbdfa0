"""Runs as effects: prepared, launched once, ended for certain, and each step told to the journal.

A run that we lost sight of is lost: it is ended and never started again.
Not here: whether a run may start (`core`), and how a playbook is played (`ansible`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from agent.model.effect import CancelRun, LaunchRun, PrepareRun, PreviewRun
from agent.model.entry import RunFinished, RunLost, RunStarted, What
from agent.model.preview import Preview
from agent.model.remediation import Outcome, RunLine, RunResult
from agent.runtime.crashpoint import reach
from agent.runtime.executor import Executor, Prepared
from agent.runtime.log import logger
from agent.runtime.metrics import EffectMetrics

log = logger("runs")

OVERTIME = timedelta(seconds=60)
"""The executor ends a run at its timeout; this is how long it may take over that."""
CANCEL_S_MAX = 60.0
PREPARED_MAX = 1_000
NOT_PREPARED = RunResult(
    outcome=Outcome.REFUSED, summary="it does not lie ready any more; nothing was started"
)
CANCELLED_EARLY = RunResult(
    outcome=Outcome.CANCELLED, summary="cancelled before its start; nothing was started"
)
TOO_LATE = RunResult(
    outcome=Outcome.REFUSED,
    summary="too late: policy allowed it for a moment that has passed; nothing was started",
)

Append = Callable[[What], Awaitable[None]]


class Runs:
    """Carries runs through one executor."""

    def __init__(
        self, executor: Executor, report: Callable[[RunLine], None], *, metrics: EffectMetrics
    ) -> None:
        self._executor = executor
        self._report = report
        self._metrics = metrics
        self._prepared: dict[str, Prepared | None] = {}
        """None for a run that was cancelled before its launch came."""

    async def prepare(self, effect: PrepareRun) -> tuple[str | None, str]:
        """The digest of what would be played, None where it must not be, and why."""
        prepared = await self._executor.prepare(effect.spec)
        problem = prepared.check_problem or ""
        if problem:
            return None if prepared.digest == effect.spec.digest else prepared.digest, problem
        if len(self._prepared) >= PREPARED_MAX:
            # all of them wait for a launch that is due: the oldest is the latest of all
            await self.discard(next(iter(self._prepared)))
        self._prepared[prepared.run] = prepared
        return prepared.digest, problem

    async def discard(self, run: str) -> None:
        """Remove what was prepared for a run that will not be launched; unknown runs: no-op."""
        if self._prepared.pop(run, None) is not None:
            await self._end(run)

    async def launch(self, effect: LaunchRun, append: Append, patience: timedelta) -> None:
        """Play what was prepared, once; its beginning and its end are told.

        Where it cannot begin within `patience`, nothing is started.
        """
        is_known = effect.run in self._prepared
        prepared = self._prepared.pop(effect.run, None)
        if prepared is None:
            why = CANCELLED_EARLY if is_known else NOT_PREPARED
            await append(RunFinished(effect=effect.id, run=effect.run, result=why))
            return
        reach("run.before_launch")
        async with asyncio.TaskGroup() as group:

            async def tell_begun() -> None:
                await append(RunStarted(effect=effect.id, run=effect.run))
                reach("run.after_launch")

            def begun() -> None:
                group.create_task(tell_begun(), name=f"begun:{effect.run}")

            # No task of its own: whoever cancels from now on finds it at the executor.
            result = await self._play(prepared, begun, patience)
        reach("run.before_finished")
        if isinstance(result, str):
            self._metrics.runs.labels("lost").inc()
            await append(RunLost(run=effect.run, problem=result))
            return
        self._metrics.runs.labels(result.outcome).inc()
        await append(RunFinished(effect=effect.id, run=effect.run, result=result))

    async def preview(self, effect: PreviewRun) -> Preview:
        """What check mode shows."""
        return await self._executor.preview(effect.spec)

    async def cancel(self, effect: CancelRun) -> None:
        """End a run for certain; its launch tells the end, also where that is still to come."""
        if effect.run in self._prepared:
            self._prepared[effect.run] = None
        await self._end(effect.run)

    async def sweep(self, runs: Sequence[str]) -> None:
        """Make sure that nothing of these runs lives."""
        await self._executor.sweep(runs)

    async def _play(
        self, prepared: Prepared, begun: Callable[[], None], patience: timedelta
    ) -> RunResult | str:
        """How it ended, or why nobody knows."""
        if patience <= timedelta(0):
            await self._end(prepared.run)
            return TOO_LATE
        longest = patience + prepared.spec.timeout + OVERTIME
        try:
            async with asyncio.timeout(longest.total_seconds()):
                return await self._executor.launch(
                    prepared, self._report, begun=begun, patience=patience
                )
        except Exception as error:
            # one run: whatever went wrong with its executor, the others go on
            log.exception("run_lost", run=prepared.run)
            await self._end(prepared.run)
            return str(error) or type(error).__name__

    async def _end(self, run: str) -> None:
        try:
            async with asyncio.timeout(CANCEL_S_MAX):
                await self._executor.cancel(run)
        except Exception:
            log.exception("run_not_ended", run=run)
