"""Incidents that began together and turn out to be cause and symptom: they become one."""

from datetime import timedelta

from agent.core.correlation.corrected import is_apart
from agent.core.correlation.transfer import absorb, unite
from agent.core.draft import Draft
from agent.core.state import State
from agent.model.incident import Incident, IncidentState
from agent.model.service import EntityRef


def take_in_symptoms(state: State, draft: Draft, incident: Incident, cause: EntityRef) -> None:
    """Incidents whose own cause rests on this alerting one, begun at the same time, are part of it.

    The older goes on, but what a person confirmed stays where it was said.
    """
    if not state.members[incident.id].entities.get(cause):
        return
    correlation, identifier = state.config.correlation, incident.id
    for ref, _ in list(state.config.service_map.above(cause, correlation.hops)):
        for other in sorted(state.derived.reach.of(ref)):
            candidate = state.incidents[other]
            if other == identifier or candidate.state is not IncidentState.OPEN:
                continue
            is_symptom = candidate.cause == ref and not is_apart(state, identifier, other)
            if not is_symptom or _gap(state, identifier, other) > correlation.window:
                continue
            if incident.cause_confirmed_by is not None:
                absorb(state, draft, into=identifier, other=other)
            else:
                identifier = unite(state, draft, identifier, other)


def _gap(state: State, one: str, other: str) -> timedelta:
    """The time between the beginnings of two incidents, by what their alerts say."""
    return abs(state.members[one].first_alert_at - state.members[other].first_alert_at)
