"""What the one who asks says about a change, with all that they hold at this moment."""

from agent.core.policy.authority import person_of
from agent.model.change import Closure
from agent.model.change_entries import (
    ApprovalGiven,
    ApprovalRejected,
    ApprovalWithdrawn,
    ChangeReconciled,
    ChangeReviewed,
    RetroDecided,
)
from agent.model.duty import ReviewOutcome
from agent.model.people import Authority
from agent.web.routes import Call

LENT_MAX = 50
"""So many tokens of those who delegated to one person are looked at."""


def approval(call: Call, change: str, binding: str, note: str) -> ApprovalGiven:
    """Yes, to what this binding names."""
    who = call.identity
    return ApprovalGiven(
        change=change,
        binding=binding,
        by=who.name,
        roles=who.roles,
        note=note,
        scopes=who.scopes,
        is_service=who.is_service,
        lent=lent_to(call),
    )


def rejection(call: Call, change: str, note: str) -> ApprovalRejected:
    """No, and why."""
    who = call.identity
    return ApprovalRejected(
        change=change,
        by=who.name,
        roles=who.roles,
        note=note,
        scopes=who.scopes,
        is_service=who.is_service,
        lent=lent_to(call),
    )


def withdrawal(call: Call, change: str, note: str) -> ApprovalWithdrawn:
    """Not any more."""
    return ApprovalWithdrawn(change=change, by=call.identity.name, note=note)


def answer_for(call: Call, change: str, note: str, *, approves: bool) -> RetroDecided:
    """An answer for an emergency that ran."""
    who = call.identity
    return RetroDecided(
        change=change,
        approves=approves,
        by=who.name,
        roles=who.roles,
        scopes=who.scopes,
        is_service=who.is_service,
        lent=lent_to(call),
        note=note,
    )


def review_of(  # noqa: PLR0917 - the parts of a review
    call: Call, change: str, outcome: ReviewOutcome, text: str, lessons: str, problem: str | None
) -> ChangeReviewed:
    """A look back."""
    who = call.identity
    return ChangeReviewed(
        change=change,
        by=who.name,
        outcome=outcome,
        text=text,
        lessons=lessons,
        problem=problem,
        is_service=who.is_service,
    )


def reconciliation(call: Call, change: str, closure: Closure, note: str) -> ChangeReconciled:
    """What a lost run did."""
    who = call.identity
    return ChangeReconciled(
        change=change, by=who.name, closure=closure, note=note, is_service=who.is_service
    )


def lent_to(call: Call) -> tuple[Authority, ...]:
    """What those hold now who delegated to the one who asks, a token each; bounded.

    A token that is out of force lends nothing, nor does a tool's.
    """
    now, person = call.site.clock.now(), person_of(call.identity.name)
    delegations = [
        one
        for one in call.site.loop.state.delegations.values()
        if one.holds(now) and person_of(one.to) == person
    ]
    if not delegations:
        return ()
    records = [one for one in call.site.keyring.records() if call.site.keyring.holds(one, now)]
    lent = [
        Authority(person=one.by, roles=record.roles, scopes=record.scopes, delegation=one.id)
        for one in delegations
        for record in records
        if not record.is_service and person_of(record.identity) == person_of(one.by)
    ]
    return tuple(lent[:LENT_MAX])
