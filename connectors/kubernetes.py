"""What kube-state-metrics knows of the map: workloads, where they run, what serves them.

Metrics and labels as kube-state-metrics documents them: `kube_pod_owner`, `kube_replicaset_owner`,
`kube_pod_info`, `kube_endpoint_address`, `kube_pod_labels` (only labels that are allowed there).
Not here: the cluster's own API, which is never asked.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from agent.connector import Exchange, MetricsSource, Options, QueryResult
from agent.model.discovery import Discovery, Evidence, Link, Sighting, Thing
from agent.model.labels import Labels, Matcher, MatchOperator
from agent.model.service import EntityKind

NODES_MAX = 10
"""A workload on more nodes than these rests on none of them in particular."""
KINDS = {"Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset"}
POD_NAMES = {
    "Deployment": "-[a-z0-9]+-[a-z0-9]{5}",
    "StatefulSet": "-[0-9]+",
    "DaemonSet": "-[a-z0-9]{5}",
}
"""How the names of pods go on after that of their workload."""

OWNED = 'group by (namespace, pod, owner_kind, owner_name) (kube_pod_owner{owner_kind!="<none>"})'
SETS = "group by (namespace, replicaset, owner_kind, owner_name) (kube_replicaset_owner)"
PODS = 'group by (namespace, pod, node, pod_ip) (kube_pod_info{node!=""})'
SERVED = "group by (namespace, endpoint, ip) (kube_endpoint_address)"
PARTS = (
    "group by (namespace, pod, label_app_kubernetes_io_part_of) "
    '(kube_pod_labels{label_app_kubernetes_io_part_of!=""})'
)


class KubernetesOptions(Options):
    """Nothing yet: the metrics source says where it is."""


@dataclass(slots=True)
class _Workload:
    """One workload as its pods tell."""

    kind: str
    namespace: str
    name: str
    nodes: dict[str, None] = field(default_factory=dict)
    services: dict[str, None] = field(default_factory=dict)
    systems: dict[str, None] = field(default_factory=dict)

    @property
    def thing(self) -> Thing:
        return Thing(EntityKind.COMPONENT, self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Deployments, stateful sets and daemon sets of one cluster."""

    options: KubernetesOptions
    options_model: ClassVar[type[Options]] = KubernetesOptions

    def discover(self, metrics: MetricsSource) -> Exchange[Discovery]:
        """Workloads, the nodes that carry them now, and the applications they are part of."""
        owned = yield from metrics.query(OWNED)
        sets = yield from metrics.query(SETS)
        pods = yield from metrics.query(PODS)
        served = yield from metrics.query(SERVED)
        parts = yield from metrics.query(PARTS)
        workloads, of_pod, skipped = _workloads(_rows(owned), _controllers(sets))
        of_ip: dict[str, _Workload] = {}
        for row in _rows(pods):
            workload = of_pod.get((row.get("namespace", ""), row.get("pod", "")))
            if workload is not None:
                workload.nodes[row["node"]] = None
                of_ip[row.get("pod_ip", "")] = workload
        for row in _rows(served):
            workload = of_ip.get(row.get("ip", ""))
            if workload is not None and workload.namespace == row.get("namespace"):
                workload.services[row.get("endpoint", "")] = None
        for row in _rows(parts):
            workload = of_pod.get((row.get("namespace", ""), row.get("pod", "")))
            if workload is not None:
                workload.systems[row["label_app_kubernetes_io_part_of"]] = None
        shared = _shared(workloads)
        sightings = [_sighting(workload, shared) for workload in workloads.values()]
        nodes = sorted({node for workload in workloads.values() for node in workload.nodes})
        sightings += [_node(name) for name in nodes]
        systems = {seen.part_of for seen in sightings if seen.part_of is not None}
        sightings += [Sighting(thing=system, type="application") for system in sorted(systems)]
        warning = f"left out: pods of jobs, or of controllers of another kind ({skipped})"
        return Discovery(
            sightings=tuple(sightings),
            links=tuple(_links(workloads.values())),
            warnings=(warning,) if skipped else (),
        )


def _rows(result: QueryResult) -> Iterator[Labels]:
    return iter(
        sorted((series.labels for series in result.series), key=lambda r: sorted(r.items()))
    )


def _controllers(sets: QueryResult) -> Mapping[tuple[str, str], tuple[str, str]]:
    return {
        (row.get("namespace", ""), row.get("replicaset", "")): (
            row.get("owner_kind", ""),
            row.get("owner_name", ""),
        )
        for row in _rows(sets)
    }


def _workloads(
    owned: Iterator[Labels], controllers: Mapping[tuple[str, str], tuple[str, str]]
) -> tuple[dict[Thing, _Workload], dict[tuple[str, str], _Workload], int]:
    workloads: dict[Thing, _Workload] = {}
    of_pod: dict[tuple[str, str], _Workload] = {}
    skipped = 0
    for row in owned:
        namespace = row.get("namespace", "")
        kind, name = row.get("owner_kind", ""), row.get("owner_name", "")
        if kind == "ReplicaSet":
            kind, name = controllers.get((namespace, name), ("", ""))
        if kind not in KINDS or not name:
            skipped += 1
            continue
        fresh = _Workload(kind, namespace, name)
        of_pod[namespace, row.get("pod", "")] = workloads.setdefault(fresh.thing, fresh)
    return workloads, of_pod, skipped


def _shared(workloads: Mapping[Thing, _Workload]) -> frozenset[tuple[str, str]]:
    """Services in front of more than one workload: they tell nothing of which one is meant."""
    seen: set[tuple[str, str]] = set()
    twice: set[tuple[str, str]] = set()
    for workload in workloads.values():
        for service in workload.services:
            (twice if (workload.namespace, service) in seen else seen).add(
                (workload.namespace, service)
            )
    return frozenset(twice)


def _sighting(workload: _Workload, shared: frozenset[tuple[str, str]]) -> Sighting:
    place = _is("namespace", workload.namespace)
    pods = re.escape(workload.name) + POD_NAMES[workload.kind]
    matches = [
        (place, _is(KINDS[workload.kind], workload.name)),
        (place, _is("workload", workload.name)),
        (place, Matcher(name="pod", operator=MatchOperator.REGEX, value=pods)),
    ]
    matches += [
        (place, _is("service", service))
        for service in sorted(workload.services)
        if (workload.namespace, service) not in shared
    ]
    systems, nodes = sorted(workload.systems), sorted(workload.nodes)
    return Sighting(
        thing=workload.thing,
        type="service",
        matches=tuple(matches),
        part_of=Thing(EntityKind.SYSTEM, "", systems[0]) if len(systems) == 1 else None,
        runs_on=_host(nodes[0]) if len(nodes) == 1 else None,
    )


def _node(name: str) -> Sighting:
    return Sighting(thing=_host(name), type="host", matches=((_is("node", name),),))


def _host(name: str) -> Thing:
    return Thing(EntityKind.RESOURCE, "", name)


def _links(workloads: Iterable[_Workload]) -> Iterator[Link]:
    evidence = Evidence(said_by="kube_pod_info")
    for workload in workloads:
        if 1 < len(workload.nodes) <= NODES_MAX and workload.kind != "DaemonSet":
            for node in sorted(workload.nodes):
                yield Link(upper=workload.thing, lower=_host(node), evidence=evidence)


def _is(name: str, value: str) -> Matcher:
    return Matcher(name=name, operator=MatchOperator.EQUAL, value=value)
