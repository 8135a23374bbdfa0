"""Everything the agent remembers: plain data, changed by `step` only, rebuilt by replay.

`Memory` is what a snapshot holds. `State` adds the rule set in force and `Derived`, the look-up
tables that follow from both and are never stored. Nothing here decides.
"""

import heapq
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from agent.core.autonomy.memory import Attempts, Autonomy
from agent.core.belonging import Corrected, Onset, Sign, Wave
from agent.core.causes.lesson import Lesson
from agent.core.changes.throttle_window import ThrottleWindow
from agent.core.changes.verifying import Verifying
from agent.core.derived import Derived
from agent.core.drift.memory import Drift
from agent.core.flap import Flap
from agent.core.outbox import Outbox
from agent.core.policy.memory import Gate
from agent.model.alert import Alert, EndedBy, Severity
from agent.model.calendar import Calendar
from agent.model.change import Change, Run
from agent.model.incident import Incident
from agent.model.people import Delegation
from agent.model.problem import Occurrence, Problem
from agent.model.reason import Reason
from agent.model.reported import ReportedChange
from agent.model.rule import EMPTY_CONFIG, Config
from agent.model.service import EntityRef, Health
from agent.model.signal import Look
from agent.model.silence import Silence
from agent.model.ticket import TicketComment

MOMENT = timedelta(microseconds=1)
BUCKET_S = 5
"""Expiry is exact to this many seconds."""
EXPLAINED_NAMED_MAX = 5
SERIES_MAX = 20_000
"""An incident knows this many series again when they fire again."""
SIGNS_MAX = 2000
"""An incident remembers this many signs; what comes later is counted, not remembered."""
CORRECTED_MAX = 500
"""Of each kind of correction an incident remembers this many, the newest."""
CLOSED_KEPT = timedelta(days=1)
"""What is over stays in memory this long; the history keeps it by its own retention."""


class Timer(StrEnum):
    """What a timer is for; its key says for which record."""

    LEASE = "lease"
    FORGET = "forget"
    FLAP = "flap"
    HEARTBEAT = "heartbeat"
    SUPPRESSION = "suppression"
    QUIET = "quiet"
    COUNT = "count"
    RESPONSE = "response"
    RESTORATION = "restoration"
    UNTIL_CLEAR = "until_clear"
    DECIDE = "decide"
    CASE = "case"
    RETRY = "retry"
    THROTTLE = "throttle"
    CHANGE = "change"
    DUTY = "duty"
    VERIFY = "verify"
    TICKET = "ticket"
    GROUP = "group"
    LOOK = "look"
    RANK = "rank"
    RECURRENCE = "recurrence"
    PROBLEM = "problem"


@dataclass(slots=True, kw_only=True)
class ActiveAlert:
    """An alert that fires, where it was placed and what became of it."""

    alert: Alert
    source: str
    heard_at: datetime
    """Unique: see `State.hear`."""
    entity: EntityRef | None
    incident: str | None = None
    joined_by: Reason | None = None
    suppressed_by: tuple[str, ...] = ()
    """`silence:ID`, `inhibit:RULE`, `calendar:NAME`, `heartbeat:NAME`."""
    expires_at: datetime | None = None
    is_repeated: bool = False
    """Whether its source said again that it fires: it is a state, not an event."""

    @property
    def beats(self) -> tuple[str, ...]:
        """The heartbeats that it is."""
        parts = (muter.partition(":") for muter in self.suppressed_by)
        return tuple(name for kind, _, name in parts if kind == "heartbeat")


@dataclass(frozen=True, slots=True)
class EndedAlert:
    """The last occurrence of an alert that is over, kept as long as late words may come."""

    starts_at: datetime
    ends_at: datetime
    by: EndedBy
    heard_at: datetime | None = None
    """When it was first heard of; None where only its end was."""


@dataclass(slots=True)
class Explained:
    """What a candidate cause would explain: alerting entities that rest on it, nearer ones more."""

    weight: float = 0.0
    others: int = 0
    """How many entities besides itself."""
    named: list[EntityRef] = field(default_factory=list)
    """The first of them."""
    score: float = 0.0
    """What it is worth as a cause, as of the last entity that bears on it."""

    def add(self, entity: EntityRef, weight: float) -> None:
        """One more entity that rests on the candidate."""
        self.weight += weight
        self.others += 1
        if len(self.named) < EXPLAINED_NAMED_MAX:
            self.named.append(entity)


