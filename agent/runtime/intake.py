"""Alerts in: repeats stop here, everything else becomes one durable entry.

Not here: bytes to alerts (`connectors`), what an alert leads to (`core`), HTTP (`web`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from sys import intern
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter

from agent.core.causes.reports import is_news
from agent.core.state import ActiveAlert, State
from agent.errors import PayloadError
from agent.model.alert import Alert
from agent.model.entry import AlertsReceived, ChangeReported, What
from agent.model.labels import Labels
from agent.model.reported import ChangeReport
from agent.runtime.crashpoint import reach


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """What one request may hold. Past a limit nothing of it is kept, and the sender is told."""

    alerts_per_request_max: int = 10_000
    labels_per_alert_max: int = 128
    characters_per_alert_max: int = 128 * 1024
    """Of all names and values of labels and annotations together."""
    changes_per_request_max: int = 100
    characters_per_change_max: int = 16 * 1024


class Inbox(Protocol):
    """The loop, as far as intake needs it."""

    @property
    def state(self) -> State:
        """Read it, never change it; it stands still between two awaits."""

    async def append(self, what: What) -> object:
        """Returns once the entry is durable. Raises `Overloaded`."""

    def renew(self, fingerprint: str, expires_at: datetime | None) -> None:
        """Note a repeat of an active alert, in memory: it has a new lease, or it is a heartbeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of the alerts of one request."""

    kept: int
    repeated: int
    stale: int
    """Word of an end that was known, or of a beginning that nobody heard of."""


class IntakeMetrics:
    """Alerts by what became of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.alerts = Counter(
            "watchkeeper_intake_alerts_total",
            "Alerts taken in, by source and by what became of them.",
            ("source", "outcome"),
            registry=registry,
        )
        self.changes = Counter(
            "watchkeeper_intake_changes_total",
            "Statements about changes of others, by source and by what became of them.",
            ("source", "outcome"),
            registry=registry,
        )
        self.refused = Counter(
            "watchkeeper_intake_refused_total",
            "Requests with alerts of which nothing was kept.",
            ("source", "reason"),
            registry=registry,
        )
        self._children: dict[tuple[str, str], Counter] = {}

    def count(self, source: str, outcome: str, alerts: int) -> None:
        """Count alerts; children are looked up once, which costs more than the counting."""
        child = self._children.get((source, outcome))
        if child is None:
            self._children[source, outcome] = child = self.alerts.labels(source, outcome)
        child.inc(alerts)


class Intake:
    """Takes the alerts of one request after the other."""

    def __init__(
        self, loop: Inbox, metrics: IntakeMetrics, limits: IntakeLimits = IntakeLimits()
    ) -> None:
        self._loop = loop
        self._limits = limits
        self._metrics = metrics
        self._under_way: dict[str, int] = {}
        """Fingerprints of alerts that were appended and are not durable yet, with how often."""

    async def take(self, source: str, alerts: Sequence[Alert], received_at: datetime) -> Taken:
        """Take all alerts of one request, or none; durable when it returns.

        An alert whose `starts_at` is `received_at` came without a start: it means the occurrence
        that is active, where one is. Raises `PayloadError` with the index of the alert that is
        beyond a limit, and `Overloaded`.
        """
        most = self._limits.alerts_per_request_max
        if len(alerts) > most:
            raise PayloadError("$", f"more than {most} alerts in one request")
        news, taken = self._sift(alerts, received_at)
        if news:
            await self._append(AlertsReceived(source=source, alerts=tuple(news)))
        self._count(source, taken)
        return taken

    async def report(self, source: str, reports: Sequence[ChangeReport]) -> int:
        """Take what one request says of changes; answers how much of it was news.

        Durable when it returns. Raises `PayloadError` beyond a limit, and `Overloaded`.
        """
        most = self._limits.changes_per_request_max
        if len(reports) > most:
            raise PayloadError("$", f"more than {most} changes in one request")
        for index, report in enumerate(reports):
            _refuse_long_report(self._limits, report, index)
        news = [one for one in reports if is_news(self._loop.state, source, one)]
        for report in news:
            await self._loop.append(ChangeReported(source=source, report=report))
        self._metrics.changes.labels(source, "kept").inc(len(news))
        self._metrics.changes.labels(source, "repeated").inc(len(reports) - len(news))
        return len(news)

    def refused(self, source: str, reason: str) -> None:
        """Count a request of which nothing was kept."""
        self._metrics.refused.labels(source, reason).inc()

    def _sift(self, alerts: Sequence[Alert], received_at: datetime) -> tuple[list[Alert], Taken]:
        """What the core has not heard of yet, in order; renews leases when nothing is refused.

        The hot path: a company's Prometheus repeats every active alert once a minute.
        """
        active_alerts, under_way = self._loop.state.alerts, self._under_way
        news: list[Alert] = []
        fresh: set[str] = set()
        renewed: list[tuple[str, datetime | None]] = []
        repeated = 0
        for index, alert in enumerate(alerts):
            fingerprint = alert.fingerprint
            # Only of an alert whose last word is durable do we know what a word adds to it.
            if fingerprint not in under_way and fingerprint not in fresh:
                active = active_alerts.get(fingerprint)
                if active is None:
                    if alert.ends_at is not None:
                        continue
                    alert = _sharing(alert)  # noqa: PLW2901
                elif _is_repeat(alert, active, received_at):
                    repeated += 1
                    has_lease = alert.expires_at is not None
                    if (has_lease and alert.expires_at != active.expires_at) or active.beats:
                        renewed.append((fingerprint, alert.expires_at))
                    continue
                elif _is_late_end(alert, active):
                    continue
                elif alert.starts_at == received_at:
                    alert = replace(alert, starts_at=active.alert.starts_at)  # noqa: PLW2901
            _refuse_beyond(self._limits, alert, index)
            fresh.add(fingerprint)
            news.append(alert)
        for fingerprint, expires_at in renewed:
            self._loop.renew(fingerprint, expires_at)
        stale = len(alerts) - len(news) - repeated
        return news, Taken(kept=len(news), repeated=repeated, stale=stale)

    async def _append(self, what: AlertsReceived) -> None:
        under_way = self._under_way
        for alert in what.alerts:
            under_way[alert.fingerprint] = under_way.get(alert.fingerprint, 0) + 1
        try:
            reach("intake.before_append")
            await self._loop.append(what)
        finally:
            for alert in what.alerts:
                left = under_way[alert.fingerprint] - 1
                if left:
                    under_way[alert.fingerprint] = left
                else:
                    del under_way[alert.fingerprint]

    def _count(self, source: str, taken: Taken) -> None:
        for outcome, count in (
            ("kept", taken.kept),
            ("repeated", taken.repeated),
            ("stale", taken.stale),
        ):
            if count:
                self._metrics.count(source, outcome, count)


