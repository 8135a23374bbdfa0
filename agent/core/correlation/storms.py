"""When more breaks than anybody can read: alerts beyond a limit gather in one summary incident.

What joins an open incident still joins it; only what would open one more is gathered. Critical
alerts are gathered last, at `CRITICAL_SHARE` times the limit. Nothing is dropped: each alert is in
the summary and says by what. The summary reaches nothing on the map and attracts no alert.
"""

from datetime import datetime, timedelta

from agent.core.correlation.opening import open_incident
from agent.core.draft import Draft
from agent.core.state import ActiveAlert, State
from agent.model.alert import Severity, severity_of
from agent.model.reason import Reason

STORM_WITHIN = timedelta(minutes=10)
CRITICAL_SHARE = 5


def shelter(state: State, draft: Draft, active: ActiveAlert, at: datetime) -> str | None:
    """The summary incident, where this alert must not open one of its own."""
    opened = len(_lately(state, draft.at))
    limit = state.config.correlation.storm
    if severity_of(active.alert.labels) is Severity.CRITICAL:
        limit *= CRITICAL_SHARE
    if opened < limit:
        return None
    if state.storm not in state.members:
        text = f"storm: {opened} incidents in {STORM_WITHIN.seconds // 60} minutes"
        state.storm = open_incident(state, draft, active, at, summary=text)
        draft.note(state.storm, Reason.STORM, f"{text}; what would open one more is gathered here")
    return state.storm


def opened(state: State, at: datetime) -> None:
    """One more incident was opened for an alert."""
    state.opened_at = [*_lately(state, at), at]


def _lately(state: State, at: datetime) -> list[datetime]:
    times = state.opened_at
    if times and times[0] <= at - STORM_WITHIN:
        state.opened_at = times = [moment for moment in times if moment > at - STORM_WITHIN]
    return times
