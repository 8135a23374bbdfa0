"""What else is known of a candidate: changes that were made on it, alerts of it that are muted."""

from collections.abc import Mapping

from agent.core.causes.suspects import suspects_at
from agent.core.state import Members, State
from agent.model.incident import Incident
from agent.model.service import EntityRef

CANDIDATES_ASKED_MAX = 100
MUTED_ASKED_MAX = 1000
"""So many muted alerts are looked through; in a longer list none is found to be of a candidate."""


def changed(state: State, incident: Incident) -> Mapping[EntityRef, tuple[float, str]]:
    """By candidate: how suspect its likeliest change is, 0 to 1, and which it was.

    A change that a person cleared of suspicion does not count; one that a person confirmed counts
    in full, however long before it was made.
    """
    cleared = {one.change for one in incident.suspects if one.is_match is False}
    confirmed = {one.entity: one for one in incident.suspects if one.is_match}
    found: dict[EntityRef, tuple[float, str]] = {}
    members = state.members[incident.id]
    for ref in list(members.explains)[:CANDIDATES_ASKED_MAX]:
        if (known := confirmed.get(ref)) is not None:
            found[ref] = (1.0, f"{known.change} led to it, said {known.judged_by}: {known.title}")
            continue
        for suspect in suspects_at(state, ref, incident.started_at):
            if suspect.change not in cleared:
                found[ref] = (suspect.score, f"{suspect.change} was made on it: {suspect.title}")
                break
    return found


def muted(state: State, members: Members) -> Mapping[EntityRef, str]:
    """By candidate without an alert in the incident: by what its own alerts are muted.

    A silence or a maintenance keeps an alert from opening incidents; it does not make it untrue.
    """
    quiet = {
        ref for ref in members.explains if ref in state.firing_at and ref not in members.entities
    }
    if not quiet or len(state.suppressed) > MUTED_ASKED_MAX:
        return {}
    found: dict[EntityRef, str] = {}
    for fingerprint in state.suppressed:
        active = state.alerts[fingerprint]
        if active.entity in quiet and active.suppressed_by:
            kind, _, name = active.suppressed_by[0].partition(":")
            found.setdefault(active.entity, f"{_MUTERS.get(kind, kind)} {name}".strip())
    return found


_MUTERS = {"calendar": "the calendar", "silence": "silence", "inhibit": "the inhibition"}
