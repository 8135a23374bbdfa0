"""Asks the monitoring what it knows of the map, and puts a file of it in place when told to.

One file a source, `discovered-SOURCE.yaml`; no other file is ever touched, and nothing is written
that the loader would refuse. Not here: what is proposed (`config.discovered`).
"""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from agent.config.check import examine
from agent.config.discovered.described import DISCOVERED_BY, Described, read, written
from agent.config.discovered.difference import DiffLine
from agent.config.discovered.names import name_of
from agent.config.discovered.proposal import InForce, Proposal, propose
from agent.config.documents import FILES_MAX, Rules, read_rules, shown, take, yaml_files
from agent.config.schema_map import BACKSTAGE_VERSIONS
from agent.config.schema_settings import Settings
from agent.config.service_map import draw
from agent.config.yaml_lines import read_documents
from agent.connector import Catalogue, MetricsSource
from agent.core.place import Places
from agent.errors import ConfigError, PermanentError
from agent.manifest import Kind
from agent.model.discovery import Discovery
from agent.model.service import ServiceMap
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.clock import Clock
from agent.runtime.endpoints import endpoint_of, prometheus_endpoint
from agent.runtime.registry import Registry

__all__ = ["DiffLine", "Discoverer", "Proposal", "digest_of", "open_discoverer", "source_of"]

