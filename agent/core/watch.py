"""Watches: the series that a query returns, one after the other, become alerts and their ends.

A pure evaluator. Not here: asking the query, and when to ask it again (`runtime.poll`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.model.alert import Alert
from agent.model.labels import Labels, fingerprint
from agent.model.rule import Watch

SERIES_MAX = 1_000
"""A watch that returns more is too wide: the rest is left out, and its caller says so."""
LEASE_EVALUATIONS = 4
LEASE_MIN = timedelta(minutes=1)
METRIC_NAME = "__name__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is remembered of one series of a watch."""

    labels: Labels
    """Of the alert, with the watch's own."""
    since: datetime
    """When the query began to return it without a gap."""
    last: datetime
    """When the query returned it last."""
    fires: bool


Memory = Mapping[str, Seen]
"""By the fingerprint of the alert."""


def alert_labels(watch: Watch, series: Labels) -> Labels:
    """The labels of the alert for a series: the watch's own win, then its name as `alertname`."""
    given = {name: value for name, value in series.items() if value and name != METRIC_NAME}
    return {**given, **_own_labels(watch)}


def _own_labels(watch: Watch) -> Labels:
    return {"alertname": watch.name, **watch.labels}


def remember(watch: Watch, firing: Iterable[Alert]) -> Memory:
    """The memory after a restart, from the alerts of this watch that still fire."""
    return {
        alert.fingerprint: Seen(
            labels=alert.labels, since=alert.starts_at, last=alert.starts_at, fires=True
        )
        for alert in firing
        if _own_labels(watch).items() <= alert.labels.items()
    }


def evaluate(
    watch: Watch,
    memory: Memory,
    found: Iterable[Labels],
    cleared: Iterable[Labels] | None,
    at: datetime,
) -> tuple[Memory, tuple[Alert, ...]]:
    """The new memory, and every alert that fires now or has just ended.

    `found`: the label sets that the query returned at `at`. `cleared`: those of the watch's second
    query, None where it has none. A firing is given again each time: that renews its lease.
    """
    returned = _by_fingerprint(watch, found)
    clear = None if cleared is None else _by_fingerprint(watch, cleared).keys()
    after: dict[str, Seen] = {}
    alerts: list[Alert] = []
    for key in sorted({*memory, *returned}):
        known = memory.get(key)
        if key in returned:
            since = known.since if known else at
            fires = (known is not None and known.fires) or at - since >= watch.hold
            seen = Seen(labels=returned[key], since=since, last=at, fires=fires)
        elif known is not None and _goes_on(watch, known, key, clear, at):
            seen = known
        else:
            if known is not None and known.fires:
                alerts.append(replace(_alert(watch, known, key, at), ends_at=at, expires_at=None))
            continue
        after[key] = seen
        if seen.fires:
            alerts.append(_alert(watch, seen, key, at))
    return after, tuple(alerts)


def _by_fingerprint(watch: Watch, series: Iterable[Labels]) -> dict[str, Labels]:
    labelled = (alert_labels(watch, each) for each in series)
    found = {fingerprint(labels): labels for labels in labelled}
    return dict(sorted(found.items())[:SERIES_MAX])


def _goes_on(
    watch: Watch, known: Seen, key: str, clear: Iterable[str] | None, at: datetime
) -> bool:
    """Whether a firing outlives the evaluation that no longer returned its series."""
    if not known.fires:
        return False
    if clear is not None:
        return key not in clear
    return at - known.last < watch.keep_firing


def _alert(watch: Watch, seen: Seen, key: str, at: datetime) -> Alert:
    return Alert(
        fingerprint=key,
        labels=seen.labels,
        annotations=watch.annotations,
        starts_at=seen.since,
        expires_at=at + max(LEASE_MIN, watch.every * LEASE_EVALUATIONS),
    )
