"""Promises about runs: an intent first, once, not too often, and success only by fresh data."""

from dataclasses import dataclass, field
from datetime import datetime

from agent.core.state import State
from agent.model.autonomy_entries import BreakerReset
from agent.model.change import Change, Closure, RunState
from agent.model.effect import LaunchRun
from agent.model.entry import Entry, ProbeAnswered, RunFinished, RunLost
from agent.model.remediation import Phase
from agent.model.transition import Transition
from agent.sim.checkers import Checker


def launches(state: State, transition: Transition) -> list[tuple[Change, Phase, str]]:
    """What this transition starts: change, phase and run."""
    return [
        (state.changes[state.runs[effect.run].change], state.runs[effect.run].phase, effect.run)
        for effect in transition.effects
        if isinstance(effect, LaunchRun)
    ]


class StartedOnce(Checker):
    """I9, I10: a start follows a journaled intent, happens once for a change and phase, and a run
    that was lost is never tried again while nobody knows what it did.
    """

    def __init__(self) -> None:
        self._started: dict[tuple[str, Phase], str] = {}
        self._lost: dict[str, str] = {}
        """Entity to the change whose run was lost there."""

    def before(self, state: State, entry: Entry) -> None:
        if isinstance(entry.what, RunLost):
            run = state.runs[entry.what.run]
            if run.state in (RunState.LAUNCHING, RunState.RUNNING):
                change = state.changes[run.change]
                self._lost[change.entity] = change.id

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for change, phase, run in launches(state, transition):
            if (change.id, phase) in self._started:
                before = self._started[change.id, phase]
                return f"{run} starts what {before} started already ({change.id}, {phase})"
            self._started[change.id, phase] = run
            if state.runs[run].state is not RunState.LAUNCHING:
                return f"{run} starts without an intent in the journal"
            lost = state.changes.get(self._lost.get(change.entity, ""))
            if lost is not None and lost.is_open:
                return f"{run} starts where nobody knows what {lost.id} did"
        return None


class FleetIsSpared(Checker):
    """I15: never more changes run at once than policy says, and never two that share a host."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        started = launches(state, transition)
        if not started or state.config.policy is None:
            return None
        playing = (RunState.LAUNCHING, RunState.RUNNING)
        changes = {run.change for run in state.runs.values() if run.state in playing}
        under_way = [state.changes[name] for name in sorted(changes)]
        phases = [phase for _, phase, _ in started]
        if len(under_way) > state.config.policy.concurrency_max and Phase.REMEDIATE in phases:
            return f"{len(under_way)} changes run at once"
        hosts = [host.name for change in under_way for host in change.hosts]
        if len(hosts) != len(set(hosts)):
            return f"two of {', '.join(change.id for change in under_way)} share a host"
        return None


@dataclass(slots=True)
class Tries:
    """What was tried on one target by rules."""

    started: list[datetime] = field(default_factory=list)
    failed: int = 0


class AttemptsAreLimited(Checker):
    """I16: rules start not more than the limit on a target within its window, none after the limit
    of failures, and a change counts the failures since the last success or reset.
    """

    def __init__(self) -> None:
        self._tries: dict[tuple[str, str], Tries] = {}
        self._seen: dict[str, bool] = {}
        """Changes, and whether they were closed."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        if isinstance(entry.what, BreakerReset) and transition.refusal is None:
            entity, _, remediation = entry.what.breaker.partition("|")
            self._tries.pop((entity, remediation), None)
        for change, phase, run in launches(state, transition):
            if phase is Phase.REMEDIATE and change.requested_by.startswith("rule:"):
                wrong = self._start(state, entry.at, change, run)
                if wrong is not None:
                    return wrong
        for record in transition.records:
            if isinstance(record, Change):
                wrong = self._follow(record)
                if wrong is not None:
                    return wrong
        return None

    def _start(self, state: State, at: datetime, change: Change, run: str) -> str | None:
        remediation = state.config.remediations[change.remediation]
        tries = self._of(change)
        since = at - remediation.attempts_window
        recent = [start for start in tries.started if start > since]
        if len(recent) >= remediation.attempts_max:
            return f"{run} is attempt {len(recent) + 1} of {remediation.attempts_max}"
        if tries.failed >= remediation.attempts_max:
            return f"{run} starts after {tries.failed} failures"
        if recent and at - recent[-1] < remediation.cooldown:
            return f"{run} starts {at - recent[-1]} after the one before"
        tries.started.append(at)
        return None

    def _follow(self, change: Change) -> str | None:
        tries = self._of(change)
        if change.id not in self._seen:
            self._seen[change.id] = False
            if change.attempt != tries.failed + 1:
                return f"{change.id} says attempt {change.attempt} after {tries.failed} failures"
        if change.closure is None or self._seen[change.id]:
            return None
        self._seen[change.id] = True
        if change.closure is Closure.SUCCESS:
            tries.failed = 0
        elif change.closure in (Closure.FAILED, Closure.ROLLED_BACK) and change.started_at:
            tries.failed += 1
        return None

    def _of(self, change: Change) -> Tries:
        return self._tries.setdefault((change.entity, change.remediation), Tries())


class VerifiedByFreshData(Checker):
    """I17: a change succeeded only if its alert is gone and, for the whole stability time, every
    answer of the metrics source was good and newer than the end of the run.
    """

    def __init__(self) -> None:
        self._ended: dict[str, datetime] = {}
        self._good_since: dict[str, datetime] = {}

    def before(self, state: State, entry: Entry) -> None:
        what = entry.what
        if isinstance(what, RunFinished | RunLost) and what.run in state.runs:
            change = state.runs[what.run].change
            self._ended[change] = entry.at
            self._good_since.pop(change, None)
        elif isinstance(what, ProbeAnswered):
            ended = self._ended.get(what.change)
            if not what.holds or ended is None or what.measured_at < ended:
                self._good_since.pop(what.change, None)
            else:
                self._good_since.setdefault(what.change, entry.at)

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for record in transition.records:
            if isinstance(record, Change) and record.closure is Closure.SUCCESS:
                wrong = self._judge(state, entry.at, record)
                if wrong is not None:
                    return wrong
        return None

    def _judge(self, state: State, at: datetime, change: Change) -> str | None:
        if change.ended_at != at:
            return None
        if change.id not in self._ended:
            return f"{change.id} succeeded and no run of it is over"
        if change.trigger is not None and change.trigger in state.alerts:
            return f"{change.id} succeeded while its alert fires"
        remediation = state.config.remediations.get(change.remediation)
        if remediation is None or remediation.verification.promql is None:
            return None
        since = self._good_since.get(change.id)
        if since is None or at - since < remediation.verification.stable_for:
            return f"{change.id} succeeded; fresh good answers only since {since}"
        return None
