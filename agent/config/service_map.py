"""From descriptors to the service map: references made whole, annotations read, gaps found.

Not here: what the map is used for (`core`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from agent.config.annotations import read_annotations
from agent.config.circles import circles
from agent.config.references import NAME, did_you_mean, entity_ref
from agent.config.schema_map import BACKSTAGE_KINDS, Descriptor
from agent.config.yaml_lines import Document, Loc
from agent.errors import Finding
from agent.model.service import Entity, EntityKind, EntityRef, ServiceMap

CIRCLES_SHOWN_MAX = 20
CIRCLE_NAMES_MAX = 12


_KINDS = {kind: EntityKind(kind.lower()) for kind in BACKSTAGE_KINDS}


class Mention(NamedTuple):
    """A reference that a descriptor makes, and where."""

    ref: EntityRef
    document: Document
    loc: Loc


@dataclass(slots=True)
class Drawing:
    """The map as far as it could be drawn."""

    entities: dict[EntityRef, Entity] = field(default_factory=dict)
    documents: dict[EntityRef, Document] = field(default_factory=dict)
    mentions: list[Mention] = field(default_factory=list)
    added: dict[EntityRef, list[EntityRef]] = field(default_factory=dict)
    """Dependencies that another entity states: `dependencyOf`, and an API's providers."""
    findings: list[Finding] = field(default_factory=list)

    def service_map(self) -> ServiceMap:
        """The map of all entities, with what others state of them."""
        for ref, lower in self.added.items():
            entity = self.entities.get(ref)
            if entity:
                whole = dict.fromkeys((*entity.depends_on, *lower))
                self.entities[ref] = replace(entity, depends_on=tuple(sorted(whole)))
        return ServiceMap.of(dict(sorted(self.entities.items())))


def draw(descriptors: list[tuple[Descriptor, Document]]) -> Drawing:
    """Entities of all descriptors, with a finding for every mistake in or between them."""
    drawing = Drawing()
    for descriptor, document in descriptors:
        _Reader(drawing, descriptor, document).read()
    for mention in drawing.mentions:
        if mention.ref not in drawing.entities:
            drawing.findings.append(unknown_entity(mention, drawing.entities))
    _refuse_shared_host_names(drawing)
    return drawing


def unknown_entity(mention: Mention, entities: Mapping[EntityRef, Entity]) -> Finding:
    """The finding about a reference that leads nowhere."""
    hint = did_you_mean(mention.ref, entities) or "Describe it, or remove the reference."
    return mention.document.finding(
        mention.loc, f'there is no entity "{mention.ref}" on the map.', hint
    )


