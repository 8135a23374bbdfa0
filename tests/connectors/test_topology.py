"""What metrics tell of the map, against a real Prometheus with backfilled series.

The series have the labels that the tools document (Tempo's and OpenTelemetry's service graphs,
Istio's standard metrics, Linkerd's proxy metrics, kube-state-metrics); none of these tools ran.
"""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from agent.model.discovery import Discovery
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.clock import SystemClock
from agent.runtime.registry import Registry
from deploy.demo.programs import LOOPBACK, Program, answers, free_ports, missing
from tests.connectors.tape import plain_result, recorded, write

CASES = Path(__file__).parent
REGISTRY = Registry.find()
MINUTES = 90
STOPPED = 30
"""Calls whose counter stands still for the last so many minutes."""

COUNTERS: dict[str, list[tuple[str, float, int]]] = {
    "traces_service_graph_request_total": [
        ('client="checkout",server="cart",connection_type=""', 3.0, 0),
        ('client="cart",server="orders",connection_type="database"', 2.0, 0),
        ('client="checkout",server="api.stripe.com",connection_type="virtual_node"', 0.5, 0),
        ('client="user",server="checkout",connection_type="virtual_node"', 5.0, 0),
        ('client="checkout",server="mailer",connection_type="messaging_system"', 1.0, 0),
        ('client="cart",server="old-stock",connection_type=""', 1.0, STOPPED),
        ('client="cart",server="never",connection_type=""', 0.0, 0),
    ],
    "istio_requests_total": [
        (
            'reporter="source",source_workload="web",source_workload_namespace="shop",'
            'destination_workload="cart",destination_workload_namespace="shop",'
            'destination_service_name="cart",response_code="200"',
            4.0,
            0,
        ),
        (
            'reporter="destination",source_workload="web",source_workload_namespace="shop",'
            'destination_workload="cart",destination_workload_namespace="shop",'
            'destination_service_name="cart",response_code="200"',
            4.0,
            0,
        ),
        (
            'reporter="source",source_workload="web",source_workload_namespace="shop",'
            'destination_workload="unknown",destination_workload_namespace="unknown",'
            'destination_service_name="api.stripe.com",response_code="200"',
            1.0,
            0,
        ),
        (
            'reporter="source",source_workload="web",source_workload_namespace="shop",'
            'destination_workload="unknown",destination_workload_namespace="unknown",'
            'destination_service_name="PassthroughCluster",response_code="200"',
            1.0,
            0,
        ),
    ],
    "istio_tcp_connections_opened_total": [
        (
            'reporter="source",source_workload="cart",source_workload_namespace="shop",'
            'destination_workload="orders-db",destination_workload_namespace="data",'
            'destination_service_name="orders-db"',
            0.1,
            0,
        ),
    ],
    "request_total": [
        (
            'direction="outbound",namespace="faces",deployment="face",dst_namespace="faces",'
            'dst_deployment="smiley",dst_service="smiley"',
            2.0,
            0,
        ),
        (
            'direction="outbound",namespace="faces",deployment="face",dst_namespace="data",'
            'dst_statefulset="colors",dst_service="colors"',
            1.0,
            0,
        ),
        ('direction="inbound",namespace="faces",deployment="smiley"', 2.0, 0),
        ('direction="outbound",namespace="faces",deployment="face"', 2.0, 0),
    ],
}

