"""What plays a playbook, whoever does it: our own Ansible here, a controller elsewhere.

Not here: whether a run may start (`core.policy`), and how Ansible is driven (`runtime.ansible`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from agent.model.preview import Preview
from agent.model.remediation import RunLine, RunResult, RunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run that could be launched: everything is on disk, nothing was started."""

    run: str
    digest: str
    """Of the private copy that would be played; the approved one stands in `spec.digest`."""
    spec: RunSpec
    check_problem: str | None = None
    """Why it must not be launched, for people; launching it all the same is `REFUSED`."""


class Executor(Protocol):
    """Plays remediations one run at a time, bounded, and ends them for certain."""

    async def start(self) -> None:
        """Make ready to launch quickly. Raises `PermanentError` when nothing could ever run."""

    async def stop(self) -> None:
        """End every live run, then whatever `start` began."""

    async def prepare(self, spec: RunSpec) -> Prepared:
        """Put a run's own copy of its remediation, inventory and variables on disk."""

    async def launch(
        self,
        prepared: Prepared,
        report: Callable[[RunLine], None],
        *,
        begun: Callable[[], None],
        patience: timedelta,
    ) -> RunResult:
        """Play it to its end, or to its timeout. A failed play is an outcome, never an error.

        It was judged for now: what cannot begin within `patience` is `REFUSED`, with nothing
        started. `begun` is called once, right before anything is started. From the first step of
        this call on, the run can be cancelled.
        """

    async def preview(self, spec: RunSpec) -> Preview:
        """Play it in check mode with diff; nothing is changed on any host.

        It never counts as a run and takes no run's place. Whatever goes wrong is part of the
        answer. From the first step of this call on it can be cancelled.
        """

    async def cancel(self, run: str) -> None:
        """End it for certain; its `launch` gives the outcome `CANCELLED`. Unknown runs: no-op."""

    async def sweep(self, runs: Sequence[str]) -> None:
        """After our own crash: make sure that nothing of these runs lives or is left on disk."""
