"""Promises about rules: they go as far as they may, a stop stops them, and targets are spared."""

from datetime import datetime

from agent.core.state import State
from agent.model.autonomy import Mode, lesser
from agent.model.autonomy_entries import (
    AutonomyResumed,
    AutonomyStopped,
    BreakerReset,
    ModeDemoted,
    ModePromoted,
    ProposalTaken,
)
from agent.model.change import Change, Closure
from agent.model.entry import Entry
from agent.model.remediation import Phase
from agent.model.transition import Transition
from agent.sim.check_runs import launches
from agent.sim.checkers import Checker


def _by_rule(change: Change) -> str | None:
    kind, _, name = change.requested_by.partition(":")
    return name if kind == "rule" else None


class ModesHold(Checker):
    """`observe` and `suggest` start nothing by themselves, `approve` nothing without another
    person's word, and one bad verification takes a rule down until a person signs it back.
    """

    def __init__(self) -> None:
        self._levels: dict[str, Mode] = {}
        """How far each rule may go at most, by its own account of promotions and bad ends."""
        self._closed: dict[str, None] = {}
        self._asked: dict[str, Mode] = {}
        """How far the rule of a change might go when it was asked for."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        said, is_heard = entry.what, transition.refusal is None
        if isinstance(said, ModePromoted) and is_heard:
            self._levels[said.rule] = said.to
        if isinstance(said, ModeDemoted) and is_heard:
            self._levels[said.rule] = lesser(self._level(state, said.rule), said.to)
        for change, phase, run in launches(state, transition):
            rule = _by_rule(change)
            wrong = self._start(state, change, rule) if rule and phase is Phase.REMEDIATE else None
            if wrong is not None:
                return f"{run} {wrong}"
        for record in transition.records:
            if isinstance(record, Change):
                wrong = self._follow(state, entry, record)
                if wrong is not None:
                    return wrong
        return None

    def _start(self, state: State, change: Change, rule: str) -> str | None:
        level = lesser(self._level(state, rule), self._asked[change.id])
        if not level.acts:
            return f"was started by rule {rule}, which may only {level}"
        others = [word.by for word in change.approvals if word.by != change.rule_author]
        if level is Mode.APPROVE and not others:
            return f"was started by rule {rule} in approve, and nobody approved it"
        return None

    def _follow(self, state: State, entry: Entry, change: Change) -> str | None:
        if change.rule is None:
            return None
        if change.id not in self._asked:
            self._asked[change.id] = self._level(state, change.rule)
            is_taken = isinstance(entry.what, ProposalTaken)
            if is_taken != (_by_rule(change) is None):
                return f"{change.id} of rule {change.rule} was asked for by {change.requested_by}"
        if change.closure is None or change.id in self._closed or change.started_at is None:
            return None
        self._closed[change.id] = None
        level = self._level(state, change.rule)
        if change.closure is Closure.FAILED:
            step = Mode.APPROVE if level is Mode.AUTO else Mode.SUGGEST
            self._levels[change.rule] = lesser(level, step)
        elif change.closure is Closure.ROLLED_BACK:
            self._levels[change.rule] = lesser(level, Mode.SUGGEST)
        return None

    def _level(self, state: State, name: str) -> Mode:
        declared = (rule.mode for rule in state.config.remediation_rules if rule.name == name)
        return self._levels.get(name) or next(declared, Mode.OBSERVE)


class StopsHold(Checker):
    """After a person stopped all rules none of them starts anything, until one resumes."""

    def __init__(self) -> None:
        self._stopped: datetime | None = None

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        if isinstance(entry.what, AutonomyStopped) and transition.refusal is None:
            self._stopped = entry.at
        if isinstance(entry.what, AutonomyResumed) and transition.refusal is None:
            self._stopped = None
        for change, phase, run in launches(state, transition):
            if self._stopped and _by_rule(change) and phase is Phase.REMEDIATE:
                return f"{run} was started by {change.requested_by} though all were stopped"
        return None


class TargetsAreSpared(Checker):
    """I16: rules start only so much on one target, whatever it is that they do there."""

    def __init__(self) -> None:
        self._started: dict[str, list[datetime]] = {}

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        said, limits = entry.what, state.config.autonomy
        if isinstance(said, BreakerReset) and transition.refusal is None:
            self._started.pop(said.breaker.partition("|")[0], None)
        for change, phase, run in launches(state, transition):
            if _by_rule(change) is None or phase is not Phase.REMEDIATE:
                continue
            started = self._started.setdefault(change.entity, [])
            since = entry.at - limits.starts_within
            recent = [at for at in started if at > since]
            if len(recent) >= limits.starts:
                return f"{run} is start {len(recent) + 1} on {change.entity}"
            started.append(entry.at)
        return None
