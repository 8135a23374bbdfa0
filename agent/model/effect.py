"""What the core asks the world to do: data, imperative, each with an id of its own.

An effect stays in the outbox of the state until an entry reports its outcome. After a crash every
one that is left is performed again, except `LaunchRun`: nobody knows what a lost run did.
"""

from dataclasses import dataclass
from datetime import datetime

from agent.model.incident import Priority
from agent.model.remediation import RunSpec
from agent.model.service import EntityRef
from agent.model.signal import Complaint
from agent.model.ticket import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareRun:
    """Lay out one run in a folder of its own and say which digest was found. Starts nothing.

    Answered by `RunPrepared`.
    """

    id: str
    spec: RunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRun:
    """Play it in check mode with diff, and tell what it showed. Answered by `RunPreviewed`."""

    id: str
    change: str
    spec: RunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRun:
    """Play what was prepared. Answered by `RunStarted`, then `RunFinished` or `RunLost`."""

    id: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun:
    """End a run for certain. Its `RunFinished` is the answer; for a preview, `RunPreviewed`."""

    id: str
    run: str
    preview_of: str | None = None
    """The change whose preview it is; None for a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Ask the metrics source whether a query holds now. Answered by `ProbeAnswered`."""

    id: str
    change: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteTicket:
    """Make the tool agree with this ticket. Answered by `TicketWritten` or `TicketRefused`."""

    id: str
    incident: str
    connector: str
    ticket: Ticket
    known_ref: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Tell a receiver. Answered by `NotificationSent` or `NotificationRefused`; at least once."""

    id: str
    receiver: str
    group: str
    title: str
    body: str
    priority: Priority
    incidents: tuple[str, ...]
    resolved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSignals:
    """Ask what the declared signals of these entities did. Answered by `SignalsMeasured`."""

    id: str
    incident: str
    entities: tuple[EntityRef, ...]
    complaints: tuple[Complaint, ...]
    start: datetime
    """When the incident began."""
    end: datetime


Effect = (
    PrepareRun | PreviewRun | LaunchRun | CancelRun | Probe | MeasureSignals | WriteTicket | Notify
)
"""The closed union of everything that can be asked for."""

EFFECTS: tuple[type[Effect], ...] = (
    PrepareRun,
    PreviewRun,
    LaunchRun,
    CancelRun,
    Probe,
    MeasureSignals,
    WriteTicket,
    Notify,
)
