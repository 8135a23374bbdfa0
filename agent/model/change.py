"""Changes: every run, whoever asked for it, is one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.model.autonomy import Mode
from agent.model.duty import RetroDuty, ReviewDuty
from agent.model.interval import Interval
from agent.model.policy import Approval, Conflict, Decision
from agent.model.preview import Preview
from agent.model.remediation import Host, ParameterValue, Phase, RunResult
from agent.model.risk import Risk
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


MOVES: Mapping[ChangeState | None, frozenset[ChangeState]] = {
    None: frozenset({ChangeState.DRAFT}),
    ChangeState.DRAFT: frozenset({ChangeState.ASSESSED}),
    ChangeState.ASSESSED: frozenset(
        {
            ChangeState.AWAITING_APPROVAL,
            ChangeState.AUTHORISED,
            ChangeState.SCHEDULED,
            ChangeState.CLOSED,
        }
    ),
    ChangeState.AWAITING_APPROVAL: frozenset({ChangeState.ASSESSED, ChangeState.CLOSED}),
    ChangeState.SCHEDULED: frozenset({ChangeState.ASSESSED, ChangeState.CLOSED}),
    ChangeState.AUTHORISED: frozenset({ChangeState.STARTING}),
    ChangeState.STARTING: frozenset(
        {ChangeState.RUNNING, ChangeState.ASSESSED, ChangeState.CLOSED, ChangeState.UNKNOWN}
    ),
    ChangeState.RUNNING: frozenset(
        {ChangeState.VERIFYING, ChangeState.CLOSED, ChangeState.UNKNOWN}
    ),
    ChangeState.VERIFYING: frozenset({ChangeState.RUNNING, ChangeState.CLOSED}),
    ChangeState.UNKNOWN: frozenset({ChangeState.RUNNING, ChangeState.CLOSED}),
    ChangeState.CLOSED: frozenset(),
}
"""Every legal move. Into `running` from `verifying` or `unknown` leads the declared rollback only,
out of `unknown` what was heard of its run, its signal, or a person; nothing is repeated."""

PASSED_MAX = 100
"""A change remembers this many moves; in a longer life the first and the latest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A change came into this state at this moment."""

    state: ChangeState
    at: datetime


BINDINGS_MAX = 5
"""A change remembers what this many bindings were made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What an approval named at some time: the digest, and its parts by name."""

    binding: str
    parts: Mapping[str, str]


class Closure(StrEnum):
    """How a change ended."""

    SUCCESS = "success"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"


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
    """Digest over all that will run, where, when and by which policy: what an approval names."""
    incident: str | None = None
    trigger: str | None = None
    """Fingerprint of the alert whose clearing shows success; None for a request without one."""
    decision: Decision | None = None
    risk: Risk | None = None
    """As of the last time that it was judged; None: it never was."""
    conflicts: tuple[Conflict, ...] = ()
    """As of the last time that it was judged; bounded."""
    template: str | None = None
    """The template that makes it standard, as `NAME@VERSION`."""
    approvals: tuple[Approval, ...] = ()
    due_at: datetime | None = None
    scheduled_for: datetime | None = None
    """When the calendar lets it run, where it was deferred for that."""
    not_before: datetime | None = None
    """Whoever asked for it wants it to start then at the earliest..."""
    not_after: datetime | None = None
    """...and to be over by then, whatever becomes of it."""
    window: Interval | None = None
    """The window in which it would run; None where nothing bounds it, or none is in sight."""
    rule: str | None = None
    """The remediation rule whose wish it is, also where a person took it up."""
    mode: Mode | None = None
    """The mode in which the rule asked for it; None where a person did."""
    preview: Preview | None = None
    """What check mode showed of it, once it waited for approval."""
    plans: int = 0
    """How often it was planned anew: its state, its window or its time became another."""
    planned_at: datetime | None = None
    """When it was planned last."""
    attempt: int = 1
    run: str | None = None
    rollback_run: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    closure: Closure | None = None
    outcome_text: str = ""
    symptom: str = ""
    """What its alert said when it was asked for."""
    passed: tuple[Passed, ...] = ()
    """Every state that it was in, with the moment when it came there."""
    bound: tuple[Bound, ...] = ()
    """What its bindings were made of, the present one last."""
    retro: RetroDuty | None = None
    """The late approval that an emergency owes once it has started."""
    review: ReviewDuty | None = None
    """The look back that is owed after a failure, an emergency or a high risk."""

    @property
    def is_owed(self) -> bool:
        """Whether people still owe it something: until then it is not forgotten."""
        owed = (self.retro, self.review)
        return any(duty is not None and duty.is_open for duty in owed)

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
