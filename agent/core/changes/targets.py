"""Where a run would act: the host of an entity, from the map and from nothing else."""

from agent.model.remediation import Host
from agent.model.service import EntityRef, ServiceMap


def host_of(service_map: ServiceMap, ref: EntityRef) -> Host | None:
    """The host to act on for an entity: its own, or that of what it runs on."""
    seen: dict[EntityRef, None] = {}
    while ref not in seen:
        seen[ref] = None
        entity = service_map.entities.get(ref)
        if entity is None:
            return None
        if entity.host is not None:
            return entity.host
        if entity.runs_on is None:
            return None
        ref = entity.runs_on
    return None
