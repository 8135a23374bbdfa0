"""A recorded stream of alerts with its topology, as it lies in a folder.

Not here: the truth, which only the scorer reads (`truth`).
"""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """One recorded alert."""

    id: str
    time: float
    """Seconds since 1970."""
    entity: str
    peer: str | None
    source: str
    name: str
    detail: str
    site: str


@dataclass(frozen=True, slots=True)
class Node:
    """One thing of the topology."""

    id: str
    type: str
    site: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One relation of the topology, with the word for it."""

    source: str
    target: str
    label: str


@dataclass(frozen=True, slots=True)
class Stream:
    """Alerts in the order of their time, and what they happened to."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    lines: tuple[Line, ...]


def read_stream(folder: Path) -> Stream:
    """The stream in `topology.json` and `alerts.jsonl` of a folder."""
    topology = json.loads((folder / "topology.json").read_text())
    alerts = (folder / "alerts.jsonl").read_text().splitlines()
    return Stream(
        nodes=tuple(
            Node(str(node["id"]), str(node.get("type", "")), str(node.get("site", "")))
            for node in topology["nodes"]
        ),
        edges=tuple(
            Edge(str(edge["source"]), str(edge["target"]), str(edge.get("label", "")))
            for edge in topology["edges"]
        ),
        lines=tuple(_line(json.loads(text)) for text in alerts if text.strip()),
    )


def _line(told: dict[str, object]) -> Line:
    return Line(
        id=str(told["id"]),
        time=float(str(told["time"])),
        entity=str(told["entity"]),
        peer=str(told["peer"]) if told.get("peer") else None,
        source=str(told.get("source", "")),
        name=str(told.get("name", "")),
        detail=str(told.get("detail") or ""),
        site=str(told.get("site", "")),
    )
