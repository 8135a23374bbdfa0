"""Who decides in whose place: given for a time, narrowed by scope, withdrawn, forgotten."""

from dataclasses import replace
from datetime import timedelta

from agent.core.draft import Draft
from agent.core.policy.authority import person_of
from agent.core.state import State
from agent.model.change_entries import DelegationGiven, DelegationWithdrawn
from agent.model.people import SCOPE, Delegation
from agent.model.reason import Reason

DELEGATIONS_MAX = 500
"""In force or to come; what is over makes room."""
LENGTH_MAX = timedelta(days=90)


def give(state: State, draft: Draft, said: DelegationGiven) -> None:
    """Hand on what the giver may decide, as long as it is to another person and for a time."""
    wrong = _wrong(state, draft, said)
    if wrong is not None:
        draft.refuse(Reason.DELEGATION_REFUSED, wrong)
        return
    for known in [one.id for one in state.delegations.values() if one.ends_at <= draft.at]:
        del state.delegations[known]
    if len(state.delegations) >= DELEGATIONS_MAX:
        text = f"there are {DELEGATIONS_MAX} delegations already; withdraw one first"
        draft.refuse(Reason.DELEGATION_REFUSED, text)
        return
    state.delegation_count += 1
    given = Delegation(
        id=f"DEL-{state.delegation_count}",
        by=said.by,
        to=said.to,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        scopes=said.scopes,
        note=said.note,
    )
    state.delegations[given.id] = given
    draft.created = given.id
    until = f"{said.ends_at:%Y-%m-%d %H:%M} UTC"
    where = f" for {', '.join(said.scopes)}" if said.scopes else ""
    why = f": {said.note}" if said.note else ""
    text = f"{said.to} decides in the place of {said.by} until {until}{where}{why}"
    draft.note(given.id, Reason.DELEGATED, text, actor=said.by)


def withdraw(state: State, draft: Draft, said: DelegationWithdrawn) -> None:
    """End it now. What was said under it stands."""
    known = state.delegations.get(said.delegation)
    if known is None or known.withdrawn_at is not None or known.ends_at <= draft.at:
        draft.refuse(Reason.NOT_OPEN, f"{said.delegation} is no delegation in force")
        return
    if person_of(said.by) != person_of(known.by) and not said.is_admin:
        draft.refuse(Reason.ROLE_MISSING, f"only {known.by} or an administrator can withdraw it")
        return
    ended = replace(known, withdrawn_at=draft.at, withdrawn_by=said.by)
    state.delegations[known.id] = ended
    text = f"{known.to} decides in the place of {known.by} no longer"
    draft.note(known.id, Reason.DELEGATED, text, actor=said.by)


def _wrong(state: State, draft: Draft, said: DelegationGiven) -> str | None:
    if said.is_service:
        return "only a person can hand on, or take over, what people decide"
    if person_of(said.by) == person_of(said.to):
        return "somebody else has to be given it"
    if not said.roles:
        return f"{said.by} holds nothing that could be handed on"
    if said.ends_at <= max(said.starts_at, draft.at):
        return "it would be over before it begins"
    if said.ends_at - draft.at > LENGTH_MAX:
        return f"give it for at most {LENGTH_MAX.days} days"
    return next(
        (
            f"{one!r} is no scope: say system:, owner: or entity:"
            for one in said.scopes
            if not SCOPE.match(one)
        ),
        None,
    )
