"""What an incident cost its business: time, and money where the map says what time is worth."""

from datetime import datetime, timedelta

from agent.model.incident import Incident
from agent.model.service import EntityRef, ServiceMap

HOPS_MAX = 8


def downtime_of(incident: Incident, now: datetime) -> timedelta:
    """From the earliest start that an alert claims until service was restored, or until now."""
    return max((incident.resolved_at or now) - incident.started_at, timedelta())


def cost_of(incident: Incident, service_map: ServiceMap, now: datetime) -> float | None:
    """Its downtime times the cost per hour of those who felt it; None where nobody has one.

    Of entities that rest on each other, the upper one counts: its cost holds that of the lower.
    Degraded time counts like downtime, so this is what it cost at most.
    """
    hit = [
        ref
        for ref in dict.fromkeys((*incident.services, *incident.entities))
        if _cost(service_map, ref) is not None
    ]
    felt = set(hit)
    for ref in hit:
        if any(upper in felt for upper, _ in service_map.above(ref, HOPS_MAX)):
            # In a circle one of them has to stay.
            felt.discard(ref)
    if not felt:
        return None
    per_hour = sum(_cost(service_map, ref) or 0.0 for ref in hit if ref in felt)
    return per_hour * downtime_of(incident, now) / timedelta(hours=1)


def _cost(service_map: ServiceMap, ref: EntityRef) -> float | None:
    entity = service_map.entities.get(ref)
    return entity.cost_per_hour if entity else None
