"""What the loop and the storage measure of themselves. The web and intake have theirs beside them.

Names begin with `watchkeeper_`. Children are made once: looking them up each time costs more than
counting.
"""

from collections.abc import Sized
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agent.core.state import State
from agent.model.entry import What
from agent.runtime.decided import Decided

LATENCY_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

STAGES = ("wait", "step", "commit")
"""Of an entry's way: until the loop takes it, until it is decided, until it is on the disk."""


class LoopMetrics:
    """The way of entries through the loop, and what it holds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        seconds = Histogram(
            "watchkeeper_loop_seconds",
            "Time of the oldest entry of each batch in each stage of its way.",
            ("stage",),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.wait, self.step, self.commit = (seconds.labels(stage) for stage in STAGES)
        entries = Counter(
            "watchkeeper_entries_total",
            "Entries in the journal, by kind.",
            ("kind",),
            registry=registry,
        )
        self.entries = {kind: entries.labels(kind.__name__) for kind in get_args(What)}
        self.waiting = Gauge(
            "watchkeeper_entries_waiting", "Entries that wait to be decided.", registry=registry
        )
        self.overloaded = Counter(
            "watchkeeper_entries_overloaded_total",
            "Entries that were refused because too many waited.",
            registry=registry,
        )
        self.refusals = Counter(
            "watchkeeper_refusals_total",
            "What people or tools asked for and the decision refused, by reason.",
            ("reason",),
            registry=registry,
        )
        self.alerts = Gauge("watchkeeper_alerts_active", "Alerts that fire.", registry=registry)
        self.incidents = Gauge(
            "watchkeeper_incidents_live",
            "Incidents open, or resolved and not yet closed.",
            registry=registry,
        )
        self.gathered = Gauge(
            "watchkeeper_storm_alerts",
            "Alerts that fire in the summary incident of a storm.",
            registry=registry,
        )
        self.outbox = Gauge(
            "watchkeeper_effects_waiting", "Effects without an outcome yet.", registry=registry
        )
        self.number = Gauge(
            "watchkeeper_journal_entry", "Number of the last durable entry.", registry=registry
        )
        self.at = Gauge(
            "watchkeeper_journal_entry_timestamp_seconds",
            "Moment of the last durable entry.",
            registry=registry,
        )
        self.clock_behind = Gauge(
            "watchkeeper_clock_behind_seconds",
            "How far the machine's clock is behind the journal: it was set back.",
            registry=registry,
        )
        self.snapshots = Histogram(
            "watchkeeper_snapshot_seconds",
            "Time until a snapshot was on the disk.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0),
            registry=registry,
        )
        self.snapshots_failed = Counter(
            "watchkeeper_snapshots_failed_total",
            "Snapshots that could not be written; the journal holds everything all the same.",
            registry=registry,
        )

    def watch(self, state: State, waiting: Sized) -> None:
        """Read the gauges of what is held when they are asked for, not at each entry."""
        self.waiting.set_function(lambda: len(waiting))
        self.alerts.set_function(lambda: len(state.alerts))
        self.incidents.set_function(
            lambda: sum(incident.is_live for incident in state.incidents.values())
        )
        self.gathered.set_function(lambda: _gathered(state))
        self.outbox.set_function(lambda: sum(1 for _ in state.outbox.all()))

    def committed(self, decided: Decided, now: float) -> None:
        """Count a batch that has become durable."""
        self.commit.observe(now - decided.submitted)
        for appended, _ in decided.told:
            self.entries[type(appended.entry.what)].inc()
            if appended.transition.refusal is not None:
                self.refusals.labels(appended.transition.refusal.reason).inc()
        if decided.told:
            last = decided.told[-1][0].entry
            self.number.set(last.number)
            self.at.set(last.at.timestamp())


def _gathered(state: State) -> int:
    members = state.members.get(state.storm or "")
    return len(members.firing) if members else 0


class EffectMetrics:
    """What was done in the world."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "watchkeeper_effect_seconds",
            "Time to perform an effect, by kind.",
            ("kind",),
            buckets=(0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
            registry=registry,
        )
        self.outcomes = Counter(
            "watchkeeper_effects_total",
            "Effects by kind and outcome.",
            ("kind", "outcome"),
            registry=registry,
        )
        self.runs = Counter(
            "watchkeeper_runs_total",
            "Runs that are over, by outcome.",
            ("outcome",),
            registry=registry,
        )
        self.notifications = Counter(
            "watchkeeper_notifications_total",
            "Notifications by receiver and outcome.",
            ("receiver", "outcome"),
            registry=registry,
        )
        self.connectors = Gauge(
            "watchkeeper_connector_up",
            "Whether the last call to a connector's tool succeeded.",
            ("connector",),
            registry=registry,
        )


class LookMetrics:
    """How the agent looked at metrics around incidents."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._queries = Counter(
            "watchkeeper_look_queries_total",
            "Queries asked about the surroundings of incidents.",
            registry=registry,
        )
        self._unknown = Counter(
            "watchkeeper_look_unknown_entities_total",
            "Entities that were asked about and of which there was no sample.",
            registry=registry,
        )

    def looked(self, *, queries: int, unknown: int) -> None:
        """Count one look."""
        self._queries.inc(queries)
        self._unknown.inc(unknown)
