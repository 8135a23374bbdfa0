"""What others know of a candidate: the changes that were made on it."""

from collections.abc import Mapping

from agent.core.causes.suspects import suspects_at
from agent.core.state import State
from agent.model.incident import Incident
from agent.model.service import EntityRef

CANDIDATES_ASKED_MAX = 100


def changed(state: State, incident: Incident) -> Mapping[EntityRef, tuple[float, str]]:
    """By candidate: how suspect its latest change is, 0 to 1, and which it was.

    A change that a person cleared of suspicion does not count.
    """
    cleared = {one.change for one in incident.suspects if one.is_match is False}
    found: dict[EntityRef, tuple[float, str]] = {}
    members = state.members[incident.id]
    for ref in list(members.explains)[:CANDIDATES_ASKED_MAX]:
        for suspect in suspects_at(state, ref, incident.started_at):
            if suspect.change not in cleared:
                found[ref] = (suspect.score, f"{suspect.change} was made on it: {suspect.title}")
                break
    return found
