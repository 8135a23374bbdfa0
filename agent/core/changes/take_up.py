"""A person takes up what a rule proposed: it becomes that person's request, under policy."""

from agent.core import facts
from agent.core.autonomy import modes
from agent.core.changes import life, propose
from agent.core.changes.decide import check_parameters
from agent.core.changes.targets import hosts_of
from agent.core.draft import Draft
from agent.core.state import State
from agent.model.autonomy import ProposedChange
from agent.model.autonomy_entries import ProposalTaken
from agent.model.incident import Incident
from agent.model.reason import Reason
from agent.model.rule import RemediationRule


def take_up(state: State, draft: Draft, said: ProposalTaken) -> None:
    """Ask for what was proposed, in that person's name; neither they nor the author approve it."""
    incident = state.incidents.get(said.incident)
    proposals = incident.proposals if incident else ()
    proposal = next((each for each in proposals if each.case == said.case), None)
    rule = modes.rule_named(state, proposal.rule if proposal else None)
    if incident is None or proposal is None or rule is None:
        draft.refuse(Reason.NOT_FOUND, f"{said.incident} proposes no {said.case}")
        return
    active = state.alerts.get(proposal.trigger)
    if active is None:
        draft.refuse(Reason.NO_LONGER_NEEDED, "the alert it was for has cleared")
        return
    current = state.incidents.get(active.incident or "", incident)
    change = _request(state, draft, rule, proposal, current, said)
    if change is not None:
        propose.taken(state, draft, incident, said.case, said.by, change)


def _request(  # noqa: PLR0917 - what was proposed, where it belongs, who takes it up
    state: State,
    draft: Draft,
    rule: RemediationRule,
    proposal: ProposedChange,
    incident: Incident,
    said: ProposalTaken,
) -> str | None:
    remediation = state.config.remediations.get(proposal.remediation)
    if remediation is None or remediation.name != rule.remediation:
        draft.refuse(Reason.REMEDIATION_GONE, f"{proposal.remediation} is not what the rule plays")
        return None
    hosts = hosts_of(state.config.service_map, proposal.entity, remediation)
    if not hosts:
        draft.refuse(
            Reason.NO_TARGET,
            f"{proposal.entity} is not on the map, or has no host or group to act on",
        )
        return None
    parameters = check_parameters(state, remediation, proposal.parameters)
    if isinstance(parameters, str):
        draft.refuse(Reason.PARAMETER_REFUSED, parameters)
        return None
    change = life.request(
        state,
        draft,
        remediation=remediation,
        entity=proposal.entity,
        hosts=hosts,
        parameters=parameters,
        type=facts.change_type(state, remediation.name, rule.change),
        requested_by=f"person:{said.by}",
        rule_author=rule.author,
        incident=incident,
        trigger=proposal.trigger,
        note=said.note or f"{said.by} took up what rule {rule.name} suggests",
        rule=rule.name,
        mode=None,
    )
    if change is None:
        text = f"{remediation.name} is being asked for on {proposal.entity} already"
        draft.refuse(Reason.ALREADY_UNDER_CHANGE, text)
        return None
    return change.id
