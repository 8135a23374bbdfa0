"""Where a run would act: the host of an entity, from the map and from nothing else."""

from agent.model.remediation import Host, Remediation, Target
from agent.model.service import EntityRef, ServiceMap


def entities_of(
    service_map: ServiceMap, ref: EntityRef, remediation: Remediation
) -> tuple[EntityRef, ...]:
    """What a remediation of `ref` acts on: itself, or its whole redundancy group in fixed order.

    Empty where the map does not hold it, or it is in no group and the remediation needs one.
    """
    entity = service_map.entities.get(ref)
    if entity is None:
        return ()
    if remediation.target is Target.ENTITY:
        return (ref,)
    group = entity.redundancy_group
    return tuple(sorted(service_map.groups[group])) if group is not None else ()


def hosts_of(service_map: ServiceMap, ref: EntityRef, remediation: Remediation) -> tuple[Host, ...]:
    """The hosts that a run would act on, each once; empty where any of them is not known."""
    found = [host_of(service_map, each) for each in entities_of(service_map, ref, remediation)]
    hosts = {host.name: host for host in found if host is not None}
    return tuple(hosts.values()) if None not in found else ()


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
