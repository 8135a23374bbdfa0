"""`ChangePolicy` and `StandardChange`: what operators write about what may run.

Not here: whether several documents fit each other (`policy`), or what follows (`core.policy`).
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from agent.config.durations import Duration
from agent.config.schema import ConditionText, Name, Spec
from agent.model.policy import EmergencyPolicy, Policy
from agent.model.remediation import ParameterValue
from agent.model.risk import DEFAULT_RISK_MODEL, POINTS

Level = Literal["low", "medium", "high", "veryHigh"]
LEVELS: tuple[Level, ...] = ("low", "medium", "high", "veryHigh")
ConflictKind = Literal["sameEntity", "sameHost", "parent", "child", "twin", "person"]
ALWAYS_DEFER: tuple[ConflictKind, ...] = ("sameEntity", "sameHost")
DEFER_UNLESS_SAID: tuple[ConflictKind, ...] = (*ALWAYS_DEFER, "parent")
CONFLICT_KINDS: tuple[ConflictKind, ...] = get_args(ConflictKind)
Role = Literal["operator", "approver", "sre", "admin"]


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a moment such as 2026-12-24T18:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a day such as 2027-12-31") from None


def _plain(value: object) -> ParameterValue:
    if not isinstance(value, str | int | bool):
        raise ValueError("must be a text, an integer, true or false")  # noqa: TRY004
    return value


PlainValue = Annotated[ParameterValue, PlainValidator(_plain)]
"""What a parameter may hold."""
Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Count = Annotated[int, Field(ge=1, le=10)]


class PolicyRuleSpec(Spec):
    """One line of change policy. The first whose condition holds decides."""

    name: Name = Field(description="What the reason of a decision says.")
    when: ConditionText = Field(
        description="A condition over change, service, incident, calendar, history and now."
    )
    decision: Literal["allow", "approve", "defer", "refuse"] = Field(
        description="`allow` it, ask people to `approve` it, `defer` or `refuse` it."
    )
    roles: list[Role] = Field(
        default_factory=list, description="Who may approve; needed for `approve`."
    )
    approvals: Count | dict[Level, Count] = Field(
        default=1,
        description="How many different people must approve; by risk as `{low: 1, high: 2}`: from "
        "that level on.",
    )
    expires: Duration = Field(
        default=timedelta(hours=8), description="When an unanswered question is dropped."
    )
    until: Moment | None = Field(default=None, description="With `defer`: until this moment...")
    lasts: Duration | None = Field(
        default=None,
        alias="for",
        description="...or for this time from when it was asked for. Then the rules below decide.",
    )
    text: str = Field(default="", max_length=500, description="What people are told.")

    @model_validator(mode="after")
    def _roles_fit(self) -> Self:
        if self.decision == "approve" and not self.roles:
            raise ValueError("`decision: approve` needs `roles`: nobody could approve")
        if self.decision != "approve" and self.roles:
            raise ValueError(f"`decision: {self.decision}` asks nobody; remove `roles`")
        return self

    @model_validator(mode="after")
    def _time_fits(self) -> Self:
        given = sum(each is not None for each in (self.until, self.lasts))
        if self.decision == "defer" and given != 1:
            raise ValueError("`decision: defer` needs exactly one of `until` and `for`")
        if self.decision != "defer" and given:
            raise ValueError(f"`decision: {self.decision}` does not wait; remove `until`, `for`")
        return self

    @model_validator(mode="after")
    def _more_for_more_risk(self) -> Self:
        if isinstance(self.approvals, dict):
            counts = [self.approvals[level] for level in LEVELS if level in self.approvals]
            if not counts or counts != sorted(counts):
                raise ValueError("`approvals`: more risk must not need fewer people")
        return self


class RiskSpec(Spec):
    """How risk is counted: points for what is found, and from which score on a level begins."""

    points: dict[str, Annotated[int, Field(ge=0, le=1000)]] = Field(
        default_factory=dict,
        description="`INPUT.FINDING` to points, over the table of docs/change-policy.md.",
    )
    medium: int = Field(default=DEFAULT_RISK_MODEL.medium, ge=0, description="Medium from here on.")
    high: int = Field(default=DEFAULT_RISK_MODEL.high, ge=0, description="High from here on.")
    very_high: int = Field(
        default=DEFAULT_RISK_MODEL.very_high, ge=0, description="Very high from here on."
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        for key in self.points:
            if key not in POINTS:
                near = [each for each in POINTS if each.split(".")[0] == key.split(".")[0]]
                known = ", ".join(near or dict.fromkeys(each.split(".")[0] for each in POINTS))
                raise ValueError(f'there is no finding "{key}"; known: {known}')
        if not self.medium <= self.high <= self.very_high:
            raise ValueError("`medium`, `high` and `veryHigh` must not fall")
        return self


class EmergencySpec(Spec):
    """What is owed for a change that could not wait."""

    retro_within: Duration = Field(
        default=EmergencyPolicy().retro_within,
        description="How long somebody else has to answer for it afterwards; at least to the end "
        "of the next working day, where calendars tell business hours.",
    )
    roles: list[Role] = Field(
        default=["approver", "sre"], min_length=1, description="Who may answer for it."
    )


class ChangePolicySpec(Spec):
    """Change policy. Nothing runs that no rule of it allows. The rules of several documents are
    tried in the order of the paths of their files; every other key but `approvedBy` may
    stand in one of them only.
    """

    rules: list[PolicyRuleSpec] = Field(
        max_length=1000, description="Tried from top to bottom; if none holds, nothing runs."
    )
    concurrency: int = Field(
        default=4, ge=1, le=1000, description="Runs at once over the whole fleet."
    )
    windows_required: bool = Field(
        default=False,
        description="Whether a normal change also needs a permitting calendar window.",
    )
    previews: bool = Field(
        default=True,
        description="Whether what waits for approval is played in check mode on its hosts, and "
        "shown to who approves.",
    )
    risk: RiskSpec = Field(default_factory=RiskSpec, description="How risk is counted.")
    conflicts: dict[ConflictKind, Literal["defer", "show"]] = Field(
        default_factory=dict,
        description="Which conflicts make a change wait; the others are shown and add risk. "
        "`parent` waits unless it says `show`; two changes of one entity or host always do.",
    )
    budget: Literal["heed", "ignore"] = Field(
        default="heed",
        description="`heed`: what has spent its error budget takes only emergency and standard "
        "changes.",
    )
    approved_by: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Who agreed to the last edit of this document, another person than its "
        "`metadata.author`. Without one the author's approvals do not count.",
    )
    emergency: EmergencySpec = Field(
        default=EmergencySpec(), description="What is owed for an emergency."
    )
    review_within: Duration = Field(
        default=Policy(rules=(), digest="").review_within,
        description="How long people have to review what failed, was an emergency or of high risk.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        for kind in ALWAYS_DEFER:
            if self.conflicts.get(kind) == "show":
                raise ValueError(f"`conflicts.{kind}`: one place never has two runs")
        return self


class WithdrawSpec(Spec):
    """So many failures among the latest runs withdraw a template until a person reinstates it."""

    failures: int = Field(default=2, ge=1, le=100, description="So many failures...")
    of: int = Field(default=10, ge=1, le=100, description="...among this many latest runs.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.failures > self.of:
            raise ValueError("`failures` cannot be more than `of`")
        return self


class StandardChangeSpec(Spec):
    """A pre-authorised change: only what a template covers is standard, all else is normal."""

    remediation: str = Field(description="Name of a folder under `remediations/`.")
    owner: str = Field(min_length=1, max_length=200, description="Who answers for it.")
    expires: Day = Field(description="The first day (UTC) on which it covers nothing any more.")
    content: str | None = Field(
        default=None, description="Digest of the remediation it is for; none: as registered."
    )
    when: ConditionText | None = Field(
        default=None, description="A condition over what policy looks at; none: always."
    )
    entities: list[str] = Field(
        default_factory=list, description="The only targets; none: every one."
    )
    kinds: list[str] = Field(
        default_factory=list,
        description="The only kinds or types of target, such as `component`; none: every one.",
    )
    parameters: dict[str, list[PlainValue]] = Field(
        default_factory=dict, description="The only values allowed, by parameter."
    )
    uses: int | None = Field(
        default=None, ge=1, le=1000, description="How often it may be used within `within`."
    )
    within: Duration = Field(default=timedelta(days=1), description="The time for `uses`.")
    withdraw_after: WithdrawSpec = Field(
        default_factory=WithdrawSpec, description="When it is withdrawn by itself."
    )