FOLDER = "maps"
FILES = "backstage"
"""The face that reads files of catalogues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discoverer:
    """Everything that can be asked."""

    settings: Settings
    connectors: Registry
    clock: Clock
    metrics: tuple[MetricsSource, Client] | None
    catalogues: Mapping[str, tuple[Catalogue, Client]]

    @property
    def sources(self) -> tuple[str, ...]:
        """What may be asked for by name."""
        topologies = self.connectors.names(Kind.TOPOLOGY) if self.metrics else []
        return (*topologies, *sorted(self.catalogues))

    async def propose(
        self, source: str, *, hours: int | None = None, folder: Path | None = None
    ) -> Proposal:
        """What this source knows, against the map of the files as they are now.

        Raises what the client raises, and PermanentError for a source that nobody knows.
        """
        discovery = await self._discover(source, hours)
        return await asyncio.to_thread(self._propose, discovery, source, folder)

    def propose_files(self, path: Path, *, folder: Path | None = None) -> Proposal:
        """What catalogue files know: one, or all below a folder."""
        source = source_of(path)
        discovery = self.connectors.catalogue(FILES, {}, Path()).read(_entities(path))
        return self._propose(discovery, source, folder)

    def write(self, proposal: Proposal, folder: Path | None = None) -> Path:
        """Put the source's own file in place, whole or not at all; answers with its path.

        Raises ConfigError where the rules with it would be refused, PermanentError where the file
        is somebody else's or cannot be written.
        """
        path = self._path(proposal.source, folder)
        content = file_of(proposal)
        rules = self.settings.rules or path.parent
        settings = self.settings.model_copy(update={"rules": rules})
        if path.exists():
            _earlier(path)
        try:
            path.parent.mkdir(exist_ok=True)
            if findings := examine(settings, {path: content}).findings:
                raise ConfigError(findings)
            _put(path, content)
        except OSError as error:
            raise PermanentError(f"{path} cannot be written: {error.strerror or error}") from error
        return path

    async def _discover(self, source: str, hours: int | None) -> Discovery:
        if source in self.catalogues:
            catalogue, client = self.catalogues[source]
            return await client.drive(catalogue.discover())
        if source not in self.connectors.names(Kind.TOPOLOGY):
            known = ", ".join(self.sources) or "none; set `prometheus` or `connectors`"
            raise PermanentError(f"no source of the map is called {source!r}; known: {known}")
        if self.metrics is None:
            raise PermanentError(f"{source} is read from metrics: set `prometheus` in config.yaml")
        options = {} if hours is None else {"window_hours": hours}
        if problems := self.connectors.problems(Kind.TOPOLOGY, source, options, Path()):
            raise PermanentError(f"{source}: {problems[0].where}: {problems[0].message}")
        metrics, client = self.metrics
        topology = self.connectors.topology(source, options, Path())
        return await client.drive(topology.discover(metrics))

    def _propose(self, discovery: Discovery, source: str, folder: Path | None) -> Proposal:
        path = self._path(source, folder)
        return propose(
            discovery, self._in_force(path), source=source, today=self.clock.now().date()
        )

    def _in_force(self, own: Path) -> InForce:
        earlier = _earlier(own) if own.exists() else {}
        if self.settings.rules is None:
            empty = ServiceMap.of({})
            return InForce(
                service_map=empty, written_at={}, earlier=earlier, place=Places(empty).find
            )
        descriptors = read_rules(self.settings.rules).descriptors
        files = {document.file for _, document in descriptors}
        ours = {file for file in files if Path(file).resolve() == own.resolve()}
        others = draw([pair for pair in descriptors if pair[1].file not in ours])
        places = {
            ref: f"{document.file}:{document.line + 1}"
            for ref, document in others.documents.items()
        }
        return InForce(
            service_map=draw(descriptors).service_map(),
            written_at=places,
            earlier=earlier,
            # Not by our own file: what a thing is taken for must not hang on what we wrote before.
            place=Places(ServiceMap.of(others.entities)).find,
        )

    def _path(self, source: str, folder: Path | None) -> Path:
        if folder is None:
            if self.settings.rules is None:
                return Path(f"discovered-{source}.yaml")
            folder = self.settings.rules / FOLDER
        return folder / f"discovered-{source}.yaml"


def discoverer(
    settings: Settings,
    connectors: Registry,
    client: Callable[[Endpoint], Client],
    clock: Clock,
) -> Discoverer:
    """All that these settings let us ask."""
    metrics = None
    if settings.prometheus is not None:
        asked = client(prometheus_endpoint(settings.prometheus))
        metrics = connectors.metrics("prometheus", {}, Path()), asked
    return Discoverer(
        settings=settings,
        connectors=connectors,
        clock=clock,
        metrics=metrics,
        catalogues={
            item.name: (
                connectors.catalogue(item.type, item.options, Path()),
                client(endpoint_of(connectors, item)),
            )
            for item in settings.connectors
            if item.type in connectors.names(Kind.CATALOGUE)
        },
    )


@asynccontextmanager
async def open_discoverer(settings: Settings, clock: Clock) -> AsyncIterator[Discoverer]:
    """A discoverer with a session of its own, for a command."""
    metrics = ClientMetrics(CollectorRegistry())
    async with open_session() as session:

        def client(endpoint: Endpoint) -> Client:
            return Client(session, endpoint, clock=clock, metrics=metrics)

        yield discoverer(settings, Registry.find(), client, clock)


def file_of(proposal: Proposal) -> bytes:
    """The file that writing the proposal puts in place."""
    return written(proposal.entities, proposal.source).encode()


def digest_of(proposal: Proposal) -> str:
    """What a person who read the proposal names when they say: write that."""
    return hashlib.sha256(file_of(proposal)).hexdigest()


def source_of(path: Path) -> str:
    """What a catalogue of files is called: by its file, or by the folder of a catalog-info.yaml."""
    whole = path.resolve()
    name = whole.parent.name if whole.stem == "catalog-info" else whole.stem
    return f"files-{name_of(name) or 'catalogue'}"


def _earlier(path: Path) -> dict[str, Described]:
    """What our own file says. Raises PermanentError where it is not our own."""
    rules = Rules()
    for document in read_documents(path, shown(path)):
        take(rules, document)
    if rules.findings:
        raise ConfigError(rules.findings)
    ours = [descriptor for descriptor, _ in rules.descriptors]
    if rules.written or any(DISCOVERED_BY not in each.metadata.annotations for each in ours):
        raise PermanentError(f"{path} holds entities that a person wrote; move them elsewhere")
    return {described.ref: described for described in map(read, ours)}


def _entities(path: Path) -> bytes:
    files = [path] if path.is_file() else list(yaml_files(path))
    if len(files) > FILES_MAX:
        raise PermanentError(f"{path} holds more than {FILES_MAX} YAML files")
    found = [
        document.value
        for file in files
        for document in read_documents(file, shown(file))
        if isinstance(document.value, dict)
        and document.value.get("apiVersion") in BACKSTAGE_VERSIONS
    ]
    return json.dumps(found).encode()


def _put(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    beside.replace(path)
