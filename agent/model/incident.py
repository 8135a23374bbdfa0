"""Incidents, their probable causes, and the timeline that says why everything happened."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from agent.model.alert import Severity
from agent.model.autonomy import ProposedChange
from agent.model.evidence import Evidence, EvidenceKind
from agent.model.problem import Workaround
from agent.model.reason import Reason
from agent.model.reported import Suspect
from agent.model.service import EntityRef, Health


class IncidentState(StrEnum):
    """Where an incident is in its life. Only `open` and `resolved` can change back."""

    OPEN = "open"
    RESOLVED = "resolved"
    """Service is restored; fires it again within the quiet time, the same incident reopens."""
    CLOSED = "closed"
    MERGED = "merged"


class Priority(IntEnum):
    """P1 to P5 from impact and urgency (ITIL 4)."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4
    P5 = 5


class Level(IntEnum):
    """Impact or urgency."""

    HIGH = 1
    MEDIUM = 2
    LOW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A candidate for the cause of an incident, with what speaks for it and against it."""

    entity: EntityRef
    score: float
    """Its share of the belief in all candidates, 0 to 1: the runner-up has what is left."""
    evidence: tuple[Evidence, ...]
    """The weightiest first, for it and against it."""
    alerting: bool
    """False for a node without an alert of its own: a monitor may be missing there."""

    @property
    def evidence_for(self) -> tuple[str, ...]:
        """What speaks for it, in words."""
        return tuple(piece.text for piece in self.evidence if piece.speaks_for)

    @property
    def evidence_against(self) -> tuple[str, ...]:
        """What speaks against it, in words."""
        return tuple(piece.text for piece in self.evidence if not piece.speaks_for)

    @property
    def is_clear(self) -> bool:
        """Whether the evidence tells it from the others; else it is not to be believed."""
        return all(piece.kind is not EvidenceKind.UNCLEAR for piece in self.evidence)


NO_CLEAR_EVIDENCE = "no clear evidence"
"""The pattern of incidents that show too little to say what recurs: never one problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLink:
    """The record of a ticketing tool that stands for an incident."""

    connector: str
    ref: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilClear:
    """Somebody has it and is not told again until it is over; with how it was then."""

    by: str
    since: datetime
    until: datetime | None
    """At the latest until then; None: until it has been clear for the quiet time."""
    priority: Priority
    severity: Severity
    entities: int
    """How many places alerted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An unplanned interruption or degradation: what is broken, for whom, why, and who has it."""

    id: str
    state: IncidentState
    title: str
    opened_at: datetime
    started_at: datetime
    """The earliest start that an alert of it claims: the downtime begins here."""
    severity: Severity
    impact: Level
    urgency: Level
    priority: Priority
    alerts: int
    firing: int
    summary: str = ""
    """What the first alert said of itself."""
    entities: tuple[EntityRef, ...] = ()
    """Where alerts of it fire or fired, first seen first; bounded."""
    services: tuple[EntityRef, ...] = ()
    """Who is hit: the entities and what rests on them, the business's own names first; bounded."""
    causes: tuple[Cause, ...] = ()
    cause_confirmed_by: str | None = None
    pattern: str | None = None
    """What recurring incidents of one cause share: the id of the first that looked like this.

    The best match while it lives, final when it closes; `NO_CLEAR_EVIDENCE` says too little.
    """
    owner: EntityRef | None = None
    assignee: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    until_clear: UntilClear | None = None
    """While this is set, nobody is told of it again."""
    response_due: datetime | None = None
    restoration_due: datetime | None = None
    resolved_at: datetime | None = None
    resolution: Reason | None = None
    closed_at: datetime | None = None
    reopened: int = 0
    merged_into: str | None = None
    tickets: tuple[TicketLink, ...] = ()
    changes: tuple[str, ...] = ()
    problem: str | None = None
    workaround: Workaround | None = None
    """What helps, where it looks like a known error."""
    suspects: tuple[Suspect, ...] = ()
    """Changes that may have led to it, the likeliest first; bounded."""
    proposals: tuple[ProposedChange, ...] = ()
    """What rules suggest about it and a person may take up; bounded."""
    automated: bool = False
    """Whether a verified run of ours restored it."""

    @property
    def is_live(self) -> bool:
        """Whether alerts may still join it or bring it back."""
        return self.state in (IncidentState.OPEN, IncidentState.RESOLVED)

    @property
    def cause(self) -> EntityRef | None:
        """The probable cause on top."""
        return self.causes[0].entity if self.causes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEntity:
    """From now on the incident names this entity, as alerting or as hit: how it is found by it."""

    incident: str
    entity: EntityRef


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineItem:
    """One line of the story of an incident, change or problem."""

    at: datetime
    subject: str
    """The id of the record whose story this belongs to."""
    reason: Reason
    text: str
    actor: str = "watchkeeper"
    alerts: tuple[str, ...] = ()
    """Fingerprints this is about; bounded."""


EVERYTHING = "*"
"""The entity of an interval in which nobody watched anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateInterval:
    """The health of one entity from `start` on; `end` is None while it lasts."""

    entity: EntityRef
    start: datetime
    end: datetime | None
    health: Health
    incident: str | None = None
    excused_by: str | None = None
    """The calendar entry or change that announced it; None: unplanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Response and restoration targets of one priority."""

    response: timedelta
    restoration: timedelta
