"""What people asked for: each either becomes part of the story or is refused with its reason."""

from agent.core import life, sync, until_clear
from agent.core.causes import lessons, ranking
from agent.core.draft import Draft
from agent.core.state import State
from agent.model.entry import (
    CauseConfirmed,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCommented,
    IncidentResolved,
    TicketChanged,
)
from agent.model.incident import Incident, IncidentState
from agent.model.reason import Reason
from agent.model.ticket import RemoteTicket, TicketState


def live_incident(state: State, draft: Draft, identifier: str) -> Incident | None:
    """The incident if it lives; refuses else."""
    incident = state.incidents.get(identifier)
    if incident is None or not incident.is_live:
        draft.refuse(Reason.NOT_OPEN, f"{identifier} is not a live incident")
        return None
    return incident


def acknowledge(state: State, draft: Draft, said: IncidentAcknowledged) -> None:
    """Note that somebody has it; a second time changes only whether it is told again."""
    incident = live_incident(state, draft, said.incident)
    if incident is None:
        return
    if said.until is not None and said.until <= draft.at:
        draft.refuse(Reason.ACKNOWLEDGED_UNTIL_CLEAR, f"{said.until.isoformat()} is over")
        return
    if incident.acknowledged_at is None:
        incident = life.acknowledge(state, draft, incident, said.by)
    if said.until_clear or said.until is not None:
        until_clear.begin(state, draft, incident, said.by, said.until)
    elif incident.until_clear is not None:
        until_clear.lift(state, draft, incident, said.by)


def assign(state: State, draft: Draft, said: IncidentAssigned) -> None:
    """Give an incident to somebody."""
    incident = live_incident(state, draft, said.incident)
    if incident is not None and incident.assignee != said.assignee:
        draft.set_incident(state, incident, assignee=said.assignee)
        text = f"assigned to {said.assignee}" if said.assignee else "assigned to nobody"
        draft.note(incident.id, Reason.ASSIGNED, text, actor=said.by)


def comment(state: State, draft: Draft, said: IncidentCommented) -> None:
    """Keep what somebody said, and say it at the tickets too."""
    incident = state.incidents.get(said.incident)
    if incident is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no incident {said.incident} in the watch")
        return
    draft.note(incident.id, Reason.COMMENTED, said.text, actor=said.by)
    sync.comment(state, incident, f"{incident.id}/{draft.number}", f"{said.by}: {said.text}")
    draft.touched[incident.id] = None


def resolve(state: State, draft: Draft, said: IncidentResolved) -> None:
    """A person says that service is restored."""
    incident = live_incident(state, draft, said.incident)
    if incident is not None and incident.state is IncidentState.OPEN:
        text = f"{said.by} says it is restored" + (f": {said.note}" if said.note else "")
        life.resolve(state, draft, incident, Reason.RESOLVED_BY_PERSON, text)


def confirm_cause(state: State, draft: Draft, said: CauseConfirmed) -> None:
    """A person knows the cause; of what is over too, as long as its lesson is remembered."""
    known = state.incidents.get(said.incident)
    is_over = known is not None and known.state is IncidentState.CLOSED
    incident = known if is_over else live_incident(state, draft, said.incident)
    if incident is None:
        return
    if said.entity not in state.config.service_map.entities:
        draft.refuse(Reason.NOT_FOUND, f"the map has no entity {said.entity}")
        return
    ranking.confirm(state, draft, incident, said.entity, said.by)
    if is_over:
        lessons.correct(state, incident.id, said.entity, said.by)


def ticket_changed(state: State, draft: Draft, said: TicketChanged) -> None:
    """Somebody worked on a ticket: take over comments once, and a resolution."""
    remote = said.ticket
    name = sync.incident_of(state, remote.key) or ""
    incident = state.incidents.get(name)
    known = state.tickets.get(name, {}).get(said.connector)
    if incident is None or known is None:
        return
    for item in remote.comments:
        if item.id not in known.seen:
            known.seen[item.id] = None
            draft.note(incident.id, Reason.COMMENTED, item.text, actor=item.author)
            draft.touched[incident.id] = None
    if remote.state is not TicketState.RESOLVED:
        return
    if known.close_heard is not None and remote.changed_at <= known.close_heard:
        return
    known.close_heard = remote.changed_at
    if incident.state is IncidentState.OPEN:
        _resolve_by_ticket(state, draft, incident, said.connector, remote)


def _resolve_by_ticket(
    state: State, draft: Draft, incident: Incident, connector: str, remote: RemoteTicket
) -> None:
    # Tools keep whole seconds: a word of the second in which we opened it came after that.
    if remote.changed_at < incident.opened_at.replace(microsecond=0):
        return
    text = f"{remote.changed_by} closed {connector} {remote.ref}"
    life.resolve(state, draft, incident, Reason.RESOLVED_BY_TICKET, text)
