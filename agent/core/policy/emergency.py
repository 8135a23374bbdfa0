"""What emergencies cost: who owes a late approval and has not given it in time gets no further one.

Not here: how a duty is opened and done (`core.changes.duties`).
"""

from datetime import datetime

from agent.core.policy.answers import refused
from agent.core.policy.authority import person_of
from agent.core.state import State
from agent.model.change import Change, ChangeType
from agent.model.policy import Decision
from agent.model.reason import Reason


def blocks(state: State, change: Change, at: datetime) -> Decision | None:
    """An emergency of a team, or person, that owes an answer for an earlier one is refused."""
    if change.type is not ChangeType.EMERGENCY:
        return None
    team = team_of(state, change)
    for other in state.changes.values():
        duty = other.retro
        if duty is None or not duty.is_open or at < duty.due_at or other.id == change.id:
            continue
        is_same_team = team is not None and duty.team == team
        is_same_person = person_of(other.requested_by) == person_of(change.requested_by)
        if is_same_team or is_same_person:
            who = team if is_same_team else change.requested_by
            text = f"{other.id} was an emergency of {who} that nobody has answered for in time"
            return refused(Reason.RETRO_OVERDUE, text)
    return None


def team_of(state: State, change: Change) -> str | None:
    """Who owns the target, as the map says now."""
    entity = state.config.service_map.entities.get(change.entity)
    return entity.owner if entity else None
