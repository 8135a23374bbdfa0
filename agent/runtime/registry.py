"""Finds connectors by the manifests beside them, and makes them from an operator's options.

Nothing else of the agent knows a connector by its name. Not here: what they are made for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from agent.config.yaml_lines import parse_documents, read_documents
from agent.connector import (
    Catalogue,
    ChangeSource,
    Configured,
    MetricsSource,
    PushSource,
    Ticketing,
    Topology,
    json_path,
)
from agent.errors import ConfigError, Finding
from agent.manifest import Face, Kind, Manifest

PACKAGE = "connectors"
FILE = "file"
"""The option that names a YAML file with more options; those in place win over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a connector's options."""

    where: str
    """JSON path within the options."""
    message: str


@dataclass(frozen=True)
class Registry:
    """All connectors that are installed."""

    manifests: Mapping[str, Manifest]

    @classmethod
    def find(cls) -> "Registry":
        """Read every manifest; a broken one is a mistake of ours, not the operator's."""
        found: dict[str, Manifest] = {}
        for file in sorted(files(PACKAGE).iterdir(), key=lambda each: each.name):
            if file.name.endswith(".yaml"):
                (document,) = parse_documents(file.read_bytes(), file.name)
                manifest = Manifest.model_validate(document.value)
                found[file.name.removesuffix(".yaml")] = manifest
        return cls(manifests=found)

    @cached_property
    def faces(self) -> Mapping[str, tuple[str, Face]]:
        """Module and face by the name that config.yaml uses."""
        return {
            face.name: (f"{PACKAGE}.{module}", face)
            for module, manifest in self.manifests.items()
            for face in manifest.faces
        }

    def names(self, kind: Kind) -> list[str]:
        """What config.yaml may call connectors of that kind."""
        return [name for name, (_, face) in self.faces.items() if face.kind is kind]

    def manifest_of(self, name: str) -> Manifest:
        """The manifest that a face belongs to."""
        module, _ = self.faces[name]
        return self.manifests[module.removeprefix(f"{PACKAGE}.")]

    def kind_of(self, name: str) -> Kind | None:
        """What a connector of that name does; None where there is none."""
        return self.faces[name][1].kind if name in self.faces else None

    def problems(
        self, kind: Kind, name: str, options: Mapping[str, object], folder: Path
    ) -> tuple[Problem, ...]:
        """Everything that keeps such a connector from being made; empty when nothing does."""
        if name not in self.names(kind):
            known = ", ".join(self.names(kind))
            return (Problem(where="$", message=f'no {kind} is called "{name}"; known: {known}'),)
        try:
            self._class(name).options_model.model_validate(_whole(options, folder))
        except ValidationError as error:
            return tuple(
                Problem(where=json_path(each["loc"]), message=each["msg"])
                for each in error.errors(include_url=False, include_input=False)
            )
        except ConfigError as error:
            return (Problem(where=f"$.{FILE}", message=str(error)),)
        return ()

    def source(self, name: str, options: Mapping[str, object], folder: Path) -> PushSource:
        """A push source. Here and below: `problems` must have been empty."""
        return cast(PushSource, self._make(name, options, folder))

    def changes(self, name: str, options: Mapping[str, object], folder: Path) -> ChangeSource:
        """A source of changes that others made."""
        return cast(ChangeSource, self._make(name, options, folder))

    def ticketing(self, name: str, options: Mapping[str, object], folder: Path) -> Ticketing:
        """A ticketing tool."""
        return cast(Ticketing, self._make(name, options, folder))

    def metrics(self, name: str, options: Mapping[str, object], folder: Path) -> MetricsSource:
        """A metrics source."""
        return cast(MetricsSource, self._make(name, options, folder))

    def topology(self, name: str, options: Mapping[str, object], folder: Path) -> Topology:
        """Metrics that tell what rests on what."""
        return cast(Topology, self._make(name, options, folder))

    def catalogue(self, name: str, options: Mapping[str, object], folder: Path) -> Catalogue:
        """A tool that keeps entities."""
        return cast(Catalogue, self._make(name, options, folder))

    def secret_headers(self, name: str, secret: str) -> Mapping[str, str]:
        """The header that shows a connector's secret to its tool."""
        wanted = self.manifest_of(name).secret
        return {wanted.header: f"{wanted.prefix}{secret}"} if wanted else {}

    def _make(self, name: str, options: Mapping[str, object], folder: Path) -> Configured:
        made = self._class(name)
        return made(made.options_model.model_validate(_whole(options, folder)))

    def _class(self, name: str) -> type[Configured]:
        module, face = self.faces[name]
        return cast(type[Configured], getattr(import_module(module), face.class_name))


def _whole(options: Mapping[str, object], folder: Path) -> dict[str, Any]:
    """The options together with those of the file that they name, relative to the folder."""
    if FILE not in options:
        return dict(options)
    path = folder / str(options[FILE])
    documents = read_documents(path, str(path))
    content = documents[0].value if len(documents) == 1 else None
    if not isinstance(content, dict):
        raise ConfigError([Finding(file=str(path), line=1, column=1, message="must be a mapping")])
    return content | {name: value for name, value in options.items() if name != FILE}
