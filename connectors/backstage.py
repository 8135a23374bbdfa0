"""Backstage's software catalogue: its HTTP API, and files as it reads them (catalog-info.yaml).

The API gives final entities, whose `relations` hold full references in both directions; a file has
short references in `spec`, which begin at the kind that the key implies and the entity's own
namespace. Not here: reading files.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from agent.connector import Exchange, Options, Request, answer, parse
from agent.errors import PermanentError
from agent.model.discovery import Discovery, Evidence, Link, Sighting, Thing
from agent.model.service import EntityKind

PAGES_MAX = 500
KINDS = frozenset(EntityKind)
OURS = "watchkeeper.io/"
NEAREST = (EntityKind.COMPONENT, EntityKind.SYSTEM, EntityKind.DOMAIN)
"""Of several wholes the nearest counts."""
REACHES_HOSTS = ("ssh-host", "ssh-key-file", "python", "connection")
"""Annotations that would let whoever edits a catalogue say which machines we log in to."""
_REF = re.compile(r"(?:(?P<kind>[^:/]+):)?(?:(?P<namespace>[^:/]+)/)?(?P<name>[^:/]+)")


class BackstageOptions(Options):
    """Which entities are taken."""

    filter: str = Field(default="", max_length=1000)
    """Backstage's own filter, such as `kind=component,spec.lifecycle=production`."""
    page_size: int = Field(default=500, ge=1, le=2000)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Metadata(_Wire):
    name: str
    namespace: str = "default"
    title: str = ""
    description: str = ""
    annotations: dict[str, str] = {}


class _Spec(_Wire):
    type: str = ""
    lifecycle: str = ""
    owner: str | None = None
    system: str | None = None
    domain: str | None = None
    subcomponentOf: str | None = None  # noqa: N815
    subdomainOf: str | None = None  # noqa: N815
    dependsOn: list[str] = []  # noqa: N815
    dependencyOf: list[str] = []  # noqa: N815
    providesApis: list[str] = []  # noqa: N815
    consumesApis: list[str] = []  # noqa: N815


class _Relation(_Wire):
    type: str
    targetRef: str  # noqa: N815


class _Entity(_Wire):
    kind: str
    metadata: _Metadata
    spec: _Spec = _Spec()
    relations: list[_Relation] = []


class _PageInfo(_Wire):
    nextCursor: str | None = None  # noqa: N815


class _Page(_Wire):
    items: list[_Entity]
    pageInfo: _PageInfo = _PageInfo()  # noqa: N815


_PAGE = TypeAdapter(_Page)
_ENTITIES = TypeAdapter(list[_Entity])
_FIELDS = "kind,metadata,relations,spec.type,spec.lifecycle"


@dataclass(frozen=True, slots=True)
class Backstage:
    """Reads a catalogue; never writes to it."""

    options: BackstageOptions
    options_model: ClassVar[type[Options]] = BackstageOptions

    def discover(self) -> Exchange[Discovery]:
        """All entities that the filter lets through, page by page."""
        query = {"limit": str(self.options.page_size), "fields": _FIELDS}
        if self.options.filter:
            query["filter"] = self.options.filter
        found: list[_Entity] = []
        for _ in range(PAGES_MAX):
            path = "/api/catalog/entities/by-query"
            page = answer(_PAGE, (yield Request(method="GET", path=path, query=query)), "entities")
            found += page.items
            if page.pageInfo.nextCursor is None:
                return _discovery(found)
            query = {
                "limit": query["limit"],
                "fields": _FIELDS,
                "cursor": page.pageInfo.nextCursor,
            }
        raise PermanentError(f"the catalogue has more than {PAGES_MAX} pages; set a filter")

    def read(self, payload: bytes) -> Discovery:
        """The entities of a file, given as a JSON list."""
        return _discovery(parse(_ENTITIES, payload))


def _discovery(entities: list[_Entity]) -> Discovery:
    taken = [entity for entity in entities if entity.kind.lower() in KINDS]
    left = sorted({entity.kind for entity in entities if entity.kind.lower() not in KINDS})
    warnings = [f"entities of the kinds {', '.join(left)} have no place on our map"] if left else []
    sightings, links = [], []
    for entity in taken:
        reader = _Reader(entity)
        sightings.append(reader.sighting())
        links += list(reader.links())
        warnings += reader.warnings
    return Discovery(sightings=tuple(sightings), links=tuple(links), warnings=tuple(warnings))


class _Reader:
    """Reads one entity."""

    def __init__(self, entity: _Entity) -> None:
        self._entity = entity
        metadata = entity.metadata
        self._thing = Thing(EntityKind(entity.kind.lower()), metadata.namespace, metadata.name)
        self.warnings: list[str] = []

    def sighting(self) -> Sighting:
        """The entity itself."""
        metadata, spec = self._entity.metadata, self._entity.spec
        annotations = {}
        for key, text in sorted(metadata.annotations.items()):
            if key.startswith(OURS):
                if key.removeprefix(OURS) in REACHES_HOSTS:
                    said = "which machine is logged in to is not for a catalogue to say"
                    self.warnings.append(f"{metadata.name}: {key} was left out: {said}")
                else:
                    annotations[key] = text
        return Sighting(
            thing=self._thing,
            type=spec.type,
            title=metadata.title,
            description=metadata.description,
            lifecycle=spec.lifecycle,
            owner=next(self._related("ownedBy", (spec.owner,), "group"), None),
            part_of=min(self._wholes(), key=lambda whole: NEAREST.index(whole.kind), default=None),
            annotations=annotations,
        )

    def links(self) -> Iterator[Link]:
        """What it rests on, what rests on it, and the APIs that rest on it."""
        spec, evidence = self._entity.spec, Evidence(said_by="catalogue")
        for lower in self._related("dependsOn", spec.dependsOn, None):
            yield Link(upper=self._thing, lower=lower, evidence=evidence)
        for lower in self._related("consumesApi", spec.consumesApis, "api"):
            yield Link(upper=self._thing, lower=lower, evidence=evidence)
        for upper in self._related("providesApi", spec.providesApis, "api"):
            yield Link(upper=upper, lower=self._thing, evidence=evidence)
        # Of the API these are relations of the other side.
        for upper in self._related("", spec.dependencyOf, None):
            yield Link(upper=upper, lower=self._thing, evidence=evidence)

    def _wholes(self) -> Iterator[Thing]:
        spec = self._entity.spec
        for whole in self._related("partOf", (spec.subcomponentOf,), "component"):
            if whole.kind in NEAREST:
                yield whole
        yield from self._related("", (spec.system,), "system")
        yield from self._related("", (spec.domain, spec.subdomainOf), "domain")

    def _related(
        self, relation: str, short: "list[str] | tuple[str | None, ...]", kind: str | None
    ) -> Iterator[Thing]:
        relations = self._entity.relations
        texts = [each.targetRef for each in relations if each.type == relation] or (
            [] if relations else [text for text in short if text]
        )
        for text in texts:
            found = _REF.fullmatch(text)
            word = (found["kind"] or kind or "").lower() if found else ""
            if found is None or word not in KINDS:
                self.warnings.append(f"{self._entity.metadata.name}: {text[:100]!r} leads nowhere")
            else:
                namespace = found["namespace"] or self._entity.metadata.namespace
                yield Thing(EntityKind(word), namespace, found["name"])
