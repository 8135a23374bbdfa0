"""What people may choose from to correct what belongs together."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.model.alert import AlertRecord
from agent.model.incident import Incident
from agent.model.service import ServiceMap
from agent.web.views.words import entity_label

CHOICES_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing with a box to tick."""

    value: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Alerts that fire and places that alert, bounded; `omitted` alerts are not among them."""

    alerts: tuple[Choice, ...]
    omitted: int
    places: tuple[Choice, ...]


def choices_of(
    incident: Incident, alerts: Sequence[AlertRecord], service_map: ServiceMap
) -> Choices:
    """What may be taken out of an incident."""
    firing = [alert for alert in alerts if alert.ends_at is None]
    firing.sort(key=lambda alert: (alert.labels.get("alertname", ""), alert.fingerprint))
    return Choices(
        alerts=tuple(
            Choice(value=alert.fingerprint, text=_words(alert, service_map))
            for alert in firing[:CHOICES_MAX]
        ),
        omitted=max(0, len(firing) - CHOICES_MAX),
        places=tuple(
            Choice(value=ref, text=entity_label(ref, service_map))
            for ref in incident.entities[:CHOICES_MAX]
        ),
    )


def _words(alert: AlertRecord, service_map: ServiceMap) -> str:
    name = alert.labels.get("alertname", "") or "Alert without a name"
    if alert.entity:
        return f"{name} on {entity_label(alert.entity, service_map)}"
    rest = ", ".join(
        f"{label}={value}" for label, value in sorted(alert.labels.items()) if label != "alertname"
    )
    return f"{name} {rest[:80]}".strip()
