"""What the tickets say: one wish an incident and tool, told again until the tool agrees.

At most one write is under way for a ticket, so that nothing overtakes; what changes meanwhile is
told with the next one.
"""

import hashlib
from datetime import timedelta

from agent.core import facts, flapping
from agent.core.conditions import Condition
from agent.core.draft import Draft
from agent.core.state import State, TicketSync, Timer
from agent.model.effect import WriteTicket
from agent.model.entry import TicketRefused, TicketWritten
from agent.model.incident import Incident, IncidentState, TicketLink
from agent.model.reason import Reason
from agent.model.ticket import Ticket, TicketComment, TicketState

SUSPECTS_TOLD_MAX = 3
COMMENTS_WAITING_MAX = 100
CAUSES_TOLD_MAX = 4
RETRY_FIRST = timedelta(seconds=5)
RETRY_MAX = timedelta(minutes=10)
_STATES = {
    IncidentState.RESOLVED: TicketState.RESOLVED,
    IncidentState.CLOSED: TicketState.RESOLVED,
    IncidentState.MERGED: TicketState.RESOLVED,
}


def ticket_key(state: State, incident: str) -> str:
    """What a ticket of ours is found by: incident numbers begin anew with every installation."""
    return f"{incident}@{state.installation}"


def incident_of(state: State, key: str) -> str | None:
    """The incident that a ticket's key names; None for a ticket of another installation."""
    incident, _, installation = key.partition("@")
    return incident if installation == state.installation else None


def sync(state: State, draft: Draft) -> None:
    """Tell the ticketing tools what is new about every incident with news."""
    if not state.derived.ticketing:
        return
    for identifier in list(draft.touched):
        incident = state.incidents.get(identifier)
        if incident is None:
            continue
        for rule, condition in state.derived.ticketing:
            _tell(state, draft, incident, rule.connector, condition)


def written(state: State, draft: Draft, said: TicketWritten) -> None:
    """The tool agrees."""
    state.outbox.take(said.effect)
    known = _known(state, said.incident, said.connector, said.effect)
    if known is None:
        return
    is_new = known.ref is None
    known.ref, known.told, known.telling = said.ref, known.telling_digest, None
    del known.comments[: known.telling_comments]
    known.failures = 0
    incident = state.incidents[said.incident]
    if is_new:
        link = TicketLink(connector=said.connector, ref=said.ref, url=said.url)
        draft.set_incident(state, incident, tickets=(*incident.tickets, link))
        draft.note(incident.id, Reason.TICKET_OPENED, f"{said.connector} {said.ref}: {said.url}")
    draft.touched[incident.id] = None


def refused(state: State, draft: Draft, said: TicketRefused) -> None:
    """The tool did not take it: try later, or say that a person has to."""
    effect = state.outbox.ticket.get(said.effect)
    state.outbox.take(said.effect)
    known = _known(state, said.incident, said.connector, said.effect)
    if known is None or effect is None:
        return
    known.telling = None
    known.failures += 1
    if said.is_final:
        # Not asked again before there is something new to say: the comments it had are not new.
        known.told = _digest(effect.ticket)
        known.is_given_up = True
    else:
        # Its answer may be all that was lost: nobody knows what the tool says now.
        known.told = ""
        delay = min(RETRY_MAX, RETRY_FIRST * 2 ** min(known.failures - 1, 10))
        known.not_before = draft.at + delay
        state.schedule(known.not_before, Timer.TICKET, said.incident)
    if known.failures == 1 or said.is_final:
        draft.note(
            said.incident,
            Reason.TICKET_REFUSED,
            f"{said.connector} did not take it: {said.problem}",
        )


def is_unsettled(state: State, identifier: str) -> bool:
    """Whether a tool has not heard yet what there was to say, and may still hear it."""
    return any(
        known.telling is not None or (known.failures > 0 and not known.is_given_up)
        for known in state.tickets.get(identifier, {}).values()
    )


def try_again(state: State, draft: Draft, identifier: str) -> None:
    """The tool had its pause: see whether it still has to be told something."""
    if identifier in state.incidents:
        draft.touched[identifier] = None


def comment(state: State, incident: Incident, key: str, text: str) -> None:
    """A person said something here: the tickets shall say it too."""
    for known in state.tickets.get(incident.id, {}).values():
        if len(known.comments) < COMMENTS_WAITING_MAX:
            known.comments.append(TicketComment(key=key, text=text))


