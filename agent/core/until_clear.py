"""Acknowledged until clear: an incident that somebody has is not told again, until it is over.

It re-arms by itself: clear for the quiet time it closes, and what fires then is a new incident that
alerts; so it does when the agreed moment has come. What gets worse is told at once, with the
reason. Only telling rests: tickets, clocks, remediation and the story go on.
"""

from datetime import datetime

from agent.core.draft import Draft
from agent.core.state import Members, State, Timer
from agent.model.alert import Severity
from agent.model.incident import Incident, UntilClear
from agent.model.reason import Reason

_RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.UNKNOWN: 2, Severity.INFO: 3}


def begin(state: State, draft: Draft, incident: Incident, by: str, until: datetime | None) -> None:
    """From now on it is not told again while it stays as it is; at the latest until then."""
    resting = UntilClear(
        by=by,
        since=draft.at,
        until=until,
        priority=incident.priority,
        severity=incident.severity,
        entities=len(state.members[incident.id].entities),
    )
    draft.set_incident(state, incident, until_clear=resting)
    if until is not None:
        state.schedule(until, Timer.UNTIL_CLEAR, incident.id)
    end = f", at the latest until {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
    text = f"not told again until it is clear{end}, or worse"
    draft.note(incident.id, Reason.ACKNOWLEDGED_UNTIL_CLEAR, text, actor=by)


def lift(state: State, draft: Draft, incident: Incident, by: str) -> None:
    """A person wants to hear of it again."""
    draft.set_incident(state, incident, until_clear=None)
    draft.note(incident.id, Reason.TOLD_AGAIN, f"{by} wants to hear of it again", actor=by)


def run_out(state: State, draft: Draft, identifier: str, set_for: datetime) -> None:
    """The agreed moment has come: what is not clear by then is told again."""
    incident = state.incidents.get(identifier)
    resting = incident.until_clear if incident is not None else None
    if incident is None or resting is None or resting.until != set_for:
        return
    draft.set_incident(state, incident, until_clear=None)
    text = f"{resting.by} acknowledged it until now, and it is not clear"
    draft.note(identifier, Reason.TOLD_AGAIN, text)


def judge(state: State, draft: Draft, incident: Incident, members: Members) -> None:
    """What is worse than when it was acknowledged is told again, and why."""
    resting = incident.until_clear
    if resting is None:
        return
    worse: list[str] = []
    if incident.priority < resting.priority:
        worse.append(f"P{resting.priority} has become P{incident.priority}")
    if _RANK[incident.severity] < _RANK[resting.severity]:
        worse.append(f"{resting.severity} has become {incident.severity}")
    if len(members.entities) > resting.entities:
        newest = next(reversed(members.entities))
        worse.append(f"{state.config.service_map.label(newest)} alerts too")
    if worse:
        draft.set_incident(state, incident, until_clear=None)
        text = f"worse than when {resting.by} acknowledged it: {', '.join(worse)}"
        draft.note(incident.id, Reason.TOLD_AGAIN, text)
