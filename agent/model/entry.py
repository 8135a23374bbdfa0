"""Everything that can happen, past tense: the closed union that the journal keeps.

An `Entry` numbers and times one happening. What follows from it is `core.step`'s business alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.model.alert import Alert
from agent.model.autonomy_entries import (
    AutonomyResumed,
    AutonomyStopped,
    BreakerReset,
    ModeDemoted,
    ModePromoted,
    ProposalTaken,
)
from agent.model.calendar import Calendar
from agent.model.change import ChangeType
from agent.model.change_entries import (
    ApprovalGiven,
    ApprovalRejected,
    ApprovalWithdrawn,
    ChangeReconciled,
    ChangeReviewed,
    DelegationGiven,
    DelegationWithdrawn,
    RetroDecided,
)
from agent.model.policy_entries import StandardReinstated
from agent.model.preview_entries import RunPreviewed
from agent.model.problem_entries import (
    FixPlanned,
    KnownErrorRecorded,
    ProblemMoved,
    SuspectConfirmed,
    SuspectDismissed,
)
from agent.model.remediation import ParameterValue, RunResult
from agent.model.reported import ChangeReport
from agent.model.rule import Config
from agent.model.service import EntityRef
from agent.model.signal import Finding
from agent.model.silence import Silence
from agent.model.ticket import RemoteTicket


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStarted:
    """The agent took up the watch; between `last_alive` and now nobody watched."""

    version: str
    last_alive: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigLoaded:
    """A rule set came into force. The journal keeps its digest only; the set is kept by digest."""

    config: Config


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarsExpanded:
    """The calendars were worked out anew around now; replaces the earlier expansion."""

    calendars: tuple[Calendar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsReceived:
    """A source made these statements, in this order."""

    source: str
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasesRenewed:
    """Repeats moved the expiry of these firing alerts (fingerprint to expiry)."""

    expires_at: Mapping[str, datetime]
    beats: Mapping[str, datetime] = field(default_factory=dict)
    """The heartbeats among what was repeated, with the moment of the last beat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeElapsed:
    """The moment of at least one timer of the state has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceAdded:
    """A person silenced something, or changed a silence (same id)."""

    silence: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceExpired:
    """A person ended a silence early."""

    id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAcknowledged:
    """A person took note: response has begun.

    With `until_clear` nobody is told of it again until it is over, or until `until`.
    """

    incident: str
    by: str
    until_clear: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAssigned:
    """An incident was given to somebody; None takes it from whoever had it."""

    incident: str
    assignee: str | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCommented:
    """A person said something about an incident here; at a ticket it is `TicketChanged`."""

    incident: str
    text: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentsMerged:
    """A person said that two incidents are one; `incident` goes on in `into`."""

    incident: str
    into: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsMoved:
    """A person said that these alerts (fingerprints) belong to another incident.

    `into` None: to one of their own.
    """

    incident: str
    alerts: tuple[str, ...]
    into: str | None
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsDeclaredUnrelated:
    """A person said that these alerts or places have nothing to do with an incident."""

    incident: str
    alerts: tuple[str, ...]
    entities: tuple[EntityRef, ...]
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResolved:
    """A person said that service is restored, whatever the alerts say."""

    incident: str
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseConfirmed:
    """A person said what the cause was."""

    incident: str
    entity: EntityRef
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequested:
    """A person asked for a remediation; it passes the same gate as a rule's."""

    remediation: str
    entity: EntityRef
    parameters: Mapping[str, ParameterValue]
    by: str
    type: ChangeType | None = None
    incident: str | None = None
    note: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReported:
    """A tool said something about a change that others made."""

    source: str
    report: ChangeReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCancelled:
    """A person stopped a change; a run under way is ended."""

    change: str
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPrepared:
    """A run lies ready; `digest` is that of the copy which will be played, None where it failed."""

    effect: str
    run: str
    digest: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The processes of a run exist."""

    effect: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run is over and no process of it lives."""

    effect: str
    run: str
    result: RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLost:
    """A run was under way when we lost sight of it; what is left of it here has been ended."""

    run: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswered:
    """The metrics source answered: the query holds, does not, or (None) nobody knows."""

    effect: str
    change: str
    holds: bool | None
    detail: str
    measured_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsMeasured:
    """What metrics showed around an incident; `unknown` entities were asked about in vain."""

    effect: str
    incident: str
    findings: tuple[Finding, ...]
    unknown: tuple[EntityRef, ...]
    queries: int
    problem: str = ""
    """Why it is less than was asked for; empty where nothing is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketWritten:
    """The tool agrees with the ticket of this effect, read back."""

    effect: str
    incident: str
    connector: str
    ref: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRefused:
    """The tool did not take it; `is_final` when trying again cannot help."""

    effect: str
    incident: str
    connector: str
    problem: str
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChanged:
    """Somebody else changed a ticket of ours at the tool."""

    connector: str
    ticket: RemoteTicket


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSent:
    """A receiver took a notification."""

    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRefused:
    """A receiver could not be told."""

    effect: str
    problem: str
    is_final: bool


What = (
    AgentStarted
    | ConfigLoaded
    | CalendarsExpanded
    | AlertsReceived
    | LeasesRenewed
    | TimeElapsed
    | SilenceAdded
    | SilenceExpired
    | IncidentAcknowledged
    | IncidentAssigned
    | IncidentCommented
    | IncidentsMerged
    | AlertsMoved
    | AlertsDeclaredUnrelated
    | IncidentResolved
    | CauseConfirmed
    | ChangeReported
    | SuspectConfirmed
    | SuspectDismissed
    | ProblemMoved
    | KnownErrorRecorded
    | FixPlanned
    | ChangeRequested
    | ApprovalGiven
    | ApprovalRejected
    | ApprovalWithdrawn
    | DelegationGiven
    | DelegationWithdrawn
    | RetroDecided
    | ChangeReviewed
    | ChangeReconciled
    | ChangeCancelled
    | StandardReinstated
    | ProposalTaken
    | ModePromoted
    | ModeDemoted
    | AutonomyStopped
    | AutonomyResumed
    | BreakerReset
    | RunPrepared
    | RunPreviewed
    | RunStarted
    | RunFinished
    | RunLost
    | ProbeAnswered
    | SignalsMeasured
    | TicketWritten
    | TicketRefused
    | TicketChanged
    | NotificationSent
    | NotificationRefused
)
"""The closed union of everything that can happen."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal: number, moment (the only clock the core has), what happened."""

    number: int
    at: datetime
    what: What
