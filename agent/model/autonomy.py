"""How far a rule may go by itself, what it has shown, and what it would take to go further.

Not here: how any of it is worked out (`core.autonomy`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.model.remediation import ParameterValue
from agent.model.service import EntityRef


class Mode(StrEnum):
    """How far a remediation rule goes by itself, from the least to the most."""

    OBSERVE = "observe"
    """It says what it would have done."""
    SUGGEST = "suggest"
    """It proposes, and a person may take that up."""
    APPROVE = "approve"
    """It asks for a change that at least one person has to approve."""
    AUTO = "auto"
    """It asks for a change, and policy alone decides."""

    @property
    def rank(self) -> int:
        """Its place from the least to the most."""
        return MODES.index(self)

    @property
    def higher(self) -> "Mode | None":
        """The next step up; None at the top."""
        return MODES[self.rank + 1] if self.rank + 1 < len(MODES) else None

    @property
    def acts(self) -> bool:
        """Whether the rule asks for changes itself."""
        return self.rank >= Mode.APPROVE.rank


MODES: tuple[Mode, ...] = tuple(Mode)


def lesser(one: Mode, other: Mode) -> Mode:
    """The one that goes less far."""
    return one if one.rank <= other.rank else other


def greater(one: Mode, other: Mode) -> Mode:
    """The one that goes further."""
    return one if one.rank >= other.rank else other


class CaseOutcome(StrEnum):
    """What came of one moment at which a rule acted, or would have."""

    CLEARED = "cleared"
    """Nothing was done: the alert went within T and stayed away for 2T."""
    NOT_CLEARED = "not_cleared"
    """Nothing was done, and that did not happen."""
    HELPED = "helped"
    """It ran, was verified, and the alert stayed away for 2T."""
    RELAPSED = "relapsed"
    """It ran and was verified, and the alert was back within 2T."""
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    HARMFUL = "harmful"
    """The rollback failed too, or the run led to its own alert, or undid another's."""
    VOID = "void"
    """It cannot be told: something else was done there meanwhile, or the run was cancelled."""

    @property
    def is_control(self) -> bool:
        """Whether it says what happens when nothing is done."""
        return self in (CaseOutcome.CLEARED, CaseOutcome.NOT_CLEARED)

    @property
    def is_run(self) -> bool:
        """Whether it says what the action did."""
        return not self.is_control and self is not CaseOutcome.VOID


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One moment at which a rule acted or would have, and what came of it."""

    id: str
    rule: str
    mode: Mode
    """In force at that moment."""
    at: datetime
    """When it would have run; for a run, when it started."""
    entity: EntityRef
    trigger: str
    incident: str
    change: str | None = None
    outcome: CaseOutcome
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedChange:
    """What a rule would do about an incident, for a person to take up."""

    case: str
    """The id of the case behind it: what a person names."""
    rule: str
    remediation: str
    entity: EntityRef
    parameters: Mapping[str, ParameterValue]
    trigger: str
    at: datetime
    text: str
    """What would run where, and what policy would say."""
    taken_by: str | None = None
    change: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What a rule has to show before a person may let it go a step further."""

    up_to: Mode = Mode.AUTO
    precision: float = 0.9
    """The share of its runs that helped, as its lower confidence bound."""
    confidence: float = 0.95
    """Of each one-sided bound."""
    cases: int = 10
    """At least so many of them."""
    minimum_uplift: float = 0.1
    """Lower bound of how much more often the alert goes than when nothing is done."""


DEFAULT_PROMOTION = Promotion()


@dataclass(frozen=True, slots=True, kw_only=True)
class AutonomyLimits:
    """Where automation stops by itself and asks a person."""

    promotion: Promotion = DEFAULT_PROMOTION
    """For rules that declare none of their own."""
    roles: tuple[str, ...] = ("approver", "sre", "admin")
    """Who promotes a rule, resumes after a stop, resets a breaker, and approves what a rule in
    `approve` asks for where policy itself would ask nobody."""
    starts: int = 6
    """So many runs of rules on one target, whatever they do, within..."""
    starts_within: timedelta = timedelta(hours=24)
    loop_times: int = 2
    """So often in a row a verified run is followed by its own alert..."""
    loop_within: timedelta = timedelta(minutes=15)
    """...this soon after it was verified, before that is a loop."""
    cycle_within: timedelta = timedelta(hours=2)
    """A circle of remediations that undo each other shows within this time."""
    rule_failures: int = 3
    """A rule that failed on so many targets in a row is stopped everywhere."""
    bulk_targets: int = 10
    """A rule that would act on more targets than this within..."""
    bulk_within: timedelta = timedelta(minutes=10)
    """...pauses and asks a person."""


DEFAULT_LIMITS = AutonomyLimits()
