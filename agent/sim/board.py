"""Those of the simulated people who decide: they stand in, take back, answer, review, reconcile.

Some of them try what they must not: the checkers see to it that nothing comes of that.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from agent.core.state import State
from agent.model.change import ChangeState, Closure
from agent.model.change_entries import (
    ApprovalGiven,
    ApprovalWithdrawn,
    ChangeReconciled,
    ChangeReviewed,
    DelegationGiven,
    RetroDecided,
)
from agent.model.duty import ReviewOutcome
from agent.model.entry import What
from agent.model.people import Authority
from agent.sim.agenda import Agenda
from agent.sim.plan import Happening, Kind
from agent.sim.town import APPROVERS

T = TypeVar("T")
ROLES = ("approver",)


def act(state: State, agenda: Agenda, plan: Happening) -> What | None:
    """What somebody would say; None where there is nothing to say it about."""
    if plan.kind is Kind.DELEGATE:
        return DelegationGiven(
            by=_person(plan, 40),
            to=_person(plan, 400),
            roles=ROLES,
            starts_at=agenda.now,
            ends_at=agenda.now + timedelta(minutes=5 + 60 * plan.pick),
        )
    do = _ACTS.get(plan.kind)
    return do(state, plan) if do else None


def _withdraw(state: State, plan: Happening) -> What | None:
    approved = [one for one in state.changes.values() if one.is_open and one.approvals]
    change = _pick(approved, plan.pick)
    return ApprovalWithdrawn(change=change.id, by=change.approvals[0].by) if change else None


def _approve_for(state: State, plan: Happening) -> What | None:
    """In the place of whoever delegated, or claims to have."""
    waiting = [c for c in state.changes.values() if c.state is ChangeState.AWAITING_APPROVAL]
    change, given = _pick(waiting, plan.pick), _pick(list(state.delegations.values()), plan.pick)
    if change is None:
        return None
    lent = Authority(
        person=given.by if given else "dave", roles=ROLES, delegation=given.id if given else "DEL-0"
    )
    return ApprovalGiven(
        change=change.id,
        binding=change.binding,
        by=given.to if given else _person(plan, 40),
        roles=(),
        lent=(lent,),
    )


def _answer(state: State, plan: Happening) -> What | None:
    owed = [one.id for one in state.changes.values() if one.retro and one.retro.is_open]
    change = _pick(owed, plan.pick)
    if change is None:
        return None
    is_yes = plan.pick < 0.7
    return RetroDecided(
        change=change, approves=is_yes, by=_person(plan, 40), roles=ROLES, note="looked at it"
    )


def _review(state: State, plan: Happening) -> What | None:
    over = [one.id for one in state.changes.values() if not one.is_open]
    change = _pick(over, plan.pick)
    if change is None:
        return None
    outcome = list(ReviewOutcome)[int(plan.pick * 40) % 4]
    return ChangeReviewed(change=change, by="erin", outcome=outcome, text="seen")


def _reconcile(state: State, plan: Happening) -> What | None:
    lost = [one.id for one in state.changes.values() if one.state is ChangeState.UNKNOWN]
    change = _pick(lost, plan.pick)
    if change is None:
        return None
    closure = (Closure.FAILED, Closure.SUCCESS)[int(plan.pick * 40) % 2]
    return ChangeReconciled(change=change, by="dave", closure=closure, note="asked the host")


_ACTS: dict[Kind, Callable[[State, Happening], What | None]] = {
    Kind.WITHDRAW: _withdraw,
    Kind.APPROVE_FOR: _approve_for,
    Kind.ANSWER: _answer,
    Kind.REVIEW: _review,
    Kind.RECONCILE: _reconcile,
}
KINDS = frozenset({Kind.DELEGATE, *_ACTS})
"""What these people do."""


def _person(plan: Happening, spread: int) -> str:
    return APPROVERS[int(plan.pick * spread) % len(APPROVERS)]


def _pick(items: Sequence[T], pick: float) -> T | None:
    return items[int(pick * len(items))] if items else None
