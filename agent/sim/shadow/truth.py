"""What truly happened: the journal played as it was, and what a shadow needs to know of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.core.state import State
from agent.core.step import step
from agent.model.entry import (
    Entry,
    ProbeAnswered,
    RunFinished,
    RunLost,
    RunPrepared,
    RunStarted,
)
from agent.model.remediation import Phase, RunResult
from agent.model.service import EntityRef
from agent.sim.shadow.names import NEAR, Named, names_of
from agent.sim.shadow.story import Story

PASSED_ON = (RunPrepared, RunStarted, RunFinished, RunLost)


@dataclass(slots=True, kw_only=True)
class TrueRun:
    """A run as it went."""

    run: str
    change: str
    remediation: str
    entity: EntityRef
    phase: Phase
    launched_at: datetime
    ended_at: datetime | None = None
    result: RunResult | None = None
    problem: str | None = None
    """Why it was lost sight of."""
    is_taken: bool = False

    @property
    def lasted(self) -> timedelta | None:
        """How long it took; None where its end is not known."""
        return self.ended_at - self.launched_at if self.ended_at else None


@dataclass(slots=True)
class Unprepared:
    """A run of which the files were not what was approved, or could not be laid out."""

    target: tuple[str, EntityRef, Phase]
    said: RunPrepared
    at: datetime
    is_taken: bool = False


@dataclass(slots=True)
class Truth:
    """The journal as it was, as far as it was played."""

    state: State
    story: Story = field(default_factory=Story)
    named: dict[int, Named] = field(default_factory=dict)
    """By entry, whom it means."""
    runs: dict[str, TrueRun] = field(default_factory=dict)
    unprepared: list[Unprepared] = field(default_factory=list)
    probes: dict[str, list[bool | None]] = field(default_factory=dict)
    """By change, what the metrics source answered."""

    def play(self, entry: Entry, *, is_told: bool) -> None:
        """Play the next entry; `is_told` where the story has begun."""
        what = entry.what
        if is_told and not isinstance(what, PASSED_ON):
            named = names_of(self.state, what)
            if named is not None:
                self.named[entry.number] = named
        if is_told and isinstance(what, RunPrepared):
            self._look_at(what, entry.at)
        transition = step(self.state, entry)
        if not is_told:
            return
        before = len(self.story.runs)
        self.story.add(self.state, transition, entry.at, entry.number)
        for begun in self.story.runs[before:]:
            self.runs[begun.run] = TrueRun(
                run=begun.run,
                change=begun.change,
                remediation=begun.remediation,
                entity=begun.entity,
                phase=begun.phase,
                launched_at=begun.at,
            )
        self._learn(entry)

    def run_like(
        self, remediation: str, entity: EntityRef, phase: Phase, at: datetime
    ) -> TrueRun | None:
        """The run of the same remediation on the same target at about that time, taken once."""
        for run in self.runs.values():
            is_same = (run.remediation, run.entity, run.phase) == (remediation, entity, phase)
            if is_same and not run.is_taken and abs(run.launched_at - at) <= NEAR:
                run.is_taken = True
                return run
        return None

    def unprepared_like(
        self, remediation: str, entity: EntityRef, phase: Phase, at: datetime
    ) -> RunPrepared | None:
        """What was said where the files of such a run were not as approved; taken once."""
        for each in self.unprepared:
            is_near = not each.is_taken and abs(each.at - at) <= NEAR
            if is_near and each.target == (remediation, entity, phase):
                each.is_taken = True
                return each.said
        return None

    def probe_like(self, change: str, number: int) -> bool | None:
        """What the metrics source said when it was asked of that change for this time; the last
        answer goes on for ever, and None is all that is known where it never was asked."""
        answers = self.probes.get(change)
        return answers[min(number, len(answers) - 1)] if answers else None

    def _look_at(self, said: RunPrepared, at: datetime) -> None:
        run = self.state.runs.get(said.run)
        change = self.state.changes.get(run.change) if run else None
        if run is not None and change is not None and said.digest != change.digest:
            target = (change.remediation, change.entity, run.phase)
            self.unprepared.append(Unprepared(target, said, at))

    def _learn(self, entry: Entry) -> None:
        what = entry.what
        if isinstance(what, ProbeAnswered):
            self.probes.setdefault(what.change, []).append(what.holds)
        elif isinstance(what, RunFinished | RunLost):
            run = self.runs.get(what.run)
            if run is not None and run.ended_at is None:
                run.ended_at = entry.at
                if isinstance(what, RunFinished):
                    run.result = what.result
                else:
                    run.problem = what.problem
