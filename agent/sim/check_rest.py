"""Promises that need the whole world: tickets at the tool, downtime as it was, and quiet."""

from collections import Counter

from agent.core.state import State
from agent.model.alert import AlertRecord, EndedBy
from agent.model.entry import Entry
from agent.model.incident import Incident, IncidentState, StateInterval
from agent.model.interval import Interval, union
from agent.model.labels import fingerprint
from agent.model.service import Health
from agent.model.ticket import TicketState
from agent.model.transition import Transition
from agent.sim.checkers import Checker
from agent.sim.sender import Episodes
from agent.sim.tools import DeskTicket
from agent.sim.town import ref_of

LOOKED_AT_EVERY = 40
SAME_TIMERS_MAX = 3


class OneTicketAnIncident(Checker):
    """I23: the tool never has two tickets for an incident, and in the end agrees with us."""

    def __init__(self, tickets: dict[str, DeskTicket]) -> None:
        self._tickets = tickets
        self._count = 0
        self._opened: dict[str, IncidentState] = {}

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for record in transition.records:
            if isinstance(record, Incident):
                self._opened[record.id] = record.state
                if record.state is IncidentState.RESOLVED:
                    wrong = self._told(state, entry, record)
                    if wrong is not None:
                        return wrong
        if len(self._tickets) == self._count:
            return None
        self._count = len(self._tickets)
        counts = Counter(ticket.incident for ticket in self._tickets.values())
        twice = [incident for incident, count in counts.items() if count > 1]
        return f"{twice[0]} has {counts[twice[0]]} tickets" if twice else None

    def _told(self, state: State, entry: Entry, incident: Incident) -> str | None:
        """What has changed goes out at once, unless the tool is being told or has its pause."""
        for connector, known in state.tickets.get(incident.id, {}).items():
            is_paused = known.not_before is not None and known.not_before > entry.at
            wishes = [e.ticket for e in state.outbox.ticket.values() if e.incident == incident.id]
            last = self._tickets.get(known.ref or "")
            agrees = last is not None and last.ticket.state is TicketState.RESOLVED
            if not wishes and not is_paused and not agrees:
                return f"{incident.id} is resolved and {connector} is not told"
        return None

    def at_rest(self, state: State) -> str | None:
        for ticket in self._tickets.values():
            if ticket.state is not TicketState.RESOLVED:
                return f"{ticket.ref} of {ticket.incident} is {ticket.state} for ever"
        known = {ticket.incident for ticket in self._tickets.values()}
        for incident, last in self._opened.items():
            if last is IncidentState.CLOSED and incident not in known:
                return f"{incident} never got its ticket"
        return None


class LedgerIsTrue(Checker):
    """The recorded downtime of a service is what the world itself counted.

    Compared where the agent heard of the beginning and the end of every episode.
    """

    SERVICES = ("db", "queue")
    """They rest on nothing, so that only their own alert takes them down."""

    def __init__(self, truth: dict[str, Episodes]) -> None:
        self._truth = truth
        self._down: dict[str, list[Interval]] = {name: [] for name in self.SERVICES}
        self._heard: dict[str, dict[object, EndedBy | None]] = {}

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for record in transition.records:
            if isinstance(record, StateInterval):
                name = record.entity.rpartition("/")[2]
                if name in self._down and record.end and record.health is Health.DOWN:
                    self._down[name].append(Interval(record.start, record.end))
            elif isinstance(record, AlertRecord):
                heard = self._heard.setdefault(record.fingerprint, {})
                heard[record.starts_at] = record.ended_by
        return None

    def at_rest(self, state: State) -> str | None:
        for name in self.SERVICES:
            labels = {"alertname": "ServiceDown", "severity": "critical", "service": name}
            heard = self._heard.get(fingerprint(labels), {})
            episodes = self._truth.get(fingerprint(labels), Episodes()).over
            is_complete = all(by is EndedBy.RESOLVED for by in heard.values())
            if not is_complete or set(heard) != {start for start, _ in episodes}:
                continue
            truth = union(Interval(start, end) for start, end in episodes)
            if union(self._down[name]) != truth:
                return f"{ref_of(name)} was down {truth}, recorded {union(self._down[name])}"
        return None


class TimersAreSetOnce(Checker):
    """I8: waiting for one thing costs one timer, however often it is thought about."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        if entry.number % LOOKED_AT_EVERY:
            return None
        for timer, count in Counter(state.timers).items():
            if count > SAME_TIMERS_MAX:
                return f"{timer} is set {count} times"
        return None


class QuietIsReached(Checker):
    """Given a quiet world, every alert, incident and change ends, nothing is left to do, and what
    was kept for a time is forgotten.
    """

    KEPT = (
        "alerts",
        "ended",
        "suppressed",
        "firing_at",
        "members",
        "looking",
        "incidents",
        "changes",
        "runs",
        "verifying",
        "silences",
        "health",
        "heartbeats",
        "tickets",
        "flaps",
        "placed",
        "groups",
        "buckets",
        "timers",
    )

    def at_rest(self, state: State) -> str | None:
        for effect in state.outbox.all():
            return f"nobody ever answered {effect}"
        for name in self.KEPT:
            kept = [key for key in getattr(state, name) if not self._is_owed(state, key)]
            if kept:
                return f"{len(kept)} {name} are left: {kept[:3]}"
        return None

    @staticmethod
    def _is_owed(state: State, key: object) -> bool:
        """A change, or a run of one, that people still owe a review or an answer."""
        run = state.runs.get(str(key))
        change = state.changes.get(run.change if run else str(key))
        return change is not None and not change.is_open and change.is_owed
