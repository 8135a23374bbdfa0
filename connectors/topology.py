"""What request metrics know of the map: service graphs of traces, Istio, Linkerd.

Labels as of Tempo's metrics-generator and OpenTelemetry's service graph connector
(`traces_service_graph_request_total`), Istio's standard metrics and Linkerd's proxy metrics.
Not here: the metrics source that answers, and what becomes of the names.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import Field

from agent.connector import Exchange, MetricsSource, Options
from agent.model.discovery import Discovery, Evidence, Link, Sighting, Thing
from agent.model.labels import Labels, Matcher, MatchOperator
from agent.model.service import EntityKind

STEPS = 96
"""How finely `last seen` is told: the window in this many parts, of at least five minutes."""
NOBODY = ("", "unknown", "user")
"""What tracing and meshes call a caller, or a callee, that they know nothing of."""
NO_SERVICE = ("PassthroughCluster", "BlackHoleCluster", "InboundPassthroughCluster")
WORKLOADS = ("deployment", "statefulset", "daemonset")


class TopologyOptions(Options):
    """How far back calls count."""

    window_hours: int = Field(default=24, ge=1, le=31 * 24)


@dataclass(frozen=True, slots=True)
class _Call:
    """One row of an answer: who calls whom."""

    labels: Labels
    evidence: Evidence


Pair = tuple[Sighting, Sighting]
"""Who rests on the other, and the other."""


@dataclass(frozen=True, slots=True)
class ServiceGraph:
    """Service graphs of traces."""

    options: TopologyOptions
    options_model: ClassVar[type[Options]] = TopologyOptions

    def discover(self, metrics: MetricsSource) -> Exchange[Discovery]:
        """Callers and callees of traces; a consumer of messages rests on their producer."""
        sides = [
            f"{side}_{name}"
            for side in ("client", "server")
            for name in ("service_namespace", "k8s_namespace_name")
        ]
        by = ("client", "server", "connection_type", *sides)
        calls = yield from _calls(metrics, "traces_service_graph_request_total", "", by, self)
        traced = {_end(call.labels, "client") for call in calls}
        traced |= {
            _end(call.labels, "server")
            for call in calls
            if call.labels.get("connection_type", "unset") in ("", "unset", "messaging_system")
        }

        def pair(call: _Call) -> Pair | None:
            kind = call.labels.get("connection_type", "")
            upper, lower = (
                _traced(_end(call.labels, side), kind, traced) for side in ("client", "server")
            )
            return (lower, upper) if kind == "messaging_system" else (upper, lower)

        return _discovery(calls, pair)


@dataclass(frozen=True, slots=True)
class Istio:
    """Requests and connections as the sidecars of an Istio mesh count them."""

    options: TopologyOptions
    options_model: ClassVar[type[Options]] = TopologyOptions

    def discover(self, metrics: MetricsSource) -> Exchange[Discovery]:
        """Workloads that call each other, and services outside of the mesh that they call."""
        ends = [f"{end}_workload{rest}" for end in ("source", "destination") for rest in ENDINGS]
        by = (*ends, "destination_service_name", "reporter")
        calls = yield from _calls(metrics, "istio_requests_total", "", by, self)
        opened = "istio_tcp_connections_opened_total"
        calls += yield from _calls(metrics, opened, "", by, self, unit="connections")
        return _discovery(calls, _istio)


ENDINGS = ("", "_namespace")


@dataclass(frozen=True, slots=True)
class Linkerd:
    """Requests as the proxies of a Linkerd mesh count them."""

    options: TopologyOptions
    options_model: ClassVar[type[Options]] = TopologyOptions

    def discover(self, metrics: MetricsSource) -> Exchange[Discovery]:
        """Workloads that call each other."""
        names = ("namespace", *WORKLOADS)
        by = (*names, *(f"dst_{name}" for name in names))
        selector = '{direction="outbound"}'
        calls = yield from _calls(metrics, "request_total", selector, by, self)
        return _discovery(calls, _linkerd)


def _calls(
    metrics: MetricsSource,
    metric: str,
    selector: str,
    by: Sequence[str],
    asking: ServiceGraph | Istio | Linkerd,
    *,
    unit: str = "requests",
) -> Exchange[list[_Call]]:
    hours, labels = asking.options.window_hours, ", ".join(by)
    step = max(5, math.ceil(hours * 60 / STEPS))
    rate = f"sum by ({labels}) (rate({metric}{selector}[%s]))"
    mean = yield from metrics.query(f"{rate % f'{hours}h'} > 0")
    flowing = f"(time() * ({rate % f'{step}m'} > bool 0))"
    seen = yield from metrics.query(f"max_over_time({flowing}[{hours}h:{step}m]) > 0")
    last = {_key(series.labels): series.samples[-1].value for series in seen.series}
    found = []
    for series in mean.series:
        moment = last.get(_key(series.labels))
        evidence = Evidence(
            said_by=metric,
            per_second=series.samples[-1].value,
            unit=unit,
            last_seen=None if moment is None else datetime.fromtimestamp(moment, UTC),
        )
        found.append(_Call(series.labels, evidence))
    return found


def _key(labels: Labels) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def _discovery(calls: Iterable[_Call], pair: Callable[[_Call], Pair | None]) -> Discovery:
    sightings: dict[Thing, Sighting] = {}
    links: dict[tuple[Thing, Thing], Link] = {}
    skipped = 0
    for call in sorted(calls, key=lambda call: _key(call.labels)):
        ends = pair(call)
        if ends is None or any(end.thing.name in NOBODY for end in ends):
            skipped += 1
            continue
        upper, lower = ends
        sightings |= {upper.thing: upper, lower.thing: lower}
        known = links.get((upper.thing, lower.thing))
        if known is None or (known.evidence.per_second or 0) < (call.evidence.per_second or 0):
            link = Link(upper=upper.thing, lower=lower.thing, evidence=call.evidence)
            links[upper.thing, lower.thing] = link
    warning = f"left out: rows that name no caller or no callee ({skipped})"
    return Discovery(
        sightings=tuple(sightings[thing] for thing in sorted(sightings)),
        links=tuple(links[ends] for ends in sorted(links)),
        warnings=(warning,) if skipped else (),
    )


def _end(labels: Labels, side: str) -> tuple[str, str, str]:
    """Name, namespace of the service and namespace in Kubernetes of one end of a trace."""
    return (
        labels.get(side, ""),
        labels.get(f"{side}_service_namespace", ""),
        labels.get(f"{side}_k8s_namespace_name", ""),
    )


def _traced(end: tuple[str, str, str], kind: str, traced: set[tuple[str, str, str]]) -> Sighting:
    name, group, place = end
    is_traced = end in traced
    type_ = "service" if is_traced else "database" if kind == "database" else "external"
    matches = [{label: name} for label in ("service", "service_name")]
    if place:
        matches = [{"namespace": place, **labels} for labels in matches]
    if group:
        # OpenTelemetry's rule for Prometheus: job is the service's namespace and name.
        matches.append({"job": f"{group}/{name}"})
    return Sighting(
        thing=Thing(
            EntityKind.COMPONENT if is_traced else EntityKind.RESOURCE, place or group, name
        ),
        type=type_,
        matches=tuple(map(_equal, matches)),
    )


def _istio(call: _Call) -> Pair | None:
    labels = call.labels
    upper = _workload(labels, "source")
    lower = _workload(labels, "destination")
    if lower.thing.name in NOBODY:
        service = labels.get("destination_service_name", "")
        if service in (*NO_SERVICE, *NOBODY):
            return None
        thing = Thing(EntityKind.RESOURCE, "", service)
        matches = (_equal({"destination_service_name": service}),)
        lower = Sighting(thing=thing, type="external", matches=matches)
    return upper, lower


def _workload(labels: Labels, side: str) -> Sighting:
    name = labels.get(f"{side}_workload", "")
    namespace = labels.get(f"{side}_workload_namespace", "")
    alternatives = (
        {"namespace": namespace, "workload": name},
        {"destination_workload_namespace": namespace, "destination_workload": name},
    )
    return Sighting(
        thing=Thing(EntityKind.COMPONENT, namespace, name),
        type="service",
        matches=tuple(map(_equal, alternatives)),
    )


def _linkerd(call: _Call) -> Pair | None:
    ends = tuple(_meshed(call.labels, prefix) for prefix in ("", "dst_"))
    return (ends[0], ends[1]) if ends[0] and ends[1] else None


def _meshed(labels: Labels, prefix: str) -> Sighting | None:
    namespace = labels.get(f"{prefix}namespace", "")
    for kind in WORKLOADS:
        if name := labels.get(f"{prefix}{kind}"):
            alternatives = (
                {"namespace": namespace, kind: name},
                {"namespace": namespace, "workload": name},
            )
            return Sighting(
                thing=Thing(EntityKind.COMPONENT, namespace, name),
                type="service",
                matches=tuple(map(_equal, alternatives)),
            )
    return None


def _equal(labels: Labels) -> tuple[Matcher, ...]:
    return tuple(_matchers(labels))


def _matchers(labels: Labels) -> Iterator[Matcher]:
    for name, value in sorted(labels.items()):
        yield Matcher(name=name, operator=MatchOperator.EQUAL, value=value)
