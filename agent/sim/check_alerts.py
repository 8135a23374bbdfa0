"""Promises about alerts: none is lost, none comes back by itself, each has its place."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.core.state import State
from agent.model.alert import Alert
from agent.model.entry import (
    AgentStarted,
    AlertsReceived,
    Entry,
    LeasesRenewed,
    TimeElapsed,
)
from agent.model.transition import Transition
from agent.sim.checkers import Checker

EXPIRY_WITHIN = timedelta(seconds=10)
AFTER_ABSENCE = timedelta(minutes=5)
"""What senders are given to repeat themselves once the agent is back."""


@dataclass(slots=True)
class Occurrence:
    """The newest occurrence of an alert that a source spoke of."""

    starts_at: datetime
    is_over: bool
    expires_at: datetime | None
    is_expired: bool = False

    @property
    def fires(self) -> bool:
        """Whether it must be among the active alerts."""
        return not self.is_over and not self.is_expired


class AlertsAgree(Checker):
    """I1, I3: what fires follows from the set of all statements, whatever their order and number.

    The newest occurrence counts; it is over once anybody said so, or when its lease ran out. A
    statement that adds nothing has no effect at all.
    """

    def __init__(self) -> None:
        self._known: dict[str, Occurrence] = {}
        self._is_news = True

    def before(self, state: State, entry: Entry) -> None:
        what = entry.what
        if isinstance(what, AlertsReceived):
            beats = any(active.source == "watchkeeper" for active in state.alerts.values())
            self._is_news = beats
            for alert in what.alerts:
                self._is_news |= self._hear(alert)
        elif isinstance(what, LeasesRenewed):
            for name, expires_at in what.expires_at.items():
                known = self._known.get(name)
                if known is not None and known.fires and known.expires_at is not None:
                    known.expires_at = max(known.expires_at, expires_at)
        elif isinstance(what, AgentStarted) and what.last_alive is not None:
            for known in self._known.values():
                if known.fires and known.expires_at is not None:
                    known.expires_at = max(known.expires_at, entry.at + AFTER_ABSENCE)

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        what = entry.what
        if isinstance(what, AlertsReceived):
            if not self._is_news and (transition.effects or transition.records):
                return f"a repeat led to {(*transition.effects, *transition.records)[0]}"
            names = [alert.fingerprint for alert in what.alerts]
        elif isinstance(what, TimeElapsed):
            names = list(self._known)
        else:
            return None
        for name in names:
            wrong = self._compare(state, entry, name)
            if wrong is not None:
                return wrong
        return None

    def _hear(self, alert: Alert) -> bool:
        known = self._known.get(alert.fingerprint)
        is_over = alert.ends_at is not None
        if known is None or alert.starts_at > known.starts_at:
            self._known[alert.fingerprint] = Occurrence(alert.starts_at, is_over, alert.expires_at)
            return True
        if alert.starts_at < known.starts_at or known.is_over:
            return False
        if is_over:
            was_firing = known.fires
            known.is_over = True
            return was_firing
        if known.is_expired:
            known.is_expired, known.expires_at = False, alert.expires_at
            return True
        if alert.expires_at is not None and known.expires_at is not None:
            known.expires_at = max(known.expires_at, alert.expires_at)
        return False

    def _compare(self, state: State, entry: Entry, name: str) -> str | None:
        known, active = self._known[name], state.alerts.get(name)
        if not known.fires:
            return f"{name} is over and fires nevertheless" if active is not None else None
        has_run_out = known.expires_at is not None and known.expires_at <= entry.at
        if active is None:
            if not has_run_out:
                return f"{name} fires at its source and was lost"
            known.is_expired = True
            return None
        if active.alert.starts_at != known.starts_at:
            return f"{name} fires since {known.starts_at}, not {active.alert.starts_at}"
        waits = known.expires_at is not None and known.expires_at + EXPIRY_WITHIN <= entry.at
        if waits and isinstance(entry.what, TimeElapsed):
            return f"the lease of {name} ran out at {known.expires_at} and it still fires"
        return None


class EveryAlertHasItsPlace(Checker):
    """I7: what fires is in exactly one live incident, or muted with a reason."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        placed = 0
        for name, active in state.alerts.items():
            if active.incident is None:
                if not active.suppressed_by:
                    return f"{active.alert.name} {name} fires, is not muted, and nobody has it"
                continue
            placed += 1
            incident = state.incidents.get(active.incident)
            if incident is None or not incident.is_live:
                return f"{name} belongs to {active.incident}, which does not live"
            if name not in state.members[incident.id].firing:
                return f"{incident.id} does not know that {name} fires"
        known = sum(len(members.firing) for members in state.members.values())
        return f"{known} alerts in incidents, {placed} fire there" if known != placed else None


class SilencesHold(Checker):
    """A silence mutes what it matches from its start to its end, and not a moment longer."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        if not isinstance(entry.what, TimeElapsed):
            return None
        for name, active in state.alerts.items():
            service = active.alert.labels.get("service", "")
            for silence in state.silences.values():
                is_on = silence.starts_at <= entry.at < silence.ends_at
                matches = silence.matchers[0].value == service
                if (is_on and matches) != (f"silence:{silence.id}" in active.suppressed_by):
                    word = "does not mute" if matches and is_on else "mutes"
                    return f"{silence.id} {word} {name} at {entry.at}"
        return None
