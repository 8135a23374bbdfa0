"""An executor for where nothing can be run: every run is refused in words, the watch goes on."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from agent.model.preview import Preview, PreviewState
from agent.model.remediation import Outcome, RunLine, RunResult, RunSpec
from agent.runtime.executor import Prepared


class NoExecutor:
    """Refuses every run, saying why nothing can be run here."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    async def start(self) -> None:
        """Nothing to make ready."""

    async def stop(self) -> None:
        """Nothing to end."""

    async def prepare(self, spec: RunSpec) -> Prepared:
        """Say why not."""
        return Prepared(run=spec.run, digest=spec.digest, spec=spec, check_problem=self._problem)

    async def launch(
        self,
        prepared: Prepared,
        report: Callable[[RunLine], None],
        *,
        begun: Callable[[], None],
        patience: timedelta,
    ) -> RunResult:
        """Start nothing."""
        return RunResult(outcome=Outcome.REFUSED, summary=self._problem)

    async def preview(self, spec: RunSpec) -> Preview:
        """Say why not."""
        return Preview(state=PreviewState.INCOMPLETE, text=self._problem)

    async def cancel(self, run: str) -> None:
        """Nothing runs."""

    async def sweep(self, runs: Sequence[str]) -> None:
        """Nothing was left."""
