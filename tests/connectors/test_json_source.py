"""The mapping of any JSON: what it takes, what counts as absent, what it refuses."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from agent.errors import PayloadError
from agent.model.alert import Alert
from connectors.json_source import JsonOptions, JsonSource

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
MAPPING: dict[str, Any] = {
    "items": "data.alerts[*]",
    "status": {"path": "state", "open": ["bad"], "resolved": ["good"], "ignored": ["note"]},
    "labels": {
        "alertname": {"path": "rule.name", "required": True},
        "host": "targets[0]",
        "origin": {"value": "tool"},
    },
    "starts_at": {"path": "since", "format": "epoch_ms"},
    "lease": 60,
}
ITEM = {"state": "bad", "rule": {"name": "Down"}, "targets": ["app1"], "since": 1795329600000}


def parse(*items: Any, **changes: Any) -> list[Alert]:
    source = JsonSource(JsonOptions.model_validate(MAPPING | changes))
    return source.parse(json.dumps({"data": {"alerts": items}}).encode(), NOW)


def test_values_are_found_by_their_paths() -> None:
    """Nested names, places in lists, constants, moments and a lease."""
    (alert,) = parse(ITEM)
    assert alert.labels == {"alertname": "Down", "host": "app1", "origin": "tool"}
    assert datetime.fromtimestamp(1795329600, UTC) == alert.starts_at
    assert (None, NOW + timedelta(minutes=1)) == (alert.ends_at, alert.expires_at)


def test_how_many_may_come_is_not_for_the_translator_to_say() -> None:
    """An operator's limit counts, and it may be higher than anyone thought of."""
    assert len(parse(*[ITEM] * 10_001)) == 10_001


def test_an_end_without_a_moment_is_now_and_notes_are_left_out() -> None:
    """What the tool does not say is when we heard of it."""
    (over,) = parse({**ITEM, "state": "good"}, {**ITEM, "state": "note"})
    assert over.ends_at == NOW


@pytest.mark.parametrize(
    "absent", [None, "", "{EVENT.HOST}", "{$ZABBIX.URL}/x", "{HOST.NAME1}", "{INVENTORY.TAG:x}"]
)
def test_what_a_tool_left_unresolved_is_absent(absent: object) -> None:
    """A macro as text is no value, neither for a label nor for a moment."""
    (alert,) = parse({**ITEM, "targets": [absent], "since": absent})
    assert "host" not in alert.labels
    assert alert.starts_at == NOW


@pytest.mark.parametrize(
    ("item", "where"),
    [
        ({**ITEM, "state": "purple"}, "$.data.alerts[0].state"),
        ({**ITEM, "state": None}, "$.data.alerts[0].state"),
        ({**ITEM, "rule": {}}, "$.data.alerts[0].rule.name"),
        ({**ITEM, "rule": {"name": ["x"]}}, "$.data.alerts[0].rule.name"),
        ({**ITEM, "targets": [2**70]}, "$.data.alerts[0].targets[0]"),
        ({**ITEM, "since": "soon"}, "$.data.alerts[0].since"),
        ({**ITEM, "since": 1e40}, "$.data.alerts[0].since"),
        ("text", "$.data.alerts[0].state"),
    ],
)
def test_what_does_not_fit_has_its_place(item: Any, where: str) -> None:
    """A word of no list is not taken for an end, and nothing is guessed."""
    with pytest.raises(PayloadError) as caught:
        parse(item)
    assert where == caught.value.where


@pytest.mark.parametrize(
    "changes",
    [
        {"labelz": {}},
        {"labels": {"a-b": "x"}},
        {"labels": {"a": "x..y"}},
        {"labels": {"a": {"path": "x", "value": "y"}}},
        {"starts_at": {"path": "x", "timezone": "Mars/Olympus"}},
        {"status": {"path": "x", "open": []}},
    ],
)
def test_a_mapping_that_cannot_work_is_refused(changes: dict[str, Any]) -> None:
    """Before any payload arrives."""
    with pytest.raises(ValidationError):
        JsonOptions.model_validate(MAPPING | changes)
