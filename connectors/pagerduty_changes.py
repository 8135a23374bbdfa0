"""Change events of PagerDuty's Events API v2 (`POST /v2/change/enqueue`), as changes of others.

Pipelines that tell PagerDuty can tell us in the same words. The format has no name for a change:
what says the same at the same moment is the same. Of `custom_details` we read what common senders
write there. Shape: developer.pagerduty.com, "Send change events to the PagerDuty Events API".
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from agent.connector import Options, parse
from agent.model.labels import fingerprint
from agent.model.reported import ChangeReport, Progress, names_of_repository

_STATES = {
    "passed": Progress.SUCCEEDED,
    "success": Progress.SUCCEEDED,
    "succeeded": Progress.SUCCEEDED,
    "failed": Progress.FAILED,
    "failure": Progress.FAILED,
    "started": Progress.STARTED,
    "running": Progress.STARTED,
}


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Link(_Wire):
    href: str


class _Change(_Wire):
    summary: str = Field(min_length=1)
    timestamp: datetime | None = None
    source: str | None = None
    custom_details: dict[str, JsonValue] = {}


class _Event(_Wire):
    payload: _Change
    links: tuple[_Link, ...] = ()


_SHAPE = TypeAdapter(_Event)


class PagerdutyOptions(Options):
    """There is nothing to set."""


@dataclass(frozen=True, slots=True)
class PagerdutyChanges:
    """Reads one change event. The routing key is PagerDuty's own and not looked at."""

    options: PagerdutyOptions
    options_model: ClassVar[type[Options]] = PagerdutyOptions

    def parse_changes(self, payload: bytes, received_at: datetime) -> list[ChangeReport]:
        """The change that the event tells of."""
        event = parse(_SHAPE, payload)
        said = event.payload
        at = said.timestamp or received_at
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        source, details = said.source or "", said.custom_details
        environment = _text(details, "environment")
        told = {"summary": said.summary, "source": source, "at": at.isoformat()}
        places = {"service": _text(details, "service"), "environment": environment}
        return [
            ChangeReport(
                key=fingerprint(told),
                at=at,
                summary=said.summary,
                progress=_STATES.get(_text(details, "build_state").lower(), Progress.SUCCEEDED),
                environment=environment,
                version=_text(details, "revision", "version"),
                actor=_text(details, "user", "actor"),
                url=event.links[0].href if event.links else "",
                names=names_of_repository(_text(details, "repo", "repository")),
                labels={name: value for name, value in places.items() if value},
            )
        ]


def _text(details: dict[str, JsonValue], *names: str) -> str:
    """The first of these that has a plain text."""
    found = (details.get(name) for name in names)
    return next((value for value in found if isinstance(value, str)), "")
