"""One entity of a discovered file: what it says, as YAML and read back.

Texts are data: whatever they hold, they come back as they are. Not here: what is proposed, and why.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from agent.config.annotations import ALTERNATIVES_MAX
from agent.config.references import entity_ref
from agent.config.schema_map import BACKSTAGE_KINDS, BACKSTAGE_VERSIONS, Descriptor
from agent.model.labels import Matcher
from agent.model.service import EntityKind, EntityRef

DISCOVERED_BY = "watchkeeper.io/discovered-by"
GONE = "watchkeeper.io/gone"
MATCH = "watchkeeper.io/match"
RUNS_ON = "watchkeeper.io/runs-on"
ITSELF = "entity"
"""What a line of `GONE` begins with that is about the entity, not about one of its edges."""
TEXT_CHARACTERS_MAX = 500
_KINDS = {kind.lower(): kind for kind in BACKSTAGE_KINDS}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?::[a-z0-9_./-]+)?")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a discovered file says of one entity."""

    ref: EntityRef
    title: str = ""
    description: str = ""
    type: str = ""
    lifecycle: str = ""
    matches: tuple[str, ...] = ()
    """Alternatives, each as it is written."""
    owner: EntityRef | None = None
    part_of: EntityRef | None = None
    runs_on: EntityRef | None = None
    depends_on: tuple[EntityRef, ...] = ()
    dependency_of: tuple[EntityRef, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Others of ours."""
    gone: Mapping[str, date] = field(default_factory=dict)
    """Since when the entity (`ITSELF`) or an edge (the other end) was not seen any more."""

    @property
    def kind(self) -> EntityKind:
        """What it is."""
        return EntityKind(self.ref.partition(":")[0])


def match_lines(alternatives: Iterable[tuple[Matcher, ...]]) -> tuple[str, ...]:
    """Matchers as an annotation holds them; what would not fit on one line is left out."""
    lines = [
        ",".join(map(str, matchers))
        for matchers in alternatives
        # One that only asks for absent labels would take in everything.
        if any(matcher.value for matcher in matchers)
    ]
    fitting = [line for line in lines if line.splitlines() == [line] and line.isprintable()]
    return tuple(dict.fromkeys(fitting))[:ALTERNATIVES_MAX]


def text_of(text: str) -> str:
    """A text for people: printable, on one line, not endless."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[
        :TEXT_CHARACTERS_MAX
    ]


def written(entities: Iterable[Described], source: str) -> str:
    """The file that says all this."""
    head = (
        f"# What {source} knows of the map. Written by `watchkeeper map discover {source}`, which\n"
        "# writes it anew; describe an entity in a file of your own to take it over.\n"
    )
    return head + as_yaml(entities, source)


def as_yaml(entities: Iterable[Described], source: str = "") -> str:
    """The descriptors alone; without a source they are as a person would write them."""
    documents = [_document(entity, source) for entity in entities]
    if not documents:
        return ""
    body: str = yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=1_000_000,
        explicit_start=False,
    )
    return body


def read(descriptor: Descriptor) -> Described:
    """What a descriptor of such a file says. Its references were checked by the loader."""
    metadata, spec = descriptor.metadata, descriptor.spec
    kind = descriptor.kind.lower()
    annotations = dict(metadata.annotations)
    annotations.pop(DISCOVERED_BY, None)
    wholes = (
        (spec.subcomponent_of, EntityKind.COMPONENT),
        (spec.system, EntityKind.SYSTEM),
        (spec.domain, EntityKind.DOMAIN),
        (spec.subdomain_of, EntityKind.DOMAIN),
    )
    runs_on = annotations.pop(RUNS_ON, None)
    return Described(
        ref=f"{kind}:{metadata.namespace.lower()}/{metadata.name.lower()}",
        title=metadata.title,
        description=metadata.description,
        type=spec.type,
        lifecycle=spec.lifecycle,
        matches=tuple(annotations.pop(MATCH, "").splitlines()),
        owner=entity_ref(spec.owner, kind=EntityKind.GROUP) if spec.owner else None,
        part_of=next((entity_ref(text, kind=kind_) for text, kind_ in wholes if text), None),
        runs_on=entity_ref(runs_on, kind=EntityKind.RESOURCE) if runs_on else None,
        depends_on=tuple(sorted(map(entity_ref, spec.depends_on))),
        dependency_of=tuple(sorted(map(entity_ref, spec.dependency_of))),
        gone=_gone(annotations.pop(GONE, "")),
        annotations=dict(sorted(annotations.items())),
    )


def _gone(text: str) -> dict[str, date]:
    found = {}
    for line in text.splitlines():
        what, _, day = line.strip().rpartition(" ")
        found[what] = date.fromisoformat(day)
    return found


def _document(entity: Described, source: str) -> dict[str, Any]:
    kind, _, path = entity.ref.partition(":")
    namespace, _, name = path.partition("/")
    annotations = {**({DISCOVERED_BY: source} if source else {}), **entity.annotations}
    if entity.matches:
        annotations[MATCH] = "\n".join(entity.matches)
    if entity.runs_on:
        annotations[RUNS_ON] = entity.runs_on
    if entity.gone:
        annotations[GONE] = "\n".join(f"{what} {day}" for what, day in sorted(entity.gone.items()))
    metadata = {
        "name": name,
        "namespace": namespace if namespace != "default" else "",
        "title": entity.title,
        "description": entity.description,
        "annotations": annotations,
    }
    spec = {
        "type": entity.type,
        "lifecycle": entity.lifecycle,
        "owner": entity.owner,
        **_part_of(entity),
        "dependsOn": list(entity.depends_on),
        "dependencyOf": list(entity.dependency_of),
    }
    return {
        "apiVersion": BACKSTAGE_VERSIONS[0],
        "kind": _KINDS[kind],
        "metadata": {key: value for key, value in metadata.items() if value},
        "spec": {key: value for key, value in spec.items() if value},
    }


def _part_of(entity: Described) -> dict[str, str]:
    if entity.part_of is None:
        return {}
    whole = entity.part_of.partition(":")[0]
    if whole == EntityKind.COMPONENT:
        return {"subcomponentOf": entity.part_of}
    if whole == EntityKind.SYSTEM:
        return {"system": entity.part_of}
    key = "subdomainOf" if entity.kind is EntityKind.DOMAIN else "domain"
    return {key: entity.part_of}


class _Dumper(yaml.SafeDumper):
    """Writes a text plainly only where no reader could take it for anything else."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        style = "|"
    elif _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        style = ""
    else:
        style = "'" if '"' in text and "'" not in text and text.isascii() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style or None)


_Dumper.add_representer(str, _represent)
