"""How risky a change is: a score with the inputs that made it, by a table of points that is data.

Not here: where the inputs come from (`core.policy.risk`), or what policy makes of the level.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RiskLevel(StrEnum):
    """How much may go wrong, in the four words that policy and people use."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"

    @property
    def rank(self) -> int:
        """0 for the lowest, for comparison."""
        return tuple(RiskLevel).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskInput:
    """One thing that was looked at: its name, what was found in words, and its points."""

    name: str
    value: str
    """`unknown` where nobody can tell: it counts as the worst of its kind."""
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """The risk of one change at one moment, with everything that it follows from."""

    level: RiskLevel
    score: int
    inputs: tuple[RiskInput, ...]
    version: str
    """Digest of the table of points."""


POINTS: Mapping[str, int] = {
    "tier.1": 25,
    "tier.2": 15,
    "tier.3": 10,
    "tier.4": 5,
    "tier.5": 0,
    "reach.none": 0,
    "reach.few": 5,
    "reach.many": 10,
    "reach.most": 20,
    "share.none": 5,
    "share.small": 0,
    "share.half": 5,
    "share.more": 10,
    "history.proven": 0,
    "history.good": 5,
    "history.mixed": 10,
    "history.poor": 20,
    "time.business_hours": 0,
    "time.outside": 5,
    "time.before_days_off": 10,
    "budget.ample": 0,
    "budget.short": 5,
    "budget.nearly_spent": 10,
    "budget.spent": 20,
    "rollback.declared": 0,
    "rollback.irreversible": 15,
    "conflict.none": 0,
    "conflict.found": 15,
    "check_mode.supported": 0,
    "check_mode.unsupported": 5,
}
"""`INPUT.FINDING` to points. What cannot be told counts as the worst finding of its input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskModel:
    """The table of points, and from which score on a level begins."""

    points: Mapping[str, int] = field(default_factory=lambda: POINTS)
    medium: int = 25
    high: int = 50
    very_high: int = 75
    digest: str = "default"

    def level_of(self, score: int) -> RiskLevel:
        """The level that this score means."""
        if score >= self.very_high:
            return RiskLevel.VERY_HIGH
        if score >= self.high:
            return RiskLevel.HIGH
        return RiskLevel.MEDIUM if score >= self.medium else RiskLevel.LOW

    def worst(self, name: str) -> int:
        """The most points that any finding of this input has."""
        return max(points for key, points in self.points.items() if key.partition(".")[0] == name)


DEFAULT_RISK_MODEL = RiskModel()
"""What counts where the policy says nothing else."""
