"""Change policy as data, its four answers, and the word of people that it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from agent.model.reason import Reason
from agent.model.risk import DEFAULT_RISK_MODEL, Risk, RiskLevel, RiskModel
from agent.model.service import EntityRef
from agent.model.standard import StandardChange

INPUTS_MAX = 40
"""A decision keeps at most this many of the facts that it was made by."""
INPUT_TEXT_MAX = 200


class Verdict(StrEnum):
    """Policy's four answers."""

    ALLOWED = "allowed"
    NEEDS_APPROVAL = "needs_approval"
    DEFERRED = "deferred"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Policy's answer with its reason and the rule that gave it."""

    verdict: Verdict
    reason: Reason
    text: str
    rule: str | None = None
    roles: tuple[str, ...] = ()
    approvals: int = 0
    until: datetime | None = None
    """For `deferred`: when it is worth judging again."""
    policy: str = ""
    """Digest of the policy in force; empty where there was none."""
    inputs: tuple[tuple[str, str], ...] = ()
    """The facts that counted, by name; bounded by `INPUTS_MAX`."""

    def says(self, other: "Decision | None") -> bool:
        """Whether people would read the same in both."""
        mine = (self.verdict, self.reason, self.text)
        return other is not None and mine == (other.verdict, other.reason, other.text)


class ConflictKind(StrEnum):
    """How two changes get into each other's way."""

    SAME_ENTITY = "same_entity"
    SAME_HOST = "same_host"
    PARENT = "parent"
    """The other one is made to something that this one's target rests on."""
    CHILD = "child"
    """The other one is made to something that rests on this one's target."""
    TWIN = "twin"
    """Both targets stand in for each other."""
    PERSON = "person"
    """The same person or team is at work on both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One other change that is under way, or planned for the same time, and why it matters."""

    kind: ConflictKind
    other: str
    """`CHG-7`, or `REP-7` for one of others."""
    entity: EntityRef
    """Where the other one is made."""
    text: str
    is_under_way: bool = True
    """Otherwise it is planned for a time that this one would run into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's word, bound to the digest of exactly what may run."""

    by: str
    at: datetime
    role: str
    binding: str
    note: str = ""
    scopes: tuple[str, ...] = ()
    """For which part of the map the role was held; none: all of it."""
    on_behalf_of: str | None = None
    """Who delegated: the role is theirs, and both are one voice."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What the binding is made of, each part by its name with a digest of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """One line of change policy; the first whose condition holds decides."""

    name: str
    when: str
    """A condition over change.*, service.*, incident.* and now."""
    verdict: Verdict
    roles: tuple[str, ...] = ()
    approvals: int = 1
    approvals_by_risk: Mapping[RiskLevel, int] = field(default_factory=dict)
    """How many people from this level on, where the rule makes a difference."""
    approval_expires: timedelta = timedelta(hours=8)
    defer_until: datetime | None = None
    defer_for: timedelta | None = None
    """For `deferred`, one of both: until a moment, or for a time from when it was asked for."""
    text: str = ""

    def approvals_for(self, risk: Risk | None) -> int:
        """How many people must approve a change of this risk; unknown risk takes the most."""
        steps = self.approvals_by_risk
        if not steps:
            return self.approvals
        if risk is None:
            return max(self.approvals, *steps.values())
        return max([self.approvals, *(n for at, n in steps.items() if at.rank <= risk.level.rank)])


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyPolicy:
    """What is owed for a change that could not wait."""

    retro_within: timedelta = timedelta(hours=24)
    """How long people have to answer for it afterwards."""
    roles: tuple[str, ...] = ("approver", "sre")
    """Who may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEdit:
    """Who wrote a document of policy as it is in force.

    Their approvals count only where somebody else agreed to that edit.
    """

    document: str
    author: str
    approved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Change policy as data. Nothing runs that no rule of it allows."""

    rules: tuple[PolicyRule, ...]
    digest: str
    edits: tuple[PolicyEdit, ...] = ()
    """Who wrote each document as it is, and who agreed."""
    emergency: EmergencyPolicy = EmergencyPolicy()
    review_within: timedelta = timedelta(days=7)
    """How long people have for the review of a change that needs one."""
    concurrency_max: int = 4
    """Runs at once over the whole fleet; one target never has two."""
    windows_required: bool = False
    """Whether a normal change needs a permitting calendar window even when rules allow it."""
    risk: RiskModel = DEFAULT_RISK_MODEL
    conflicts_defer: tuple[ConflictKind, ...] = (
        ConflictKind.SAME_ENTITY,
        ConflictKind.SAME_HOST,
        ConflictKind.PARENT,
    )
    """Conflicts that make a change wait; the others raise its risk and are shown."""
    heeds_budget: bool = True
    """Whether what has spent its error budget takes only emergency and standard changes."""
    standard: tuple[StandardChange, ...] = ()
    """Templates; a change is standard only as far as one of them covers it."""
    previews: bool = True
    """Whether what waits for approval is played in check mode first."""
