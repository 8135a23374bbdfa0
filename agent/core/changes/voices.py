"""In which role somebody may speak about a change: by roles, scope, delegation; a person always.

Not here: whether their word counts beside those of others (`core.policy.approvals`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.core.policy.authority import covers, own_of, person_of
from agent.core.state import State
from agent.model.change import Change
from agent.model.change_entries import ApprovalGiven, ApprovalRejected, RetroDecided
from agent.model.people import Authority
from agent.model.reason import Reason
from agent.model.transition import Refusal

Said = ApprovalGiven | ApprovalRejected | RetroDecided
"""What somebody said, with what they hold at that moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """In which role a word is spoken, for which part of the map, and in whose place."""

    role: str
    scopes: tuple[str, ...]
    on_behalf_of: str | None = None


def voice_of(  # noqa: PLR0917 - who, about what, when, as whom
    state: State, change: Change, said: Said, roles: Iterable[str], at: datetime, at_own: str
) -> Voice | Refusal:
    """The role in which this person may speak about the change, their own before a lent one.

    `at_own` says what who is involved cannot do; empty where they may.
    """
    if said.is_service:
        return Refusal(reason=Reason.NO_PERSON, text=f"{said.by} is no person; only people decide")
    own = own_of(state, change) if at_own else {}
    if why := own.get(person_of(said.by)):
        return Refusal(reason=Reason.SELF_APPROVAL, text=f"{said.by} {why} and cannot {at_own}")
    wanted = tuple(roles)
    is_scoped = False
    for authority in _held(state, change, said, at):
        role = next((role for role in wanted if role in authority.roles), None)
        if role is None:
            continue
        if not covers(state, authority.scopes, change.entity):
            is_scoped = True
            continue
        if authority.delegation is None:
            return Voice(role=role, scopes=authority.scopes)
        if person_of(authority.person) not in own:
            return Voice(role=role, scopes=authority.scopes, on_behalf_of=authority.person)
    if is_scoped:
        where = state.config.service_map.label(change.entity)
        return Refusal(reason=Reason.OUT_OF_SCOPE, text=f"{said.by} has no say about {where}")
    who = " or ".join(wanted) or "nobody"
    return Refusal(reason=Reason.ROLE_MISSING, text=f"this is decided by {who}")


def _held(state: State, change: Change, said: Said, at: datetime) -> Iterator[Authority]:
    """What the person holds, and what is lent by delegations that are in force about the target."""
    yield Authority(person=said.by, roles=said.roles, scopes=said.scopes)
    for lent in said.lent:
        known = state.delegations.get(lent.delegation or "")
        if known is None or not known.holds(at):
            continue
        if (person_of(known.by), person_of(known.to)) != (
            person_of(lent.person),
            person_of(said.by),
        ):
            continue
        if covers(state, known.scopes, change.entity):
            yield lent
