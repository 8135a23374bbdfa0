"""What people asked for: each either becomes part of the story or is refused with its reason."""

from agent.core import act, course, life, sync, until_clear
from agent.core.causes import lessons, ranking
from agent.core.decide import check_parameters
from agent.core.draft import Draft
from agent.core.facts import change_type
from agent.core.policy import binding_of, is_own, rule_for
from agent.core.state import State
from agent.core.targets import host_of
from agent.model.change import Approval, Change, ChangeState, ChangeType, Closure
from agent.model.entry import (
    ApprovalGiven,
    ApprovalRejected,
    CauseConfirmed,
    ChangeCancelled,
    ChangeRequested,
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


def request_change(state: State, draft: Draft, said: ChangeRequested) -> None:
    """A person asks for a remediation: the same gate as for a rule."""
    remediation = state.config.remediations.get(said.remediation)
    if remediation is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no remediation {said.remediation}")
        return
    host = host_of(state.config.service_map, said.entity)
    if host is None:
        draft.refuse(Reason.NO_TARGET, f"{said.entity} is not on the map or has no host")
        return
    parameters = check_parameters(state, remediation, said.parameters)
    if isinstance(parameters, str):
        draft.refuse(Reason.PARAMETER_REFUSED, parameters)
        return
    other = act.open_for(state, said.entity, remediation.name)
    if other is not None:
        draft.refuse(Reason.ALREADY_UNDER_CHANGE, f"{other.id} is open for the same target")
        return
    if said.type is ChangeType.STANDARD and remediation.change_model != said.type:
        text = f"{remediation.name} is {remediation.change_model}: only its author can make it less"
        draft.refuse(Reason.POLICY_REFUSES, text)
        return
    incident = state.incidents.get(said.incident) if said.incident else None
    if said.incident and incident is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no incident {said.incident} in the watch")
        return
    act.request(
        state,
        draft,
        remediation=remediation,
        entity=said.entity,
        hosts=(host,),
        parameters=parameters,
        type=change_type(state, remediation.name, said.type),
        requested_by=f"person:{said.by}",
        rule_author=None,
        incident=incident,
        trigger=None,
        note=said.note or f"{said.by} asked for it",
    )


def approve(state: State, draft: Draft, said: ApprovalGiven) -> None:
    """Count an approval if it is of this very content, by another person, who may give it."""
    change = _awaiting(state, draft, said.change)
    if change is None:
        return
    rule = rule_for(state, change, draft.at)
    role = next((r for r in (rule.roles if rule else ()) if r in said.roles), None)
    if said.binding != change.binding or change.binding != binding_of(state, change):
        draft.refuse(
            Reason.APPROVAL_VOID, "what would run is not what was approved: look at it again"
        )
    elif is_own(change, said.by):
        draft.refuse(Reason.SELF_APPROVAL, "who asked for it, or wrote its rule, cannot approve it")
    elif role is None:
        wanted = " or ".join(rule.roles) if rule else "nobody"
        draft.refuse(Reason.ROLE_MISSING, f"this change is approved by {wanted}")
    elif all((a.by, a.binding) != (said.by, said.binding) for a in change.approvals):
        approval = Approval(
            by=said.by, at=draft.at, role=role, binding=said.binding, note=said.note
        )
        change = draft.set_change(state, change, approvals=(*change.approvals, approval))
        draft.note(change.id, Reason.APPROVED, f"approved as {role}", actor=said.by)
        act.assess(state, draft, change)


def reject(state: State, draft: Draft, said: ApprovalRejected) -> None:
    """A person with a role in it refuses a change."""
    change = _awaiting(state, draft, said.change)
    if change is None:
        return
    rule = rule_for(state, change, draft.at)
    if rule is None or not set(rule.roles) & set(said.roles):
        draft.refuse(Reason.ROLE_MISSING, "only who could approve it can reject it")
        return
    text = f"rejected by {said.by}" + (f": {said.note}" if said.note else "")
    course.close(state, draft, change, Closure.CANCELLED, Reason.REJECTED, text)


def cancel(state: State, draft: Draft, said: ChangeCancelled) -> None:
    """A person stops a change."""
    change = state.changes.get(said.change)
    if change is None or not change.is_open:
        draft.refuse(Reason.NOT_OPEN, f"{said.change} is not open")
        return
    act.cancel(state, draft, change, said.by, said.note)


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


def _awaiting(state: State, draft: Draft, identifier: str) -> Change | None:
    change = state.changes.get(identifier)
    if change is None or change.state is not ChangeState.AWAITING_APPROVAL:
        draft.refuse(Reason.NOT_OPEN, f"{identifier} does not wait for approval")
        return None
    return change