def _sharing(alert: Alert) -> Alert:
    """The same alert, each text held once for all alerts that say it: most are said of many.

    The interpreter's own table of strings forgets a text when the last alert that says it is gone.
    """
    return Alert(
        fingerprint=alert.fingerprint,
        labels=_shared(alert.labels),
        annotations=_shared(alert.annotations),
        starts_at=alert.starts_at,
        ends_at=alert.ends_at,
        expires_at=alert.expires_at,
        generator_url=intern(alert.generator_url),
    )


def _shared(texts: Labels) -> dict[str, str]:
    return dict(zip(texts, map(intern, texts.values()), strict=True))


def _is_repeat(alert: Alert, active: ActiveAlert, received_at: datetime) -> bool:
    """Whether it says of a firing alert nothing but that it still fires."""
    known = active.alert
    if alert.ends_at is not None or alert.labels != known.labels:
        # The fingerprint is no cryptographic one: who forges its like must not hide behind it.
        return False
    if alert.starts_at < known.starts_at:
        # A second Prometheus saw the same alert earlier; its word holds the alert as well.
        return True
    is_same = alert.starts_at in (known.starts_at, received_at)
    return is_same and alert.annotations == known.annotations


def _is_late_end(alert: Alert, active: ActiveAlert) -> bool:
    """Whether it ends an occurrence before the one that fires now."""
    return alert.ends_at is not None and alert.starts_at < active.alert.starts_at


def _refuse_long_report(limits: IntakeLimits, report: ChangeReport, index: int) -> None:
    said = (report.key, report.summary, report.environment, report.version, report.actor)
    more = (*report.names, *report.names.values(), *report.labels, *report.labels.values())
    if len("".join((*said, report.url, *more))) > limits.characters_per_change_max:
        most = limits.characters_per_change_max
        raise PayloadError(f"$[{index}]", f"a change of more than {most} characters")


def _refuse_beyond(limits: IntakeLimits, alert: Alert, index: int) -> None:
    labels, annotations = alert.labels, alert.annotations
    if len(labels) > limits.labels_per_alert_max:
        raise PayloadError(
            f"$[{index}].labels", f"more than {limits.labels_per_alert_max} labels on one alert"
        )
    characters = len("".join((*labels, *labels.values(), *annotations, *annotations.values())))
    if characters > limits.characters_per_alert_max:
        raise PayloadError(
            f"$[{index}]",
            f"labels and annotations hold more than {limits.characters_per_alert_max} characters",
        )
