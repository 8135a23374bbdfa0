"""The service map and the alerts that a user would have made of a stream.

Knows the words of such topologies (`instance_of`, `hosted_on`), and no name of any system.
"""

from datetime import UTC, datetime, timedelta

from agent.model.alert import Alert
from agent.model.labels import Matcher, MatchOperator, fingerprint
from agent.model.rule import Config
from agent.model.service import Entity, EntityKind, EntityRef, ServiceMap
from tests.bench.correlation.stream import Line, Stream

HOLD = timedelta(minutes=2)
"""How long the sources say that an event of theirs holds: no end is ever sent."""
INVERSE = {"hosts": "hosted_on", "has_instance": "instance_of", "discovers": "registers_with"}
"""Relations that are told from the other side."""


class World:
    """A topology as a service map, with the way from an entity back to the name it had."""

    def __init__(self, stream: Stream) -> None:
        self.named: dict[EntityRef, str] = {}
        kinds = {node.id: _kind(node.type) for node in stream.nodes}
        refs: dict[str, EntityRef] = {}
        for node in stream.nodes:
            ref = _ref(kinds[node.id], node.id)
            while ref in self.named:
                ref += "-"
            self.named[ref], refs[node.id] = node.id, ref
        self.config = Config(digest="benchmark", service_map=_map(stream, refs, kinds))

    def name(self, ref: EntityRef) -> str:
        """What the stream calls an entity."""
        return self.named.get(ref, ref)


def alert_of(line: Line) -> Alert:
    """The alert that a connector would have made of one line of the stream."""
    is_log, is_call = line.source == "log", line.source == "trace"
    words = (line.source, line.name, "" if is_log else line.detail)
    labels = {
        "alertname": " ".join(word for word in words if word),
        "entity": line.entity,
        "source": line.source,
    }
    if line.peer and is_call:
        labels["caller"] = line.peer
    starts_at = datetime.fromtimestamp(line.time, tz=UTC)
    return Alert(
        fingerprint=fingerprint(labels),
        labels=labels,
        annotations={"description": line.detail} if is_log else {},
        starts_at=starts_at,
        expires_at=starts_at + HOLD,
    )


def _map(stream: Stream, refs: dict[str, EntityRef], kinds: dict[str, EntityKind]) -> ServiceMap:
    whole: dict[str, str] = {}
    hosts: dict[str, str] = {}
    below: dict[str, dict[str, None]] = {node.id: {} for node in stream.nodes}
    for edge in stream.edges:
        label, source, target = edge.label, edge.source, edge.target
        if label in INVERSE:
            label, source, target = INVERSE[label], target, source
        if source not in refs or target not in refs:
            continue
        if label == "instance_of":
            whole.setdefault(source, target)
        elif label == "hosted_on" and source not in hosts:
            hosts[source] = target
        else:
            below[source][target] = None
    entities = [
        Entity(
            ref=refs[node.id],
            kind=kinds[node.id],
            name=refs[node.id].partition("/")[2],
            type=node.type.lower().replace("_", "-"),
            depends_on=tuple(refs[target] for target in below[node.id]),
            part_of=refs[whole[node.id]] if node.id in whole else None,
            runs_on=refs[hosts[node.id]] if node.id in hosts else None,
            matches=((Matcher(name="entity", operator=MatchOperator.EQUAL, value=node.id),),),
        )
        for node in stream.nodes
    ]
    return ServiceMap.of({entity.ref: entity for entity in entities})


def _kind(type: str) -> EntityKind:
    return EntityKind.RESOURCE if type.lower() == "host" else EntityKind.COMPONENT


def _ref(kind: EntityKind, identifier: str) -> EntityRef:
    slug = "".join(letter if letter.isalnum() else "-" for letter in identifier.lower())
    return f"{kind.value}:default/{slug}"
