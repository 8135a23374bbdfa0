"""Changes of others in our own words: one JSON object, or a list of them, from any script."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from agent.connector import Options, parse
from agent.model.reported import ENTITY_NAME, ChangeReport, Progress, names_of_repository

Text = Annotated[str, Field(max_length=2000)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(min_length=1, max_length=300)]
    summary: Annotated[str, Field(min_length=1, max_length=2000)]
    at: AwareDatetime | None = None
    state: Progress = Progress.SUCCEEDED
    environment: Text = ""
    version: Text = ""
    actor: Text = ""
    url: Text = ""
    entity: Text = ""
    repository: Text = ""
    labels: dict[str, Text] = {}


_ONE, _MANY = TypeAdapter(_Said), TypeAdapter(list[_Said])


class JsonChangesOptions(Options):
    """There is nothing to set."""


@dataclass(frozen=True, slots=True)
class JsonChanges:
    """Reads changes as we would write them."""

    options: JsonChangesOptions
    options_model: ClassVar[type[Options]] = JsonChangesOptions

    def parse_changes(self, payload: bytes, received_at: datetime) -> list[ChangeReport]:
        """The changes, in their order."""
        if payload.lstrip()[:1] == b"[":
            return [_report(said, received_at) for said in parse(_MANY, payload)]
        return [_report(parse(_ONE, payload), received_at)]


def _report(said: _Said, received_at: datetime) -> ChangeReport:
    names = names_of_repository(said.repository)
    if said.entity:
        names[ENTITY_NAME] = said.entity
    return ChangeReport(
        key=said.id,
        at=said.at or received_at,
        summary=said.summary,
        progress=said.state,
        environment=said.environment,
        version=said.version,
        actor=said.actor,
        url=said.url,
        names=names,
        labels=said.labels,
    )
