"""Alertmanager's payloads: what the fields mean, and where a mistake is said to be."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.errors import PayloadError
from agent.model.alert import Alert
from agent.model.labels import fingerprint
from connectors.alertmanager import parse_v2, parse_webhook

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LABELS = {"alertname": "Down", "host": "app1"}


def v2(*alerts: dict[str, Any]) -> list[Alert]:
    return parse_v2(json.dumps(alerts).encode(), NOW, 5 * MINUTE)


def webhook(*alerts: dict[str, Any], lease: timedelta | None = None, **more: Any) -> list[Alert]:
    return parse_webhook(json.dumps({"alerts": alerts, **more}).encode(), NOW, lease)


def at(minutes: int) -> str:
    return (NOW + minutes * MINUTE).isoformat()


@pytest.mark.parametrize(
    ("sent", "starts", "ends", "expires"),
    [
        ({"startsAt": at(-9), "endsAt": at(4)}, NOW - 9 * MINUTE, None, NOW + 4 * MINUTE),
        ({"startsAt": at(-9), "endsAt": at(0)}, NOW - 9 * MINUTE, NOW, None),
        ({"startsAt": at(-9), "endsAt": at(-1)}, NOW - 9 * MINUTE, NOW - MINUTE, None),
        ({"startsAt": at(-9)}, NOW - 9 * MINUTE, None, NOW + 5 * MINUTE),
        ({}, NOW, None, NOW + 5 * MINUTE),
        ({"endsAt": at(-1)}, NOW, NOW - MINUTE, None),
        ({"startsAt": None, "endsAt": None, "annotations": None}, NOW, None, NOW + 5 * MINUTE),
        ({"startsAt": "0001-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z"}, NOW, None,
         NOW + 5 * MINUTE),
        ({"startsAt": "2026-11-22T08:51:00+02:00", "endsAt": at(1)}, NOW - 9 * MINUTE, None,
         NOW + MINUTE),
    ],
)  # fmt: skip
def test_an_end_that_is_past_resolves_and_one_to_come_is_a_lease(
    sent: dict[str, Any], starts: datetime, ends: datetime | None, expires: datetime | None
) -> None:
    """As Alertmanager fills in what is missing; every moment comes out in UTC."""
    (alert,) = v2({"labels": LABELS, **sent})
    assert (starts, ends, expires) == (alert.starts_at, alert.ends_at, alert.expires_at)
    assert alert.starts_at.tzinfo is UTC


def test_in_the_webhook_each_alert_has_its_own_status() -> None:
    """The group's status says firing while any alert of it fires."""
    unset = "0001-01-01T00:00:00Z"
    fires, over = webhook(
        {"status": "firing", "labels": LABELS, "startsAt": at(-9), "endsAt": unset},
        {"status": "resolved", "labels": LABELS, "startsAt": at(-9), "endsAt": at(-2)},
        status="firing",
    )
    assert (fires.ends_at, fires.expires_at) == (None, None)
    assert over.ends_at == NOW - 2 * MINUTE
    (leased,) = webhook({"status": "firing", "labels": LABELS}, lease=MINUTE)
    assert leased.expires_at == NOW + MINUTE


def test_alerts_that_were_left_out_are_not_left_unsaid() -> None:
    """`truncatedAlerts` becomes an alert of its own, with a lease."""
    (told,) = webhook(receiver="ops", truncatedAlerts=7)
    assert (told.name, told.labels["receiver"]) == ("AlertsTruncated", "ops")
    assert told.annotations["summary"].startswith("7 alerts")
    assert told.expires_at is not None


def test_an_empty_label_is_an_absent_one() -> None:
    """Both have one identity, as in Alertmanager."""
    with_empty, without = v2({"labels": {**LABELS, "team": ""}}, {"labels": LABELS})
    assert with_empty.fingerprint == without.fingerprint == fingerprint(LABELS)
    assert "team" not in with_empty.labels


def test_how_much_may_come_is_not_for_the_translator_to_say() -> None:
    """An operator's limit counts, and it may be higher than anyone thought of."""
    many = {f"l{n}": "x" for n in range(1_000)}
    assert len(v2({"labels": many})[0].labels) == 1_000
    assert len(v2(*[{"labels": LABELS}] * 10_001)) == 10_001
    assert len(webhook(*[{"labels": LABELS, "status": "firing"}] * 10_001)) == 10_001


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ({"labels": {**LABELS, "foo": 1}}, "$[1].labels.foo"),
        ({"labels": {**LABELS, "foo": None}}, "$[1].labels.foo"),
        ({"labels": {**LABELS, "foo": "x" * 5000}}, "$[1].labels.foo"),
        ({"labels": {**LABELS, "1bad": "x"}}, "$[1].labels['1bad']"),
        ({"labels": {**LABELS, "a\nb": "x"}}, "$[1].labels['a\\nb']"),
        ({"labels": {**LABELS, "": "x"}}, "$[1].labels['']"),
        ({"labels": LABELS, "annotations": {"a-b": "x"}}, "$[1].annotations['a-b']"),
        ({"labels": LABELS, "annotations": {"a": []}}, "$[1].annotations.a"),
        ({"labels": {}}, "$[1].labels"),
        ({"labels": {"foo": ""}}, "$[1].labels"),
        ({}, "$[1]"),
        ({"labels": LABELS, "startsAt": "yesterday"}, "$[1].startsAt"),
        ({"labels": LABELS, "startsAt": "2026-11-22T07:00:00"}, "$[1].startsAt"),
        ({"labels": LABELS, "startsAt": at(0), "endsAt": at(-1)}, "$[1].endsAt"),
        ({"labels": LABELS, "generatorURL": 1}, "$[1].generatorURL"),
    ],
)
def test_a_mistake_has_its_place(sent: dict[str, Any], where: str) -> None:
    """One wrong alert refuses the request, and its sender is told which it was."""
    with pytest.raises(PayloadError) as caught:
        v2({"labels": LABELS}, sent)
    assert where == caught.value.where