@dataclass(slots=True, kw_only=True)
class Members:
    """What belongs to a live incident: the working memory of correlation and cause."""

    firing: dict[str, None] = field(default_factory=dict)
    signs: dict[str, Sign] = field(default_factory=dict)
    """All that its alerts said, over or not, first heard first; bounded by `SIGNS_MAX`."""
    kinds: dict[str, None] = field(default_factory=dict)
    """Names of alerts seen, for the signature."""
    entities: dict[EntityRef, int] = field(default_factory=dict)
    """Entities that alerted, with the number of alerts firing there now."""
    explains: dict[EntityRef, Explained] = field(default_factory=dict)
    """Candidate causes with what they would explain."""
    hit: dict[EntityRef, None] = field(default_factory=dict)
    """Entities that alert and what rests on them; bounded."""
    tier: int | None = None
    """The highest tier among them; None where nobody set one."""
    alerts: int = 0
    first_alert_at: datetime
    is_counting: bool = False
    """The incident's counts are behind, and a timer is set to write them."""
    last_alert_at: datetime
    series: dict[str, None] = field(default_factory=dict)
    """Fingerprints of its alerts, over or not; bounded by `SERIES_MAX`."""
    wave: Wave = field(default_factory=Wave)
    after: str | None = None
    """The incident that it was split from as a wave of its own."""
    left_at: datetime | None = None
    """When an alert of it was last over."""
    is_summary: bool = False
    """Whether it gathers what a storm would have opened incidents for."""
    is_lasting: bool = False
    """Whether an alert of it was ever repeated or resolved: not all of them are mere events."""
    ranked_signs: int = 0
    """How many signs there were when its causes were ranked last."""
    rank_waits: bool = False
    """Whether a timer will have them ranked."""
    unplaced: tuple[tuple[str, ...], ...] = ()
    """The likenesses by which alerts without an entity join."""
    corrected: Corrected = field(default_factory=Corrected)
    flapping: dict[str, None] = field(default_factory=dict)
    """Fingerprints that flap, firing at the moment or not: while there are any, it is not over."""


@dataclass(slots=True, kw_only=True)
class HealthNow:
    """The health of an entity that is not simply up."""

    health: Health
    since: datetime
    incident: str | None
    excused_by: str | None = None


@dataclass(slots=True, kw_only=True)
class TicketSync:
    """What one ticketing tool was told about one incident."""

    ref: str | None = None
    told: str = ""
    """Digest of the ticket that the tool agreed with last."""
    telling: str | None = None
    """Effect id of the write under way."""
    telling_digest: str = ""
    comments: list[TicketComment] = field(default_factory=list)
    telling_comments: int = 0
    seen: dict[str, None] = field(default_factory=dict)
    """Ids of remote comments that were taken over already."""
    close_heard: datetime | None = None
    """The tool's moment of the last close by somebody that was heard."""
    failures: int = 0
    not_before: datetime | None = None
    is_given_up: bool = False


@dataclass(slots=True, kw_only=True)
class NotifyGroup:
    """What one receiver still has to be told together."""

    incidents: dict[str, None] = field(default_factory=dict)
    fresh: dict[str, None] = field(default_factory=dict)
    """Incidents with news since the last notification."""
    sent_at: datetime | None = None
    due: datetime | None = None
    """When it is looked at next; a timer for another moment is an old one."""
    sending: str | None = None
    failures: int = 0


@dataclass(slots=True, kw_only=True)
class Looking:
    """How far the agent has looked at the metrics around a live incident."""

    due: datetime | None = None
    """When it looks next; a timer that comes earlier is an old one."""
    timers: list[datetime] = field(default_factory=list)
    """The moments at which it is woken: each is asked for once."""
    asked: int = 0
    asking: str | None = None
    """The effect id of the look under way."""
    look: Look | None = None


