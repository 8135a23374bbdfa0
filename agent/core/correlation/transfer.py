"""Alerts that go from one incident to another: two that are one, one that is two.

Not here: the judgement that they should (`join`, `cause`, people).
"""

from agent.core.draft import Draft
from agent.core.impact import spread
from agent.core.state import CLOSED_KEPT, EXPLAINED_NAMED_MAX, Explained, State, Timer
from agent.model.incident import IncidentState
from agent.model.reason import Reason


def absorb(state: State, draft: Draft, *, into: str, other: str) -> None:
    """Make one incident of two: alerts, entities and evidence of `other` go over to `into`."""
    target, source = state.members[into], state.members.pop(other)
    for fingerprint in source.firing:
        active = state.alerts[fingerprint]
        active.incident = into
        target.firing[fingerprint] = None
    target.alerts += source.alerts
    target.kinds.update(source.kinds)
    target.last_alert_at = max(target.last_alert_at, source.last_alert_at)
    for entity, firing in source.entities.items():
        target.entities[entity] = target.entities.get(entity, 0) + firing
        state.derived.reach_added(into, entity)
        spread(state, target, entity)
    for entity, more in source.explains.items():
        explained = target.explains.setdefault(entity, Explained())
        explained.weight += more.weight
        explained.others += more.others
        explained.named = [*explained.named, *more.named][:EXPLAINED_NAMED_MAX]
    for likeness in source.unplaced:
        state.derived.likeness_gone(likeness, other)
        state.derived.likeness_added(likeness, into)
    target.unplaced = tuple(dict.fromkeys((*target.unplaced, *source.unplaced)))
    state.derived.incident_gone(other)
    kept, gone = state.incidents[into], state.incidents[other]
    draft.set_incident(
        state, gone, state=IncidentState.MERGED, merged_into=into, closed_at=draft.at
    )
    draft.set_incident(
        state,
        kept,
        started_at=min(kept.started_at, gone.started_at),
        changes=(*kept.changes, *gone.changes),
    )
    for identifier in gone.changes:
        if change := state.changes.get(identifier):
            draft.set_change(state, change, incident=into)
    state.schedule(draft.at + CLOSED_KEPT, Timer.QUIET, other)
    draft.note(into, Reason.MERGED, f"{other} ({gone.title}) was found to be part of this")
    draft.note(other, Reason.MERGED, f"goes on in {into}")
    draft.rescored[into] = dict.fromkeys(target.explains)