def _tell(
    state: State, draft: Draft, incident: Incident, connector: str, condition: Condition | None
) -> None:
    syncs = state.tickets.setdefault(incident.id, {})
    known = syncs.get(connector)
    if known is None:
        if incident.state is IncidentState.MERGED or not facts.concerns(state, incident, condition):
            return
        syncs[connector] = known = TicketSync()
    if known.telling is not None:
        return
    if known.not_before is not None and draft.at < known.not_before:
        return
    ticket = _ticket(state, incident, known, tuple(known.comments))
    digest = _digest(ticket)
    if digest == known.told:
        return
    known.telling_digest = _digest_after(state, incident, known) if known.comments else digest
    known.telling_comments = len(known.comments)
    known.is_given_up = False
    ref = known.ref
    known.telling = draft.ask(
        state,
        lambda effect: WriteTicket(
            id=effect,
            incident=incident.id,
            connector=connector,
            ticket=ticket,
            known_ref=ref,
        ),
    )


def _digest_after(state: State, incident: Incident, known: TicketSync) -> str:
    """What the tool will have been told once the comments are written and dropped."""
    return _digest(_ticket(state, incident, known, ()))


def _digest(ticket: Ticket) -> str:
    return hashlib.sha256(repr(ticket).encode()).hexdigest()


def _known(state: State, incident: str, connector: str, effect: str) -> TicketSync | None:
    known = state.tickets.get(incident, {}).get(connector)
    if known is None or known.telling != effect or incident not in state.incidents:
        return None
    return known


def _ticket(
    state: State, incident: Incident, known: TicketSync, comments: tuple[TicketComment, ...]
) -> Ticket:
    ticket_state = _STATES.get(incident.state)
    if ticket_state is None:
        taken = incident.acknowledged_at is not None
        ticket_state = TicketState.IN_PROGRESS if taken else TicketState.OPEN
    return Ticket(
        key=ticket_key(state, incident.id),
        title=incident.title,
        body=_body(state, incident),
        priority=incident.priority,
        state=ticket_state,
        assignee=incident.assignee,
        comments=comments,
        close_heard=known.close_heard,
    )


def _body(state: State, incident: Incident) -> str:
    """Impact in plain words, the cause with its reasons, what was done: no figure that flickers."""
    label = state.config.service_map.label
    lines = [incident.summary, ""]
    if incident.merged_into:
        lines.append(f"Goes on in {known_as(state, incident.merged_into)}: it was the same fault")
    members = state.members.get(incident.id)
    if members is not None and members.after:
        lines.append(f"Began while {known_as(state, members.after)} lasted, as another fault")
    if incident.services:
        lines.append("Affected: " + ", ".join(label(ref) for ref in incident.services))
    if incident.causes:
        cause = incident.causes[0]
        why = "; ".join(cause.evidence_for)
        lines.append(f"Probable cause: {label(cause.entity)}" + (f" ({why})" if why else ""))
        lines += [f"  against it: {text}" for text in cause.evidence_against]
        others = [label(other.entity) for other in incident.causes[1:CAUSES_TOLD_MAX]]
        if others:
            lines.append("Otherwise, in this order: " + ", ".join(others))
    lines += flapping.told(state, incident.id)
    impact, urgency = incident.impact.name.lower(), incident.urgency.name.lower()
    lines.append(f"Priority: P{incident.priority} (impact {impact}, urgency {urgency})")
    lines.append(f"Since: {incident.started_at:%Y-%m-%d %H:%M:%S} UTC")
    if incident.owner:
        lines.append(f"Owner: {label(incident.owner)}")
    for identifier in incident.changes:
        change = state.changes.get(identifier)
        if change is not None:
            how = f"{change.closure}" if change.closure else f"{change.state}"
            lines.append(f"Change {change.id}: {change.title}: {how.replace('_', ' ')}")
    lines += [
        f"Suspect: {suspect.change} {suspect.title} ({'; '.join(suspect.evidence)})"
        for suspect in incident.suspects[:SUSPECTS_TOLD_MAX]
        if suspect.is_match is not False
    ]
    if incident.workaround:
        known = incident.workaround
        lines.append(f"Known error {known.problem}: {known.cause}. Until it is mended: {known}")
    if incident.problem:
        lines.append(f"Problem: {incident.problem}")
    return "\n".join(lines)


def known_as(state: State, identifier: str) -> str:
    """How people at a ticketing tool know an incident as well."""
    incident = state.incidents.get(identifier)
    tickets = incident.tickets if incident else ()
    told = ", ".join(f"{ticket.connector} {ticket.ref}" for ticket in tickets)
    return f"{identifier} ({told})" if told else identifier
