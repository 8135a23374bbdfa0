"""Incidents that one silent thing explains: what most of its users share is no coincidence.

Two of forty users of a switch that alert are two things; most of them are the switch, though it
says nothing. Not here: a thing that alerts itself takes in its symptoms by its rank (`causes`).
"""

from agent.core.correlation import corrected
from agent.core.correlation.transfer import unite
from agent.core.draft import Draft
from agent.core.state import State
from agent.model.incident import IncidentState
from agent.model.reason import Reason
from agent.model.service import EntityRef

SHARE = 0.6
"""This share of its watched users must alert."""
USERS_MIN = 3
USERS_MAX = 10_000
"""Of a thing with more users nothing is asked."""


def unite_by_shared(state: State, draft: Draft, identifier: str, entity: EntityRef) -> None:
    """An incident was opened at an entity: is it one with others, by what they all rest on?"""
    reach = state.derived.reach
    below, _ = reach.around(reach.place(entity))
    for shared in below:
        if identifier not in state.members:
            return
        if not any(part in state.firing_at for part in reach.parts(shared)):
            identifier = _unite_users(state, draft, identifier, shared)


def _unite_users(state: State, draft: Draft, identifier: str, shared: EntityRef) -> str:
    reach = state.derived.reach
    users = reach.around(shared)[1]
    if not USERS_MIN <= len(users) <= USERS_MAX or len(state.firing_at) < SHARE * len(users):
        return identifier
    watched = [user for user in users if _is_watched(state, user)]
    alerting = [
        user for user in watched if any(part in state.firing_at for part in reach.parts(user))
    ]
    if len(alerting) < max(USERS_MIN, SHARE * len(watched)):
        return identifier
    label = state.config.service_map.label(shared)
    text = f"{len(alerting)} of {len(watched)} that rest on {label} alert at once"
    for other in dict.fromkeys(one for user in alerting for one in _incidents(state, user)):
        if other == identifier or other not in state.members:
            continue
        if not corrected.is_apart(state, identifier, other):
            identifier = unite(state, draft, identifier, other)
            draft.note(identifier, Reason.MERGED, text)
    return identifier


def _is_watched(state: State, place: EntityRef) -> bool:
    entities = state.config.service_map.entities
    return any(entities[part].matches for part in state.derived.reach.parts(place))


def _incidents(state: State, place: EntityRef) -> list[str]:
    """Open incidents of a place in which something was heard lately."""
    window, at = state.config.correlation.window, state.last_at
    parts = state.derived.reach.parts(place)
    return [
        identifier
        for identifier, step in state.derived.reach.of(place).items()
        if step.distance == 0
        and state.incidents[identifier].state is IncidentState.OPEN
        and any(state.members[identifier].entities.get(part) for part in parts)
        and at is not None
        and at - state.members[identifier].last_alert_at <= window
    ]
