"""What SREs write about how far rules may go by themselves, and what that becomes.

Not here: how a rule earns its mode (`core.autonomy`).
"""

from typing import Literal

from pydantic import Field

from agent.config.durations import Duration
from agent.config.schema import Spec
from agent.model.autonomy import DEFAULT_LIMITS, DEFAULT_PROMOTION, AutonomyLimits, Mode, Promotion

ModeName = Literal["observe", "suggest", "approve", "auto"]


class PromotionSpec(Spec):
    """What a rule has to show before a person may sign that it goes a step further."""

    up_to: ModeName = Field(default="auto", description="How far it may come at most.")
    precision: float = Field(
        default=DEFAULT_PROMOTION.precision,
        ge=0.0,
        lt=1.0,
        description="The share of its runs that helped; its lower confidence bound counts.",
    )
    confidence: float = Field(
        default=DEFAULT_PROMOTION.confidence,
        ge=0.5,
        le=0.999,
        description="Confidence of each one-sided bound.",
    )
    cases: int = Field(
        default=DEFAULT_PROMOTION.cases,
        ge=0,
        le=200,
        description="So many runs at least, since its mode was set last.",
    )
    minimum_uplift: float = Field(
        default=DEFAULT_PROMOTION.minimum_uplift,
        ge=-1.0,
        lt=1.0,
        description="How much more often its alert goes than when nothing is done; the lower "
        "bound counts. `-1` asks for no comparison.",
    )


class AutonomySpec(Spec):
    """Where automation stops by itself and asks a person."""

    promotion: PromotionSpec = Field(
        default_factory=PromotionSpec,
        description="For rules that declare none: what lets them come back to their `mode`.",
    )
    roles: list[Literal["operator", "approver", "sre", "admin"]] = Field(
        default=["approver", "sre", "admin"],
        min_length=1,
        description="Who signs promotions, resumes, resets breakers, and approves what a rule in "
        "`approve` asks for where policy would ask nobody.",
    )
    starts: int = Field(
        default=DEFAULT_LIMITS.starts,
        ge=1,
        le=20,
        description="So many runs of rules on one target, whatever they do.",
    )
    starts_within: Duration = Field(
        default=DEFAULT_LIMITS.starts_within, description="Within this time."
    )
    loop_times: int = Field(
        default=DEFAULT_LIMITS.loop_times,
        ge=1,
        le=10,
        description="So many verified runs in a row that were followed by their own alert are a "
        "loop.",
    )
    loop_within: Duration = Field(
        default=DEFAULT_LIMITS.loop_within,
        description="How soon after a verified run its alert is back, to count.",
    )
    cycle_within: Duration = Field(
        default=DEFAULT_LIMITS.cycle_within,
        description="Within this time remediations that undo each other are found.",
    )
    rule_failures: int = Field(
        default=DEFAULT_LIMITS.rule_failures,
        ge=1,
        le=100,
        description="A rule that fails on so many targets in a row is stopped everywhere.",
    )
    bulk_targets: int = Field(
        default=DEFAULT_LIMITS.bulk_targets,
        ge=1,
        le=1000,
        description="A rule that wants to act on more targets pauses and asks a person.",
    )
    bulk_within: Duration = Field(
        default=DEFAULT_LIMITS.bulk_within, description="Within this time."
    )


def promotion(spec: PromotionSpec) -> Promotion:
    """The terms that this says."""
    return Promotion(
        up_to=Mode(spec.up_to),
        precision=spec.precision,
        confidence=spec.confidence,
        cases=spec.cases,
        minimum_uplift=spec.minimum_uplift,
    )


def limits(spec: AutonomySpec) -> AutonomyLimits:
    """The limits that this says."""
    return AutonomyLimits(
        promotion=promotion(spec.promotion),
        roles=tuple(spec.roles),
        starts=spec.starts,
        starts_within=spec.starts_within,
        loop_times=spec.loop_times,
        loop_within=spec.loop_within,
        cycle_within=spec.cycle_within,
        rule_failures=spec.rule_failures,
        bulk_targets=spec.bulk_targets,
        bulk_within=spec.bulk_within,
    )
