"""Which fault each alert of a stream belongs to, and streams drawn anew from that.

Only the scorer and the draws know the truth; what is handed to the agent is a `Stream`.
"""

import itertools
import json
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.correlation.stream import Edge, Line, Stream, read_stream


@dataclass(frozen=True, slots=True)
class Fault:
    """One injected fault."""

    entity: str
    type: str
    start: float
    end: float
    site: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stream with the fault of every alert."""

    stream: Stream
    faults: dict[str, Fault]
    owner: dict[str, str]
    """Alert to fault."""


def read_truth(folder: Path) -> Drawn:
    """A recorded stream as it is."""
    told = json.loads((folder / "truth.json").read_text())
    faults = {
        name: Fault(
            str(fault["entity"]),
            str(fault["type"]),
            float(fault["start"]),
            float(fault["end"]),
            str(fault.get("site", "")),
        )
        for name, fault in told["faults"].items()
    }
    return Drawn(read_stream(folder), faults, dict(told["alerts"]))


def firing_again(drawn: Drawn, share: float, seed: int) -> Drawn:
    """That share of the alerts fires once more, at random within the alerts of its fault."""
    chance = random.Random(seed)
    spans = _spans(drawn)
    lines, owner = list(drawn.stream.lines), dict(drawn.owner)
    for line in drawn.stream.lines:
        if chance.random() < share:
            fault = drawn.owner[line.id]
            again = replace(line, id=f"{line.id}+", time=chance.uniform(*spans[fault]))
            lines.append(again)
            owner[again.id] = fault
    return _made(drawn, lines, owner)


def losing(drawn: Drawn, share: float, seed: int) -> Drawn:
    """That share of the alerts never comes; a fault without any alert left is none."""
    chance = random.Random(seed)
    lines = [line for line in drawn.stream.lines if chance.random() >= share]
    return _made(drawn, lines, drawn.owner)


def holding_back(drawn: Drawn, seconds: float) -> Drawn:
    """A series that fired is not told again for that long."""
    last: dict[tuple[str, ...], float] = {}
    lines: list[Line] = []
    for line in drawn.stream.lines:
        detail = "" if line.source == "log" else line.detail
        series = (line.source, line.entity, line.peer or "", line.name, detail)
        if line.time - last.get(series, float("-inf")) >= seconds:
            last[series] = line.time
            lines.append(line)
    return _made(drawn, lines, drawn.owner)


def joined(drawn: Drawn, seed: int) -> Drawn:
    """A call leads from one system to another, so that the map is one."""
    chance = random.Random(seed)
    sites: dict[str, list[str]] = defaultdict(list)
    for node in drawn.stream.nodes:
        if "service" in node.type.lower() and "instance" not in node.type.lower():
            sites[node.site].append(node.id)
    names = sorted(sites)
    calls = [
        Edge(chance.choice(sites[one]), chance.choice(sites[other]), "control_flow")
        for one, other in itertools.pairwise(names)
    ]
    stream = replace(
        drawn.stream,
        nodes=tuple(replace(node, site="one") for node in drawn.stream.nodes),
        edges=(*drawn.stream.edges, *calls),
        lines=tuple(replace(line, site="one") for line in drawn.stream.lines),
    )
    return replace(drawn, stream=stream)


def shuffled(drawn: Drawn, seed: int) -> Drawn:
    """The faults of each system in another order, at the moments when some fault began."""
    chance = random.Random(seed)
    starts: dict[str, float] = {}
    for names in _by_site(drawn).values():
        order = list(names)
        chance.shuffle(order)
        at = drawn.faults[names[0]].start
        gaps = [
            drawn.faults[later].start - drawn.faults[earlier].end
            for earlier, later in itertools.pairwise(names)
        ]
        for name, gap in zip(order, [*gaps, 0.0], strict=True):
            starts[name] = at
            at += _length(drawn, name) + max(gap, 0.0)
    return _moved(drawn, starts)


def spaced(drawn: Drawn, shortest: float, longest: float, seed: int) -> Drawn:
    """The next fault of a system begins after so many lengths of the one before it."""
    chance = random.Random(seed)
    starts: dict[str, float] = {}
    begin = min(fault.start for fault in drawn.faults.values())
    for names in _by_site(drawn).values():
        order = list(names)
        chance.shuffle(order)
        at = begin + chance.uniform(0.0, 300.0)
        for name in order:
            starts[name] = at
            at += _length(drawn, name) * chance.uniform(shortest, longest)
    return _moved(drawn, starts)


def _length(drawn: Drawn, name: str) -> float:
    return drawn.faults[name].end - drawn.faults[name].start


def _by_site(drawn: Drawn) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(drawn.faults, key=lambda name: (drawn.faults[name].start, name)):
        found[drawn.faults[name].site].append(name)
    return dict(sorted(found.items()))


def _spans(drawn: Drawn) -> dict[str, tuple[float, float]]:
    times: dict[str, list[float]] = defaultdict(list)
    for line in drawn.stream.lines:
        times[drawn.owner[line.id]].append(line.time)
    return {fault: (min(seen), max(seen)) for fault, seen in times.items()}


def _moved(drawn: Drawn, starts: dict[str, float]) -> Drawn:
    lines = [
        replace(line, time=line.time + starts[fault] - drawn.faults[fault].start)
        for line in drawn.stream.lines
        for fault in (drawn.owner[line.id],)
    ]
    faults = {
        name: replace(fault, start=starts[name], end=starts[name] + fault.end - fault.start)
        for name, fault in drawn.faults.items()
    }
    return _made(replace(drawn, faults=faults), lines, drawn.owner)


def _made(drawn: Drawn, lines: list[Line], owner: dict[str, str]) -> Drawn:
    lines.sort(key=lambda line: (line.time, line.id))
    kept = {line.id: owner[line.id] for line in lines}
    told = set(kept.values())
    return Drawn(
        replace(drawn.stream, lines=tuple(lines)),
        {name: fault for name, fault in drawn.faults.items() if name in told},
        kept,
    )
