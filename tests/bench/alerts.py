"""The alerts of the benchmark: eight labels, three annotations, about 560 bytes of JSON.

Everything follows from an alert's number, so that a repeat is the same number rendered again.
Not here: which entity a number belongs to (`world`).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from tests.bench import world

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(days=3650)
"""How long an alert stays firing without a repeat: longer than any benchmark."""


class Shape(StrEnum):
    """What one POST carries."""

    ALERTMANAGER = "alertmanager"
    """A JSON list of alerts, as Prometheus sends it."""
    EVENT = "event"
    """One JSON object, as a webhook source of ansible-rulebook takes it."""


def alert(number: int, *, repeat: int) -> dict[str, object]:
    """Alert `number` as Prometheus would send it the `repeat`-th time (0 is the first).

    A repeat differs in `endsAt` only, as Prometheus's own do.
    """
    host, service = world.labels_of(number % world.ENTITIES)
    ends = STARTED + LEASE + timedelta(minutes=repeat)
    return {
        "labels": {
            "alertname": world.alertname_of(number),
            "severity": "critical",
            "cluster": "bench-1",
            "job": "bench",
            "host": host,
            "service": service,
            "instance": f"{host}:9100",
            "serial": f"{number:07}",
        },
        "annotations": {
            "summary": f"{service} on {host} does not answer",
            "description": f"The probe of {service} has failed for two minutes.",
            "runbook_url": f"https://runbooks.example/{service}",
        },
        "startsAt": STARTED.isoformat().replace("+00:00", "Z"),
        "endsAt": ends.isoformat().replace("+00:00", "Z"),
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=probe_success+%3D%3D+0",
    }


def bodies(
    first: int, count: int, *, batch: int, repeat: int = 0, shape: Shape = Shape.ALERTMANAGER
) -> Iterator[bytes]:
    """JSON bodies that carry the alerts `first` to `first + count - 1`, `batch` in each."""
    for start in range(first, first + count, batch):
        numbers = range(start, min(start + batch, first + count))
        content = [alert(number, repeat=repeat) for number in numbers]
        if shape is Shape.EVENT:
            assert len(content) == 1, "an event carries one alert"
            yield json.dumps(content[0], separators=(",", ":")).encode()
        else:
            yield json.dumps(content, separators=(",", ":")).encode()