@dataclass(slots=True, kw_only=True)
class Memory:
    """All that a snapshot holds."""

    last_number: int = 0
    last_at: datetime | None = None
    last_heard_at: datetime | None = None
    watching_since: datetime | None = None
    installation: str = ""
    """Tells our tickets from those of an earlier or another agent at the same tool."""
    alerts: dict[str, ActiveAlert] = field(default_factory=dict)
    ended: dict[str, EndedAlert] = field(default_factory=dict)
    suppressed: dict[str, None] = field(default_factory=dict)
    """Firing alerts that something mutes at present."""
    firing_at: dict[EntityRef, dict[Severity, int]] = field(default_factory=dict)
    """How many alerts of which severity fire where."""
    incidents: dict[str, Incident] = field(default_factory=dict)
    members: dict[str, Members] = field(default_factory=dict)
    """Of live incidents, the one with the latest alert last."""
    flaps: dict[str, Flap] = field(default_factory=dict)
    """Alerts that fired more than once of late, by fingerprint; bounded."""
    placed: dict[str, str] = field(default_factory=dict)
    """Fingerprint to the live incident in which a person put that alert."""
    onsets: dict[str, Onset] = field(default_factory=dict)
    """By neighbourhood or loose place, the latest onset last; bounded."""
    opened_at: list[datetime] = field(default_factory=list)
    """When the latest incidents were opened."""
    storm: str | None = None
    """The latest summary incident."""
    apart: dict[str, None] = field(default_factory=dict)
    """Pairs of neighbouring neighbourhoods that proved independent."""
    problems: dict[str, Problem] = field(default_factory=dict)
    lessons: list[Lesson] = field(default_factory=list)
    """What closed incidents left behind, in the order of closing; bounded."""
    recurrences: dict[str, list[Occurrence]] = field(default_factory=dict)
    """By pattern, what is no problem yet, oldest first; bounded, and dropped in time."""
    reported: dict[str, ReportedChange] = field(default_factory=dict)
    """The newest changes of others, in the order in which they were heard of; bounded."""
    changes: dict[str, Change] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    verifying: dict[str, Verifying] = field(default_factory=dict)
    attempts: dict[str, Attempts] = field(default_factory=dict)
    autonomy: Autonomy = field(default_factory=Autonomy)
    throttles: dict[str, ThrottleWindow] = field(default_factory=dict)
    """By rule and group; bounded, and dropped when their time is over."""
    gate: Gate = field(default_factory=Gate)
    """What policy remembers: results, error budgets, templates."""
    delegations: dict[str, Delegation] = field(default_factory=dict)
    """Who decides in whose place; bounded, and forgotten when over."""
    silences: dict[str, Silence] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    looking: dict[str, Looking] = field(default_factory=dict)
    """By live incident, where signals are declared."""
    health: dict[EntityRef, HealthNow] = field(default_factory=dict)
    heartbeats: dict[str, datetime] = field(default_factory=dict)
    """Until when each expected heartbeat is believed to be alive."""
    tickets: dict[str, dict[str, TicketSync]] = field(default_factory=dict)
    """By incident, then connector."""
    groups: dict[str, NotifyGroup] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)
    timers: list[tuple[datetime, Timer, str]] = field(default_factory=list)
    """A heap; entries that no longer apply are ignored when they come up."""
    buckets: dict[str, list[str]] = field(default_factory=dict)
    """What is due in one slice of time: fingerprints of alerts, and incidents to be counted."""
    drift: Drift = field(default_factory=Drift)
    """What the alerts say of the map; it decides nothing."""
    incident_count: int = 0
    change_count: int = 0
    delegation_count: int = 0
    run_count: int = 0
    problem_count: int = 0
    reported_count: int = 0


class State(Memory):
    """The memory with the rule set in force and the tables derived from both."""

    __slots__ = ("config", "derived")

    config: Config
    derived: Derived

    @classmethod
    def empty(cls) -> "State":
        """The state before the first entry."""
        return cls.of(Memory(), EMPTY_CONFIG)

    @classmethod
    def of(cls, memory: Memory, config: Config) -> "State":
        """The state that a snapshot and its rule set stand for."""
        state = cls(**{part.name: getattr(memory, part.name) for part in fields(Memory)})
        state.adopt(config)
        return state

    def memory(self) -> Memory:
        """What a snapshot has to hold; shares its parts with the state, so encode it at once."""
        return Memory(**{part.name: getattr(self, part.name) for part in fields(Memory)})

    def adopt(self, config: Config) -> None:
        """Put a rule set into force and rebuild what is derived from it."""
        self.config = config
        self.derived = Derived(config, self.apart)
        for fingerprint, active in self.alerts.items():
            self.derived.alert_started(fingerprint, active.alert.labels)
        for change in self.reported.values():
            self.derived.reported.add(change)
        for identifier, members in self.members.items():
            incident = self.incidents[identifier]
            if members.is_summary:
                self.derived.reach.never(identifier)
            self.derived.reach_changed(identifier, tuple(members.entities), incident.cause)
            for likeness in members.unplaced:
                self.derived.likeness_added(likeness, identifier)

    def hear(self, at: datetime) -> datetime:
        """The moment when an occurrence is first heard of, a little later where that is taken."""
        last = self.last_heard_at
        self.last_heard_at = at if last is None or at > last else last + MOMENT
        return self.last_heard_at

    def schedule(self, due: datetime, timer: Timer, key: str) -> None:
        """Ask to be woken; a timer that no longer applies then is ignored, so none is removed."""
        heapq.heappush(self.timers, (due, timer, key))

    def pop_due(self, at: datetime) -> tuple[datetime, Timer, str] | None:
        """The earliest timer whose moment has come, removed; None where there is none."""
        return heapq.heappop(self.timers) if self.timers and self.timers[0][0] <= at else None

    def believed_until(self, active: ActiveAlert) -> datetime | None:
        """When the alert, or the heartbeat that it is, ends if no repeat is heard; None: never."""
        moments = [active.expires_at] if active.expires_at else []
        moments += [self.heartbeats[name] for name in active.beats if name in self.heartbeats]
        return min(moments, default=None)

    def next_due(self) -> datetime | None:
        """When the next timer wants to be heard."""
        return self.timers[0][0] if self.timers else None

    def bucket(self, timer: Timer, due: datetime, name: str) -> None:
        """Wake for this alert or incident in the slice of `BUCKET_S` that ends at or after `due`.

        One timer serves all alerts of a slice: a hundred thousand leases cost a handful of timers.
        """
        number = int(-(-due.timestamp() // BUCKET_S))
        key = f"{timer}:{number}"
        waiting = self.buckets.get(key)
        if waiting is None:
            self.buckets[key] = waiting = []
            self.schedule(datetime.fromtimestamp(number * BUCKET_S, tz=UTC), timer, key)
        waiting.append(name)
