"""The monitoring of the simulated world: raises alerts, repeats them, and a network that errs.

Prometheus's habits: everything that fires is sent again each minute, what has ended for a quarter
of an hour, and a firing holds no longer than its lease.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from agent.model.alert import Alert
from agent.model.labels import fingerprint
from agent.sim.agenda import Agenda
from agent.sim.plan import Faults

REPEAT_S = 60.0
REPEATED_WHEN_OVER = timedelta(minutes=15)
LEASE = timedelta(minutes=4)
LATE_S_MAX = 600.0

Deliver = Callable[[tuple[Alert, ...]], None]


@dataclass(slots=True)
class Episodes:
    """When an alert truly fired."""

    over: list[tuple[datetime, datetime]] = field(default_factory=list)
    since: datetime | None = None


class Sender:
    """Says what fires and what is over, again and again, through a network with faults."""

    def __init__(self, agenda: Agenda, random: Random, faults: Faults, deliver: Deliver) -> None:
        self.faults = faults
        self.truth: dict[str, Episodes] = {}
        """By fingerprint."""
        self._agenda = agenda
        self._random = random
        self._deliver = deliver
        self._known: dict[str, Alert] = {}
        self._is_stopped = False
        agenda.after(REPEAT_S, self._repeat)

    def fire(self, name: str, severity: str, **labels: str) -> None:
        """An alert begins to fire; nothing if it does."""
        full = {"alertname": name, "severity": severity, **labels}
        key = fingerprint(full)
        episodes = self.truth.setdefault(key, Episodes())
        if episodes.since is not None:
            return
        episodes.since = self._agenda.now
        summary = f"{name} {' '.join(labels.values())}".strip()
        self._known[key] = Alert(
            fingerprint=key,
            labels=full,
            annotations={"summary": summary},
            starts_at=self._agenda.now,
        )
        self._send((self._known[key],))

    def clear(self, name: str, severity: str, **labels: str) -> None:
        """An alert is over; nothing if it did not fire."""
        key = fingerprint({"alertname": name, "severity": severity, **labels})
        episodes = self.truth.get(key)
        if episodes is None or episodes.since is None:
            return
        # An episode has a length, as Prometheus evaluates at most once at a moment.
        end = max(self._agenda.now, episodes.since + timedelta(milliseconds=1))
        episodes.over.append((episodes.since, end))
        episodes.since = None
        self._known[key] = replace(self._known[key], ends_at=end)
        self._send((self._known[key],))

    def heal(self) -> None:
        """From now on the network does not err; everything is said once more."""
        self.faults = Faults()
        self._send(tuple(self._known.values()))

    def stop(self) -> None:
        """Say nothing any more."""
        self._known.clear()
        self._is_stopped = True

    def _repeat(self) -> None:
        now = self._agenda.now
        for key, alert in list(self._known.items()):
            if alert.ends_at is not None and alert.ends_at + REPEATED_WHEN_OVER < now:
                del self._known[key]
        if self._known:
            self._send(tuple(self._known.values()))
        if not self._is_stopped:
            self._agenda.after(REPEAT_S, self._repeat)

    def _send(self, alerts: tuple[Alert, ...]) -> None:
        expires_at = self._agenda.now + LEASE
        said = tuple(
            alert if alert.ends_at else replace(alert, expires_at=expires_at) for alert in alerts
        )
        faults, random = self.faults, self._random
        if random.random() < faults.lost:
            return
        delay = random.random() * LATE_S_MAX if random.random() < faults.late else 0.2
        self._agenda.after(delay, lambda: self._deliver(said))
        if random.random() < faults.twice:
            self._agenda.after(
                delay + random.random() * LATE_S_MAX, lambda: self._deliver(said[::-1])
            )
