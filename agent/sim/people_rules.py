"""What the people of the simulated world say about how far rules may go."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from agent.core.autonomy import halts, modes, promotion
from agent.core.state import State
from agent.model.autonomy import MODES
from agent.model.autonomy_entries import (
    AutonomyResumed,
    AutonomyStopped,
    BreakerReset,
    ModeDemoted,
    ModePromoted,
    ProposalTaken,
)
from agent.model.entry import What
from agent.model.rule import RemediationRule
from agent.sim.plan import Happening, Kind
from agent.sim.town import APPROVERS

T = TypeVar("T")


def _take_up(people: object, state: State, plan: Happening) -> What | None:
    offers = [
        (incident.id, proposal.case)
        for incident in state.incidents.values()
        for proposal in incident.proposals
    ]
    offer = _pick(offers, plan.pick)
    return ProposalTaken(incident=offer[0], case=offer[1], by=_who(plan)) if offer else None


def _promote(people: object, state: State, plan: Happening) -> What | None:
    """Mostly the next step; now and then a leap, for another text, or without the role."""
    rule = _rule(state, plan)
    if rule is None:
        return None
    following = promotion.next_of(state, rule) or MODES[-1]
    return ModePromoted(
        rule=rule.name,
        to=following if plan.pick * 10 % 1 < 0.9 else MODES[-1],
        binding=modes.text_of(state, rule) if plan.pick * 100 % 1 < 0.9 else "another",
        by=_who(plan),
        roles=("approver",) if plan.pick * 1000 % 1 < 0.9 else ("viewer",),
    )


def _demote(people: object, state: State, plan: Happening) -> What | None:
    rule = _rule(state, plan)
    to = MODES[int(plan.pick * 30) % 3]
    return ModeDemoted(rule=rule.name, to=to, by=_who(plan)) if rule else None


def _stop(people: object, state: State, plan: Happening) -> What:
    return AutonomyStopped(by=_who(plan), note="hands off", cancel=plan.pick < 0.2)


def _resume(people: object, state: State, plan: Happening) -> What:
    roles = ("sre",) if plan.pick < 0.9 else ("operator",)
    return AutonomyResumed(by=_who(plan), roles=roles)


def _reset(people: object, state: State, plan: Happening) -> What | None:
    breaker = _pick([name for name, _, _ in halts.open_breakers(state)], plan.pick)
    return BreakerReset(breaker=breaker, by=_who(plan), roles=("sre",)) if breaker else None


ACTS_ABOUT_RULES: dict[Kind, Callable[[object, State, Happening], What | None]] = {
    Kind.TAKE_UP: _take_up,
    Kind.PROMOTE: _promote,
    Kind.DEMOTE: _demote,
    Kind.STOP: _stop,
    Kind.RESUME: _resume,
    Kind.RESET_BREAKER: _reset,
}


def _rule(state: State, plan: Happening) -> RemediationRule | None:
    return _pick(state.config.remediation_rules, plan.pick)


def _who(plan: Happening) -> str:
    return APPROVERS[int(plan.pick * 400) % len(APPROVERS)]


def _pick(items: Sequence[T], pick: float) -> T | None:
    return items[int(pick * len(items))] if items else None
