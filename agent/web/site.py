"""What every handler gets: the running agent as the web sees it, and the narrow ports to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry

from agent.core.state import State
from agent.model.alert import Alert, AlertRecord
from agent.model.change import Change, ChangeState, Run
from agent.model.entry import Entry, What
from agent.model.incident import Incident, IncidentState, StateInterval, TimelineItem
from agent.model.interval import Interval
from agent.model.problem import Problem
from agent.model.remediation import RunLine
from agent.model.reported import ChangeReport, ReportedChange
from agent.model.service import EntityRef
from agent.model.transition import Transition
from agent.runtime.audit.desk import AuditDesk
from agent.runtime.clock import Clock
from agent.runtime.discover import Discoverer
from agent.runtime.feed import Resync
from agent.runtime.intake import Intake
from agent.runtime.signature import Signed
from agent.runtime.tokens import Keyring, TokenRecord
from agent.web.auth import Access
from agent.web.body import Bodies, Limits
from agent.web.catalogues import Catalogues
from agent.web.metrics import HttpMetrics
from agent.web.session import Sessions

Parse = Callable[[bytes, datetime], Sequence[Alert]]
"""Bytes as a source sent them, and when: its alerts. Raises `PayloadError`.

An alert whose sender gave no start carries the moment of receipt as `starts_at`.
"""


ParseChanges = Callable[[bytes, datetime], Sequence[ChangeReport]]
"""Bytes as a source sent them, and when: what it says of changes. Raises `PayloadError`."""


class Committed(Protocol):
    """What an append came to, once it is durable."""

    @property
    def entry(self) -> Entry:
        """The numbered line of the journal."""

    @property
    def transition(self) -> Transition:
        """What followed."""


class Feed(Protocol):
    """Committed entries as they come; bounded, so a slow reader is told that it missed some."""

    async def __anext__(self) -> Committed | Resync:
        """The next one; may be cancelled without losing any."""

    def close(self) -> None:
        """No longer interested."""


class Inbox(Protocol):
    """The loop, as a handler may use it."""

    @property
    def state(self) -> State:
        """Read it, never change it; it stands still between two awaits."""

    async def append(self, what: What) -> Committed:
        """Returns once the entry is durable. Raises `Overloaded`."""

    def subscribe(self) -> Feed:
        """Everything committed from now on."""


class History(Protocol):
    """The queries of the store that the web needs; all of them bounded."""

    async def incidents(
        self,
        *,
        states: Sequence[IncidentState] = (),
        entity: EntityRef | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> Sequence[Incident]:
        """Newest first."""

    async def incident(self, identifier: str) -> Incident | None:
        """One, however old."""

    async def timeline(self, subject: str) -> Sequence[TimelineItem]:
        """The story of an incident, change or problem, oldest first."""

    async def alerts_of(self, incident: str) -> Sequence[AlertRecord]:
        """The occurrences of its alerts that are over, newest first; bounded."""

    async def changes(
        self,
        *,
        states: Sequence[ChangeState] = (),
        limit: int = 100,
        before: str | None = None,
    ) -> Sequence[Change]:
        """Newest first."""

    async def change(self, identifier: str) -> Change | None:
        """One, however old."""

    async def runs_of(self, change: str) -> Sequence[Run]:
        """In the order they were asked for."""

    async def run(self, identifier: str) -> Run | None:
        """One, however old."""

    async def run_output(self, run: str, after: int = 0) -> Sequence[RunLine]:
        """The lines with a number above `after`."""

    async def problems(self) -> Sequence[Problem]:
        """Newest first."""

    async def problem(self, identifier: str) -> Problem | None:
        """One, however old."""

    async def reported(
        self, *, limit: int = 100, before: str | None = None
    ) -> Sequence[ReportedChange]:
        """Changes of others, the last heard of first."""

    async def reported_change(self, identifier: str) -> ReportedChange | None:
        """One, however old."""

    async def changes_alive(self, window: Interval) -> Sequence[Change]:
        """Changes that were asked for and not over before the window, oldest first."""

    async def incidents_alive(self, window: Interval) -> Sequence[Incident]:
        """Incidents that were opened and not closed before the window, oldest first."""

    async def runs_in(self, window: Interval) -> Sequence[Run]:
        """Runs that were asked for in the window, in that order."""

    async def reported_in(self, window: Interval) -> Sequence[ReportedChange]:
        """Changes of others that began in the window."""

    async def printed_in(self, window: Interval) -> Sequence[str]:
        """Runs that printed something in the window."""

    async def intervals(
        self, entities: Sequence[EntityRef], interval: Interval
    ) -> Sequence[StateInterval]:
        """Health over time."""


class TokenShelf(Protocol):
    """Where the records of tokens are kept."""

    async def add_token(self, record: TokenRecord, *, by: str) -> None:
        """Durable, and audited, when it returns."""

    async def remove_token(self, token_id: str, *, by: str, at: datetime) -> None:
        """Durable, and audited, when it returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the agent says of itself."""

    version: str
    started_at: datetime
    problems: Callable[[], Sequence[str]]
    """Why the agent is not ready, or not well; empty while all is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that handlers work with."""

    loop: Inbox
    store: History
    intake: Intake
    clock: Clock
    parsers: Mapping[str, Parse]
    """By source; `alertmanager_v2` is the API of that name, the others are webhooks."""
    guarded_sources: frozenset[str]
    """Sources with a token of their own: no one else may speak for them without a token."""
    access: Access
    keyring: Keyring
    tokens: TokenShelf
    sessions: Sessions
    limits: Limits
    bodies: Bodies
    metrics: HttpMetrics
    registry: CollectorRegistry
    about: About
    change_parsers: Mapping[str, ParseChanges] = field(default_factory=dict)
    """By source of changes that others made."""
    signatures: Mapping[str, Signed] = field(default_factory=dict)
    """Sources that sign what they send, and how."""
    discoverer: Discoverer | None = None
    """None where nobody can be asked for the map."""
    audit: AuditDesk | None = None
    """None where no database is behind the history."""
    catalogues: Catalogues = field(default_factory=Catalogues)
