"""How far each rule may go and what it has shown, for people to look at. Decides nothing."""

from dataclasses import dataclass
from datetime import datetime

from agent.core.autonomy import halts, modes, promotion
from agent.core.autonomy.memory import Halt
from agent.core.autonomy.score import Score, score
from agent.core.state import State
from agent.model.autonomy import Case, Mode
from agent.model.rule import RemediationRule

CASES_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTold:
    """One rule: how far it goes, may come, and what is missing."""

    name: str
    author: str
    remediation: str
    declared: Mode
    maximum: Mode
    mode: Mode
    """In force."""
    why: str
    """Why it is less than declared; empty where it is not."""
    signed_by: str | None
    next: Mode | None
    missing: tuple[str, ...]
    """For `next`; empty: it only wants a signature."""
    binding: str
    """What a promotion signs: digest of the rule and of its playbook's files."""
    confidence: float
    score: Score
    following: int
    """Cases of which the outcome is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerTold:
    """One place where automation has stopped until a person resets it."""

    name: str
    since: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AutonomyTold:
    """All of it."""

    stopped: Halt | None
    rules: tuple[RuleTold, ...]
    breakers: tuple[BreakerTold, ...]
    uncounted: int
    """Cases that were not followed, for there were too many at once."""


def told(state: State) -> AutonomyTold:
    """How far every rule in force may go, by name, and where automation has stopped."""
    rules = sorted(state.config.remediation_rules, key=lambda rule: rule.name)
    return AutonomyTold(
        stopped=state.autonomy.stopped,
        rules=tuple(tell(state, rule) for rule in rules if rule.name in state.autonomy.rules),
        breakers=tuple(
            BreakerTold(name=name, since=since, why=why)
            for name, since, why in halts.open_breakers(state)
        ),
        uncounted=state.autonomy.uncounted,
    )


def tell(state: State, rule: RemediationRule) -> RuleTold:
    """How far this rule may go, and what it has shown."""
    standing = state.autonomy.rules[rule.name]
    terms, following = modes.terms_of(state, rule), promotion.next_of(state, rule)
    return RuleTold(
        name=rule.name,
        author=rule.author,
        remediation=rule.remediation,
        declared=rule.mode,
        maximum=modes.maximum_of(rule),
        mode=modes.mode_of(state, rule),
        why=modes.why_lower(state, rule),
        signed_by=standing.signed.by if standing.signed else None,
        next=following,
        missing=promotion.missing(state, rule) if following else (),
        binding=standing.text,
        confidence=terms.confidence,
        score=score(standing, terms.confidence),
        following=sum(case.rule == rule.name for case in state.autonomy.open.values()),
    )


def cases_of(state: State, name: str) -> tuple[Case, ...]:
    """The newest cases of a rule, newest first; bounded."""
    standing = state.autonomy.rules.get(name)
    return tuple(reversed(standing.cases[-CASES_SHOWN_MAX:])) if standing else ()
