"""What one rule set made of a journal, with the entries that it follows from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.core.state import State
from agent.model.alert import AlertRecord
from agent.model.change import Change
from agent.model.effect import LaunchRun
from agent.model.incident import Incident, TimelineItem
from agent.model.policy import Decision, Verdict
from agent.model.problem import Problem
from agent.model.reason import Reason
from agent.model.remediation import Phase
from agent.model.service import EntityRef
from agent.model.transition import Transition

WISHES = (Reason.PROPOSED, Reason.WOULD_HAVE_RUN)
Occurrence = tuple[str, datetime]
"""An alert that fired: its fingerprint and when it says it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run that was, or would have been, started; `entry` is the journal's line before it."""

    at: datetime
    run: str
    change: str
    remediation: str
    entity: EntityRef
    phase: Phase
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a rule that does not act itself said it would do."""

    at: datetime
    incident: str
    reason: Reason
    text: str
    entry: int


@dataclass(slots=True)
class Story:
    """Everything that a rule set led to, from the moment on that it is told from."""

    entries: int = 0
    begins: datetime | None = None
    ends: datetime | None = None
    incidents: dict[str, Incident] = field(default_factory=dict)
    occurrences: dict[Occurrence, str] = field(default_factory=dict)
    """The incident that each alert belonged to last."""
    changes: dict[str, Change] = field(default_factory=dict)
    asked_at: dict[str, int] = field(default_factory=dict)
    """By change, the entry that made a rule or person ask for it."""
    said: dict[str, Decision] = field(default_factory=dict)
    """By change, what policy said of it first."""
    runs: list[Begun] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)
    judged: Counter[str] = field(default_factory=Counter)
    """How often policy refused, deferred or asked people, by its reason; and how often a throttle
    held a rule back."""

    def add(self, state: State, transition: Transition, at: datetime, entry: int) -> None:
        """Take up what one entry led to; `entry` is its number in the journal."""
        self.entries += 1
        self.begins, self.ends = self.begins or at, at
        for effect in transition.effects:
            if isinstance(effect, LaunchRun):
                self._began(state, effect.run, at, entry)
        for record in transition.records:
            if isinstance(record, Incident):
                self.incidents[record.id] = record
            elif isinstance(record, Change):
                self._changed(record, entry)
            elif isinstance(record, AlertRecord) and record.incident is not None:
                self.occurrences[record.fingerprint, record.starts_at] = record.incident
            elif isinstance(record, Problem):
                self.problems[record.id] = record
            elif isinstance(record, TimelineItem):
                self._line(record, entry)

    def finish(self, state: State) -> None:
        """Take up what still fires."""
        for active in state.alerts.values():
            if active.incident is not None:
                key = (active.alert.fingerprint, active.alert.starts_at)
                self.occurrences[key] = active.incident

    def members(self) -> Mapping[str, frozenset[Occurrence]]:
        """The alerts of each incident that is told of."""
        found: dict[str, list[Occurrence]] = {identifier: [] for identifier in self.incidents}
        for occurrence, incident in self.occurrences.items():
            if incident in found:
                found[incident].append(occurrence)
        return {incident: frozenset(alerts) for incident, alerts in found.items()}

    def _line(self, line: TimelineItem, entry: int) -> None:
        if line.reason in WISHES:
            # The number of its case says nothing of what a rule wants.
            text = line.text.partition(": ")[2] if line.text.startswith("CASE-") else line.text
            wish = Wish(
                at=line.at, incident=line.subject, reason=line.reason, text=text, entry=entry
            )
            self.wishes.append(wish)
        elif line.reason is Reason.RULE_THROTTLED:
            self.judged[line.reason.value] += 1

    def _began(self, state: State, identifier: str, at: datetime, entry: int) -> None:
        run = state.runs[identifier]
        change = state.changes[run.change]
        begun = Begun(
            at=at,
            run=run.id,
            change=change.id,
            remediation=change.remediation,
            entity=change.entity,
            phase=run.phase,
            entry=entry,
        )
        self.runs.append(begun)

    def _changed(self, change: Change, entry: int) -> None:
        before = self.changes.get(change.id)
        self.changes[change.id] = change
        self.asked_at.setdefault(change.id, entry)
        decision = change.decision
        if decision is None or (before is not None and before.decision == decision):
            return
        self.said.setdefault(change.id, decision)
        if decision.verdict is not Verdict.ALLOWED:
            self.judged[f"{decision.verdict}: {decision.reason}"] += 1