GAUGES: dict[str, list[str]] = {
    "kube_pod_owner": [
        'namespace="shop",pod="cart-7d9f-abcde",owner_kind="ReplicaSet",owner_name="cart-7d9f",'
        'owner_is_controller="true"',
        'namespace="shop",pod="cart-7d9f-fghij",owner_kind="ReplicaSet",owner_name="cart-7d9f",'
        'owner_is_controller="true"',
        'namespace="data",pod="orders-db-0",owner_kind="StatefulSet",owner_name="orders-db",'
        'owner_is_controller="true"',
        'namespace="ops",pod="agent-k2k2k",owner_kind="DaemonSet",owner_name="agent",'
        'owner_is_controller="true"',
        'namespace="shop",pod="report-1",owner_kind="Job",owner_name="report",'
        'owner_is_controller="true"',
        'namespace="shop",pod="bare",owner_kind="<none>",owner_name="<none>",'
        'owner_is_controller="<none>"',
    ],
    "kube_replicaset_owner": [
        'namespace="shop",replicaset="cart-7d9f",owner_kind="Deployment",owner_name="cart",'
        'owner_is_controller="true"',
    ],
    "kube_pod_info": [
        'namespace="shop",pod="cart-7d9f-abcde",node="n1",pod_ip="10.1.0.1"',
        'namespace="shop",pod="cart-7d9f-fghij",node="n2",pod_ip="10.1.0.2"',
        'namespace="data",pod="orders-db-0",node="n2",pod_ip="10.1.0.3"',
        'namespace="ops",pod="agent-k2k2k",node="n1",pod_ip="10.0.0.1"',
    ],
    "kube_endpoint_address": [
        'namespace="shop",endpoint="cart",ip="10.1.0.1",ready="true"',
        'namespace="shop",endpoint="cart",ip="10.1.0.2",ready="true"',
        'namespace="data",endpoint="orders",ip="10.1.0.3",ready="true"',
    ],
    "kube_pod_labels": [
        'namespace="shop",pod="cart-7d9f-abcde",label_app_kubernetes_io_part_of="web-shop"',
    ],
}


def _exposition(now: datetime) -> Iterator[str]:
    moments = [now - timedelta(minutes=ago) for ago in range(MINUTES, -1, -1)]
    for metric, rows in COUNTERS.items():
        yield f"# TYPE {metric.removesuffix('_total')} counter"
        for labels, per_second, stands in rows:
            for passed, moment in enumerate(moments):
                value = per_second * 60 * min(passed, MINUTES - stands)
                yield f"{metric}{{{labels}}} {value} {moment.timestamp():.3f}"
    for metric, kept in GAUGES.items():
        yield f"# TYPE {metric} gauge"
        for labels in kept:
            for moment in moments:
                yield f"{metric}{{{labels}}} 1 {moment.timestamp():.3f}"
    yield "# EOF\n"


