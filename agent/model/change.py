"""Changes: every run, whoever asked for it, is one. Policy's answers and people's approvals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.model.interval import Interval
from agent.model.reason import Reason
from agent.model.remediation import Host, ParameterValue, Phase, RunResult
from agent.model.service import EntityRef


class ChangeType(StrEnum):
    """ITIL 4: pre-authorised, assessed and authorised, or for what cannot wait."""

    STANDARD = "standard"
    NORMAL = "normal"
    EMERGENCY = "emergency"


class ChangeState(StrEnum):
    """Where a change is in its life; `unknown` is left by reconciliation only."""

    DRAFT = "draft"
    ASSESSED = "assessed"
    AWAITING_APPROVAL = "awaiting_approval"
    AUTHORISED = "authorised"
    SCHEDULED = "scheduled"
    STARTING = "starting"
    RUNNING = "running"
    VERIFYING = "verifying"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Closure(StrEnum):
    """How a change ended."""

    SUCCESS = "success"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's word, bound to the digest of exactly what may run."""

    by: str
    at: datetime
    role: str
    binding: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One intended action on one target: what, where, who asked, what policy said, how it went."""

    id: str
    state: ChangeState
    type: ChangeType
    title: str
    remediation: str
    digest: str
    entity: EntityRef
    hosts: tuple[Host, ...]
    parameters: Mapping[str, ParameterValue]
    requested_by: str
    """`rule:NAME` or `person:NAME`: an identity, never a token."""
    rule_author: str | None
    requested_at: datetime
    binding: str
    """Digest over remediation, parameters, hosts and policy: an approval of another one is void."""
    incident: str | None = None
    trigger: str | None = None
    """Fingerprint of the alert whose clearing shows success; None for a request without one."""
    decision: Decision | None = None
    approvals: tuple[Approval, ...] = ()
    due_at: datetime | None = None
    scheduled_for: datetime | None = None
    """When the calendar lets it run, where it was deferred for that."""
    attempt: int = 1
    run: str | None = None
    rollback_run: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    closure: Closure | None = None
    outcome_text: str = ""

    @property
    def is_open(self) -> bool:
        """Whether something may still happen under it."""
        return self.state is not ChangeState.CLOSED


class RunState(StrEnum):
    """Where a run is; each step is an entry, so that a crash between two of them is seen."""

    PREPARING = "preparing"
    LAUNCHING = "launching"
    RUNNING = "running"
    FINISHED = "finished"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One playing of one playbook for one change."""

    id: str
    change: str
    phase: Phase
    state: RunState
    requested_at: datetime
    launched_at: datetime | None = None
    result: RunResult | None = None


class CalendarPurpose(StrEnum):
    """What an entry of a calendar does; one may do several at once."""

    PERMIT = "permit"
    FREEZE = "freeze"
    MUTE = "mute"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarWindow:
    """One occurrence of a calendar entry, recurrence and time zone already worked out."""

    interval: Interval
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Windows of one calendar around now, and what they mean for which entities."""

    name: str
    purposes: tuple[CalendarPurpose, ...]
    entities: tuple[EntityRef, ...]
    """Whom it concerns, with everything that they rest on; empty: everybody."""
    windows: tuple[CalendarWindow, ...]
    horizon: Interval
    """What was expanded; outside of it the calendar is unreadable and policy denies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """One line of change policy; the first whose condition holds decides."""

    name: str
    when: str
    """A condition over change.*, service.*, incident.* and now."""
    verdict: Verdict
    roles: tuple[str, ...] = ()
    approvals: int = 1
    approval_expires: timedelta = timedelta(hours=8)
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Change policy as data. Nothing runs that no rule of it allows."""

    rules: tuple[PolicyRule, ...]
    digest: str
    concurrency_max: int = 4
    """Runs at once over the whole fleet; one target never has two."""
    windows_required: bool = False
    """Whether a normal change needs a permitting calendar window even when rules allow it."""