def circle_warnings(drawing: Drawing) -> list[Finding]:
    """A warning for each circle of dependencies: allowed, but causes are hard to tell in it."""
    found = []
    for circle in circles(drawing.service_map().dependencies)[:CIRCLES_SHOWN_MAX]:
        names = [*circle, circle[0]]
        if len(names) > CIRCLE_NAMES_MAX:
            names[CIRCLE_NAMES_MAX // 2 : -CIRCLE_NAMES_MAX // 2] = ["..."]
        document = drawing.documents[circle[0]]
        found.append(document.finding(("spec",), f"{' depends on '.join(names)}: a circle."))
    return found


class _Reader:
    """Reads one descriptor into the drawing."""

    def __init__(self, drawing: Drawing, descriptor: Descriptor, document: Document) -> None:
        self._drawing = drawing
        self._descriptor = descriptor
        self._document = document

    def read(self) -> None:
        metadata, spec = self._descriptor.metadata, self._descriptor.spec
        kind = _KINDS[self._descriptor.kind]
        for key, text in (("name", metadata.name), ("namespace", metadata.namespace)):
            if text != "default" and not NAME.fullmatch(text):
                said = f'"{text}" is no name: letters, digits and -_. only'
                return self._find(("metadata", key), f"{said}, at most 63.")
        ref = f"{kind}:{metadata.namespace.lower()}/{metadata.name.lower()}"
        if ref in self._drawing.entities:
            at = self._drawing.documents[ref].finding(("metadata", "name"), "")
            said = f'"{ref}" is described a second time; first at {at.file}:{at.line}.'
            return self._find(("metadata", "name"), said, "Rename or remove one of both.")
        consumed = self._refs("consumesApis", spec.consumes_apis, EntityKind.API)
        provided = self._refs("providesApis", spec.provides_apis, EntityKind.API)
        below = (*self._refs("dependsOn", spec.depends_on, None), *consumed)
        for upper in self._refs("dependencyOf", spec.dependency_of, None):
            self._drawing.added.setdefault(upper, []).append(ref)
        for api in provided:
            self._drawing.added.setdefault(api, []).append(ref)
        self._drawing.documents[ref] = self._document
        self._drawing.entities[ref] = Entity(
            ref=ref,
            kind=kind,
            name=metadata.name,
            title=metadata.title,
            description=metadata.description,
            type=spec.type,
            lifecycle=spec.lifecycle,
            owner=self._ref("owner", spec.owner, EntityKind.GROUP),
            depends_on=tuple(dict.fromkeys(below)),
            part_of=self._part_of(),
            provides_apis=provided,
            **self._annotations(ref),
        )
        return None

    def _annotations(self, ref: EntityRef) -> Mapping[str, Any]:
        annotations = self._descriptor.metadata.annotations
        if not annotations:
            return {}
        notes = read_annotations(self._document, annotations, name=_host_name(ref))
        self._drawing.findings += notes.findings
        for mentioned, loc in notes.mentions:
            self._drawing.mentions.append(Mention(mentioned, self._document, loc))
        return notes.values

    def _part_of(self) -> EntityRef | None:
        spec = self._descriptor.spec
        if not (spec.subcomponent_of or spec.system or spec.domain or spec.subdomain_of):
            return None
        return (
            self._ref("subcomponentOf", spec.subcomponent_of, EntityKind.COMPONENT)
            or self._ref("system", spec.system, EntityKind.SYSTEM)
            or self._ref("domain", spec.domain, EntityKind.DOMAIN)
            or self._ref("subdomainOf", spec.subdomain_of, EntityKind.DOMAIN)
        )

    def _refs(self, key: str, texts: list[str], kind: EntityKind | None) -> tuple[EntityRef, ...]:
        if not texts:
            return ()
        found = []
        for number, text in enumerate(texts):
            if ref := self._mention(("spec", key, number), text, kind):
                found.append(ref)
        return tuple(found)

    def _ref(self, key: str, text: str | None, kind: EntityKind) -> EntityRef | None:
        return None if text is None else self._mention(("spec", key), text, kind)

    def _mention(self, loc: Loc, text: str, kind: EntityKind | None) -> EntityRef | None:
        try:
            ref = entity_ref(text, kind=kind)
        except ValueError as error:
            self._find(loc, f"{error}.")
            return None
        self._drawing.mentions.append(Mention(ref, self._document, loc))
        return ref

    def _find(self, loc: Loc, message: str, hint: str = "") -> None:
        self._drawing.findings.append(self._document.finding(loc, message, hint))


def _host_name(ref: EntityRef) -> str:
    """What Ansible calls the host of an entity: its name; with the namespace if not default."""
    _, _, path = ref.partition(":")
    return path.removeprefix("default/").replace("/", "-")


def _refuse_shared_host_names(drawing: Drawing) -> None:
    first: dict[str, EntityRef] = {}
    for ref, entity in drawing.entities.items():
        if entity.host and first.setdefault(entity.host.name, ref) != ref:
            other = first[entity.host.name]
            said = f'the host name "{entity.host.name}" is that of {other} already.'
            drawing.findings.append(
                drawing.documents[ref].finding(("metadata", "name"), said, "Rename one of both.")
            )