def _backfill(folder: Path) -> None:
    series = folder / "series.txt"
    series.write_text("\n".join(_exposition(datetime.now(UTC))))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q"]
    subprocess.run([*command, str(series), str(folder / "data")], check=True, timeout=30)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a Prometheus that knows the last one and a half hours of all these tools."""
    if reason := missing(("prometheus", "promtool")):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("prometheus")
    await asyncio.to_thread(_backfill, folder)
    (port,) = free_ports(1)
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    program = await Program.start(
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={LOOPBACK}:{port}",
        log=folder / "prometheus.log",
    )
    try:
        url = f"http://{LOOPBACK}:{port}"
        await program.until_ready(lambda: answers(f"{url}/-/ready"), limit_s=30)
        async with open_session() as session:
            metrics = ClientMetrics(CollectorRegistry())
            endpoint = Endpoint(name="prometheus", url=url)
            yield Client(session, endpoint, clock=SystemClock(), metrics=metrics)
    finally:
        await program.stop()


async def discovered(client: Client, face: str, **options: object) -> Discovery:
    """What a face says of the series; `UPDATE_GOLDEN=1` keeps the conversation as its tape."""
    topology = REGISTRY.topology(face, options, CASES)
    turns: list[dict[str, Any]] = []
    source = REGISTRY.metrics("prometheus", {}, CASES)
    found = await client.drive(recorded(topology.discover(source), turns))
    if os.environ.get("UPDATE_GOLDEN"):
        made_from = "Prometheus 2.42.0 with backfilled series of the shapes that the tool documents"
        tape = {"face": face, "made_from": made_from, "options": options, "call": {}}
        module = REGISTRY.faces[face][0].removeprefix("connectors.")
        (CASES / module).mkdir(exist_ok=True)
        path = CASES / module / f"{face}.exchange.json"
        write(path, {**tape, "turns": turns, "result": plain_result(found)})
    return found


def edges(found: Discovery) -> dict[str, float | None]:
    """`upper > lower` with what flows, rounded."""
    return {
        f"{link.upper.name} > {link.lower.name}": (
            None if link.evidence.per_second is None else round(link.evidence.per_second, 1)
        )
        for link in found.links
    }


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_service_graphs_of_traces(client: Client) -> None:
    """Callers rest on callees, consumers on producers; who calls from nowhere is left out."""
    found = await discovered(client, "service_graph", window_hours=1)

    assert {
        "cart > orders": 2.0,
        "cart > old-stock": 0.5,
        "checkout > api.stripe.com": 0.5,
        "checkout > cart": 3.0,
        "mailer > checkout": 1.0,
    } == edges(found)
    assert {
        "api.stripe.com": ("resource", "external"),
        "cart": ("component", "service"),
        "checkout": ("component", "service"),
        "mailer": ("component", "service"),
        "old-stock": ("component", "service"),
        "orders": ("resource", "database"),
    } == {seen.thing.name: (seen.thing.kind.value, seen.type) for seen in found.sightings}
    assert ("left out: rows that name no caller or no callee (1)",) == found.warnings


async def test_last_seen_is_when_something_flowed(client: Client) -> None:
    """A counter that is still exposed but stands still was last seen when it last rose."""
    found = await discovered(client, "service_graph", window_hours=2)
    seen = {
        f"{link.upper.name} > {link.lower.name}": link.evidence.last_seen for link in found.links
    }
    ages = {
        edge: (datetime.now(UTC) - moment) / timedelta(minutes=1)
        for edge, moment in seen.items()
        if moment is not None
    }

    assert set(seen) == set(ages)
    assert 20 <= ages["cart > old-stock"] <= STOPPED + 1
    assert ages["checkout > cart"] < 11


async def test_an_istio_mesh(client: Client) -> None:
    """Both reporters of a call are one call; services outside are named, mesh pseudonyms not."""
    found = await discovered(client, "istio", window_hours=1)

    assert {"cart > orders-db": 0.1, "web > api.stripe.com": 1.0, "web > cart": 4.0} == edges(found)
    units = {link.lower.name: link.evidence.unit for link in found.links}
    assert {"orders-db": "connections", "api.stripe.com": "requests", "cart": "requests"} == units


async def test_a_linkerd_mesh(client: Client) -> None:
    """Outbound calls between workloads of any kind, with the labels of their alerts."""
    found = await discovered(client, "linkerd", window_hours=1)

    assert {"face > colors": 1.0, "face > smiley": 2.0} == edges(found)
    colors = next(seen for seen in found.sightings if seen.thing.name == "colors")
    assert 'namespace="data",statefulset="colors"' == ",".join(map(str, colors.matches[0]))


async def test_ownership_in_a_cluster(client: Client) -> None:
    """Pods lead to workloads, workloads to nodes, services and the application they are part of."""
    found = await discovered(client, "kubernetes")

    assert {"cart > n1": None, "cart > n2": None} == edges(found)
    seen = {sighting.thing.name: sighting for sighting in found.sightings}
    assert {"cart", "orders-db", "agent", "n1", "n2", "web-shop"} == set(seen)
    assert "n2" == getattr(seen["orders-db"].runs_on, "name", None)
    assert "web-shop" == getattr(seen["cart"].part_of, "name", None)
    assert [
        'namespace="shop",deployment="cart"',
        'namespace="shop",workload="cart"',
        'namespace="shop",pod=~"cart-[a-z0-9]+-[a-z0-9]{5}"',
        'namespace="shop",service="cart"',
    ] == [",".join(map(str, matchers)) for matchers in seen["cart"].matches]
    assert ("left out: pods of jobs, or of controllers of another kind (1)",) == found.warnings
