"""Promises about incidents, refusals and what people are told."""

from datetime import datetime

from agent.core.state import State
from agent.model.effect import Notify
from agent.model.entry import Entry
from agent.model.incident import Incident, IncidentState, TimelineItem
from agent.model.reason import Reason
from agent.model.transition import Transition
from agent.sim.checkers import Checker

_S = IncidentState
_FROM = {
    _S.OPEN: (None, _S.OPEN, _S.RESOLVED),
    _S.RESOLVED: (None, _S.OPEN, _S.RESOLVED),
    _S.CLOSED: (_S.RESOLVED, _S.CLOSED),
    _S.MERGED: (None, _S.OPEN, _S.RESOLVED, _S.MERGED),
}
OVERDUE = (Reason.RESPONSE_OVERDUE, Reason.RESTORATION_OVERDUE)


class IncidentsAreOne(Checker):
    """I7: an incident is never both open and closed, never comes back from closed, and its id
    is never used again.
    """

    def __init__(self) -> None:
        self._states: dict[str, IncidentState] = {}
        self._newest = 0

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for record in transition.records:
            if isinstance(record, Incident):
                wrong = self._follow(state, record)
                if wrong is not None:
                    return wrong
        return None

    def _follow(self, state: State, incident: Incident) -> str | None:
        before = self._states.get(incident.id)
        self._states[incident.id] = incident.state
        if before is None:
            number = int(incident.id.removeprefix("INC-"))
            if number <= self._newest:
                return f"{incident.id} is used again"
            self._newest = number
        if before not in _FROM[incident.state]:
            return f"{incident.id} went from {before} to {incident.state}"
        is_over = incident.state in (_S.RESOLVED, _S.CLOSED)
        if incident.state is _S.OPEN and incident.resolved_at is not None:
            return f"{incident.id} is open and resolved at {incident.resolved_at}"
        if is_over and incident.resolved_at is None:
            return f"{incident.id} is {incident.state} and nobody knows since when"
        if incident.is_live:
            members = state.members[incident.id]
            if incident.firing != len(members.firing) and not members.is_counting:
                return f"{incident.id} says that {incident.firing} alerts of it fire"
        flaps = incident.is_live and bool(state.members[incident.id].flapping)
        if incident.state is _S.OPEN and not incident.firing and not flaps:
            return f"{incident.id} is open and nothing of it fires"
        connectors = [link.connector for link in incident.tickets]
        if len(connectors) != len(set(connectors)):
            return f"{incident.id} has two tickets at one tool: {incident.tickets}"
        return None


class RefusalsLeaveNoTrace(Checker):
    """I2: what was refused changed nothing."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        if transition.refusal is None or not (transition.effects or transition.records):
            return None
        done = (*transition.effects, *transition.records)[0]
        return f"refused ({transition.refusal.text}), but done: {done}"


class ClocksSpeakOnce(Checker):
    """I8: a target that is missed is said once; a receiver hears one thing of a group at a time."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, Reason, datetime | None], None] = {}

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for effect in transition.effects:
            if isinstance(effect, Notify):
                waiting = [e for e in state.outbox.notify.values() if e.group == effect.group]
                if len(waiting) > 1:
                    return f"{effect.group} is told {len(waiting)} things at once"
        for record in transition.records:
            if isinstance(record, TimelineItem) and record.reason in OVERDUE:
                incident = state.incidents[record.subject]
                is_response = record.reason is Reason.RESPONSE_OVERDUE
                due = incident.response_due if is_response else incident.restoration_due
                key = record.subject, record.reason, due
                if key in self._said:
                    return f"{record.subject}: {record.reason} is said twice"
                self._said[key] = None
        return None
