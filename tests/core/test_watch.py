"""Watches: when a series becomes an alert, how long that goes on, and what ends it."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.core.watch import Memory, alert_labels, evaluate, remember
from agent.model.alert import Alert
from agent.model.labels import fingerprint
from agent.model.rule import Watch

START = datetime(2026, 1, 1, tzinfo=UTC)
APP1 = {"__name__": "disk_used", "host": "app1", "empty": ""}
APP2 = {"__name__": "disk_used", "host": "app2"}


def watch(**changes: object) -> Watch:
    content: dict[str, object] = {
        "name": "DiskFull",
        "query": "disk_used > 0.9",
        "labels": {"severity": "critical"},
        "annotations": {"summary": "a disk is full"},
    }
    return Watch(**{**content, **changes})  # type: ignore[arg-type]


class Playing:
    """Evaluates one watch again and again."""

    def __init__(self, watch: Watch, memory: Memory | None = None) -> None:
        self.watch = watch
        self.memory: Memory = memory or {}

    def at(self, seconds: int, *found: dict[str, str], cleared: object = None) -> tuple[Alert, ...]:
        """The alerts of one evaluation."""
        self.memory, alerts = evaluate(
            self.watch,
            self.memory,
            found,
            cleared,  # type: ignore[arg-type]
            START + timedelta(seconds=seconds),
        )
        return alerts


def firing(alerts: tuple[Alert, ...]) -> list[str]:
    return sorted(alert.labels["host"] for alert in alerts if alert.ends_at is None)


def ended(alerts: tuple[Alert, ...]) -> list[str]:
    return sorted(alert.labels["host"] for alert in alerts if alert.ends_at is not None)


def test_a_series_fires_at_once_and_ends_when_it_is_gone() -> None:
    """Its own labels without the metric's name, the watch's on top, a lease while it lasts."""
    playing = Playing(watch())
    (alert,) = playing.at(0, APP1)
    labels = {"host": "app1", "severity": "critical", "alertname": "DiskFull"}
    assert (labels, fingerprint(labels)) == (alert.labels, alert.fingerprint)
    assert (alert.starts_at, alert.ends_at) == (START, None)
    assert alert.expires_at == START + timedelta(seconds=60)
    (over,) = playing.at(15)
    assert (alert.fingerprint, START) == (over.fingerprint, over.starts_at)
    assert (START + timedelta(seconds=15), None) == (over.ends_at, over.expires_at)
    assert playing.at(30) == ()


def test_for_wants_the_series_without_a_gap() -> None:
    """A gap begins the count anew; what never fired does not end."""
    playing = Playing(watch(hold=timedelta(seconds=30)))
    assert playing.at(0, APP1) == ()
    assert playing.at(15) == ()
    assert playing.at(30, APP1) == ()
    assert playing.at(45, APP1) == ()
    (alert,) = playing.at(60, APP1)
    assert START + timedelta(seconds=30) == alert.starts_at


def test_a_firing_is_given_each_time_so_that_its_lease_goes_on() -> None:
    """Start and identity stay, the lease moves: a repeat."""
    playing = Playing(watch(every=timedelta(minutes=1)))
    (first,) = playing.at(0, APP1)
    (second,) = playing.at(60, APP1)
    assert (first.fingerprint, first.starts_at) == (second.fingerprint, second.starts_at)
    assert second.expires_at == START + timedelta(minutes=5)


def test_keep_firing_bridges_a_gap() -> None:
    """It goes on for that long after the series was seen last."""
    playing = Playing(watch(keep_firing=timedelta(seconds=60)))
    assert firing(playing.at(0, APP1)) == ["app1"]
    assert firing(playing.at(45)) == ["app1"]
    assert firing(playing.at(50, APP1)) == ["app1"]
    assert firing(playing.at(109)) == ["app1"]
    assert ended(playing.at(110)) == ["app1"]


def test_hysteresis_ends_only_what_the_second_query_returns() -> None:
    """Between both thresholds nothing changes, in either direction."""
    playing = Playing(watch(clear="disk_used < 0.8"))
    assert firing(playing.at(0, cleared=[])) == []
    assert firing(playing.at(15, APP1, APP2, cleared=[])) == ["app1", "app2"]
    assert firing(playing.at(30, cleared=[])) == ["app1", "app2"]
    alerts = playing.at(45, cleared=[APP2])
    assert (firing(alerts), ended(alerts)) == (["app1"], ["app2"])


def test_a_restart_goes_on_with_what_fires() -> None:
    """Neither the `for` nor the end of an alert is lost with the process."""
    asked = watch(hold=timedelta(hours=1))
    labels = alert_labels(asked, APP1)
    known = Alert(fingerprint=fingerprint(labels), labels=labels, annotations={}, starts_at=START)
    other = Alert(fingerprint="x", labels={"alertname": "Other"}, annotations={}, starts_at=START)
    playing = Playing(asked, remember(asked, [known, other]))
    assert firing(playing.at(5, APP1)) == ["app1"]
    assert ended(playing.at(20)) == ["app1"]


@pytest.mark.parametrize("order", [(APP1, APP2), (APP2, APP1)])
def test_the_order_of_series_does_not_matter(order: tuple[dict[str, str], ...]) -> None:
    """The same answer gives the same alerts."""
    assert Playing(watch()).at(0, APP1, APP2) == Playing(watch()).at(0, *order)


def test_a_watch_may_give_its_alert_another_name() -> None:
    """Two watches of one alert, one for each severity, do not take each other's for theirs."""
    nearly = watch(name="disk-nearly-full", labels={"alertname": "DiskFull", "severity": "warning"})
    (warning,) = Playing(nearly).at(0, {**APP1, "alertname": "of the series"})
    assert {"host": "app1", "alertname": "DiskFull", "severity": "warning"} == warning.labels
    (critical,) = Playing(watch()).at(0, APP1)
    assert list(remember(nearly, [warning, critical])) == [warning.fingerprint]
    assert list(remember(watch(), [warning, critical])) == [critical.fingerprint]
