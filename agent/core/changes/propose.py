"""What a rule's wish becomes: a line, a proposal, or a change, by the mode that is in force."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent.core import facts
from agent.core.autonomy import cases, halts, loops, modes
from agent.core.autonomy.memory import PROPOSALS_MAX
from agent.core.changes import life, templates
from agent.core.draft import Draft
from agent.core.policy.judge import judge
from agent.core.state import ActiveAlert, State
from agent.model.autonomy import Mode, ProposedChange
from agent.model.change import Change, ChangeState
from agent.model.incident import Incident
from agent.model.reason import Reason
from agent.model.remediation import Host, ParameterValue, Remediation
from agent.model.rule import RemediationRule
from agent.model.service import EntityRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a rule wants, with everything found that it takes."""

    rule: RemediationRule
    remediation: Remediation
    entity: EntityRef
    hosts: tuple[Host, ...]
    parameters: Mapping[str, ParameterValue]
    active: ActiveAlert
    incident: Incident


def act_on(state: State, draft: Draft, wish: Wish) -> None:
    """Do with a rule's wish what its mode says."""
    if life.open_for(state, wish.entity, wish.remediation.name, draft.at) is not None:
        return
    if modes.mode_of(state, wish.rule).acts:
        halts.wants(state, draft, wish.rule.name, wish.entity, wish.incident)
        if not _is_stopped(state, wish) and loops.found(
            state, draft, wish.remediation.name, wish.active, wish.incident
        ):
            return
    mode = modes.mode_of(state, wish.rule)
    if mode.acts:
        _ask(state, draft, wish, mode)
    else:
        _say(state, draft, wish, mode)


def _is_stopped(state: State, wish: Wish) -> bool:
    attempts = state.attempts.get(f"{wish.entity}|{wish.remediation.name}")
    return attempts is not None and attempts.breaker_open


def _ask(state: State, draft: Draft, wish: Wish, mode: Mode) -> None:
    """A change of the rule's own, under policy."""
    rule, fingerprint = wish.rule, wish.active.alert.fingerprint
    case = cases.known(state, rule.name, fingerprint)
    if case is None:
        case = cases.begin(state, draft, rule, mode, wish.active, wish.incident)
    following = state.autonomy.open.get(case)
    change = life.request(
        state,
        draft,
        remediation=wish.remediation,
        entity=wish.entity,
        hosts=wish.hosts,
        parameters=wish.parameters,
        type=facts.change_type(state, wish.remediation.name, rule.change),
        requested_by=f"rule:{rule.name}",
        rule_author=rule.author,
        incident=wish.incident,
        trigger=fingerprint,
        note=f"rule {rule.name} matches {wish.active.alert.name}",
        rule=rule.name,
        mode=mode,
    )
    if following is not None and change is not None and change.is_open:
        following.change = change.id


def _say(state: State, draft: Draft, wish: Wish, mode: Mode) -> None:
    """A line in the story of what would have been done; where the mode says so, a proposal."""
    incident = state.incidents[wish.incident.id]
    about = (wish.rule.name, wish.active.alert.fingerprint)
    case = cases.known(state, *about)
    if mode is Mode.OBSERVE and case is not None:
        return
    if any((p.rule, p.trigger) == about and p.taken_by is None for p in incident.proposals):
        return
    case = case or cases.begin(state, draft, wish.rule, mode, wish.active, incident)
    where = state.config.service_map.label(wish.entity)
    text = f"{wish.remediation.name} on {where}; policy would say {_policy(state, draft, wish)}"
    if mode is Mode.OBSERVE:
        text = f"rule {wish.rule.name} would have run {text}"
        draft.note(incident.id, Reason.WOULD_HAVE_RUN, text)
        return
    proposal = ProposedChange(
        case=case,
        rule=wish.rule.name,
        remediation=wish.remediation.name,
        entity=wish.entity,
        parameters=wish.parameters,
        trigger=wish.active.alert.fingerprint,
        at=draft.at,
        text=text,
    )
    kept = [each for each in incident.proposals if (each.rule, each.trigger) != about]
    draft.set_incident(state, incident, proposals=(*kept, proposal)[-PROPOSALS_MAX:])
    state.autonomy.proposed[proposal.trigger] = incident.id
    draft.note(incident.id, Reason.PROPOSED, f"{case}: rule {wish.rule.name} suggests {text}")


def _policy(state: State, draft: Draft, wish: Wish) -> str:
    """What policy would say now, were it asked for."""
    change = Change(
        id=f"CHG-{state.change_count + 1}",
        state=ChangeState.DRAFT,
        type=facts.change_type(state, wish.remediation.name, wish.rule.change),
        title=wish.remediation.title,
        remediation=wish.remediation.name,
        digest=wish.remediation.digest,
        entity=wish.entity,
        hosts=wish.hosts,
        parameters=wish.parameters,
        requested_by=f"rule:{wish.rule.name}",
        rule_author=wish.rule.author,
        requested_at=draft.at,
        binding="",
        incident=wish.incident.id,
        trigger=wish.active.alert.fingerprint,
        rule=wish.rule.name,
        mode=Mode.OBSERVE,
    )
    change, _ = templates.settled_at(state, change, draft.at)
    decision = judge(state, change, draft.at)
    return f"{decision.verdict.replace('_', ' ')}: {decision.text}"


def withdraw(state: State, draft: Draft) -> None:
    """A proposal goes with its alert."""
    proposed = state.autonomy.proposed
    for name in [name for name in draft.ended if name in proposed]:
        incident = state.incidents.get(proposed.pop(name))
        if incident is not None:
            kept = tuple(p for p in incident.proposals if p.trigger != name or p.taken_by)
            draft.set_incident(state, incident, proposals=kept)


def taken(  # noqa: PLR0917 - which proposal, whose it is now
    state: State, draft: Draft, incident: Incident, case: str, by: str, change: str
) -> None:
    """Remember at the incident, and at the case, who took up what was proposed."""
    proposals = tuple(
        replace(each, taken_by=by, change=change) if each.case == case else each
        for each in state.incidents[incident.id].proposals
    )
    draft.set_incident(state, state.incidents[incident.id], proposals=proposals)
    if following := state.autonomy.open.get(case):
        following.change = change
