"""Ansible in the simulated world: prepares, plays, fails, hangs, half-succeeds, does harm.

What a playbook did to a service stays done whether or not the agent lived to hear of it.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from agent.model.change import Change, Run
from agent.model.effect import CancelRun, LaunchRun, PrepareRun, PreviewRun
from agent.model.entry import RunFinished, RunPrepared, RunStarted, What
from agent.model.preview import Preview, PreviewState
from agent.model.preview_entries import RunPreviewed
from agent.model.remediation import Outcome, Phase, RunResult, RunSpec
from agent.sim.agenda import Agenda
from agent.sim.plan import Faults
from agent.sim.services import Hosts, Start

SLOW_DISK_S = 600.0
"""How long a run may take to be laid out: time enough for the world to change its mind."""

Answer = Callable[[float, What], None]
"""Have the agent hear something after some seconds, if this life of it lasts until then."""


class Executor:
    """Plays what was prepared, once."""

    def __init__(
        self,
        agenda: Agenda,
        random: Random,
        faults: Faults,
        *,
        answer: Answer,
        digest_of: Callable[[str], str | None],
        changed: Callable[[str, bool], None],
        violated: Callable[[str, str], None],
    ) -> None:
        self.faults = faults
        self.hosts = Hosts()
        self._agenda = agenda
        self._random = random
        self._answer = answer
        self._digest_of = digest_of
        self._changed = changed
        """Told with a service and whether it is down from now on."""
        self._violated = violated
        self._specs: dict[str, RunSpec] = {}
        self._launches: dict[str, str] = {}
        """Run to the effect that launched it, while it plays."""

    def prepare(self, effect: PrepareRun) -> None:
        """Lay a run out; now and then what lies on disk is not what was approved."""
        self._specs[effect.spec.run] = effect.spec
        digest = self._digest_of(effect.spec.remediation)
        if self._random.random() < self.faults.disk_differs:
            digest = self._random.choice((None, "sha256:tampered"))
        said = RunPrepared(effect=effect.id, run=effect.spec.run, digest=digest)
        is_slow = self._random.random() < self.faults.disk_slow
        self._answer(0.1 + self._random.random() * (SLOW_DISK_S if is_slow else 2.0), said)

    def preview(self, effect: PreviewRun) -> None:
        """Show what it would do, touching nothing; now and then it takes too long, or fails."""
        is_slow = self._random.random() < self.faults.disk_slow
        fails = self._random.random() < self.faults.run_fails
        state = PreviewState.INCOMPLETE if fails else PreviewState.COMPLETE
        shown = Preview(state=state, text=f"simulated: {state}", digest=effect.spec.digest)
        said = RunPreviewed(effect=effect.id, change=effect.change, preview=shown)
        self._answer(1.0 + self._random.random() * (SLOW_DISK_S if is_slow else 20.0), said)

    def launch(self, effect: LaunchRun, run: Run, change: Change) -> None:
        """Play it: the host knows from this moment on."""
        spec = self._specs[effect.run]
        service = change.entity.rpartition("/")[2]
        wrong = self.hosts.begin(
            Start(
                at=self._agenda.now,
                run=run.id,
                remediation=spec.remediation,
                entity=change.entity,
                host=spec.hosts[0].name,
                phase=spec.phase,
            )
        )
        if wrong:
            self._violated("OneRunATarget", wrong)
        self._launches[run.id] = effect.id
        self._answer(0.5, RunStarted(effect=effect.id, run=run.id))
        self._play(effect, spec, service)

    def cancel(self, effect: CancelRun) -> None:
        """End a run for certain; its own end is the answer, or for a preview, that it was ended."""
        if effect.preview_of is not None:
            said = RunPreviewed(effect=effect.id, change=effect.preview_of, preview=None)
            self._answer(0.1, said)
            return
        launch = self._launches.get(effect.run)
        if launch is not None:
            self._finish(launch, effect.run, Outcome.CANCELLED)

    def end_orphans(self) -> None:
        """What a dead agent left is ended before anything else."""
        for run in list(self.hosts.running):
            self._launches.pop(run, None)
            self.hosts.end(run)

    def _play(self, effect: LaunchRun, spec: RunSpec, service: str) -> None:
        random, faults = self._random, self.faults
        took = 2 + random.random() * 100
        outcome, is_mended = Outcome.CHANGED, spec.phase is Phase.REMEDIATE
        if random.random() < faults.run_hangs:
            outcome, took, is_mended = Outcome.TIMED_OUT, spec.timeout.total_seconds(), False
        elif random.random() < faults.run_fails:
            outcome, is_mended = random.choice((Outcome.FAILED, Outcome.UNREACHABLE)), False
        elif random.random() < faults.run_halves:
            outcome = Outcome.FAILED
        elif random.random() < faults.run_is_vain:
            is_mended = False
        harms = random.random() < faults.run_harms
        half = self._agenda.now + timedelta(seconds=took / 2)
        self._agenda.at(half, lambda: self._work(spec.run, service, is_mended, harms))
        self._agenda.after(took, lambda: self._finish(effect.id, spec.run, outcome))

    def _work(self, run: str, service: str, is_mended: bool, harms: bool) -> None:
        if run not in self.hosts.running:
            return
        if is_mended:
            self._changed(service, False)
        if harms:
            self._changed(service, True)

    def _finish(self, effect: str, run: str, outcome: Outcome) -> None:
        if self._launches.pop(run, None) != effect or not self.hosts.end(run):
            return
        result = RunResult(
            outcome=outcome, summary=f"simulated: {outcome}", ended_at=self._agenda.now
        )
        self._answer(0.1, RunFinished(effect=effect, run=run, result=result))
