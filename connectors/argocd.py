"""Argo CD's notifications, by the webhook template on the connector's page, as changes of others.

Argo CD posts what a template says, so the template is ours: `toJson` of the application's name,
project, destination and of its last operation.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from agent.connector import Options, parse
from agent.model.reported import ARGOCD_APP, ChangeReport, Progress, names_of_repository

_PROGRESS = {
    "Running": Progress.STARTED,
    "Terminating": Progress.STARTED,
    "Succeeded": Progress.SUCCEEDED,
    "Failed": Progress.FAILED,
    "Error": Progress.FAILED,
}
SHORT_SHA = 7
SHA = 40


class _Notification(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    app: str
    project: str | None = None
    phase: str
    revision: str | None = None
    started_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    repository: str | None = None
    namespace: str | None = None
    cluster: str | None = None
    actor: str | None = None
    url: str | None = None


_SHAPE = TypeAdapter(_Notification)


class ArgocdOptions(Options):
    """There is nothing to set."""


@dataclass(frozen=True, slots=True)
class Argocd:
    """Reads what the template sends."""

    options: ArgocdOptions
    options_model: ClassVar[type[Options]] = ArgocdOptions

    def parse_changes(self, payload: bytes, received_at: datetime) -> list[ChangeReport]:
        """The sync that a notification is about: an application has one at a time."""
        said = parse(_SHAPE, payload)
        revision = said.revision or ""
        version = revision[:SHORT_SHA] if len(revision) == SHA else revision
        places = {"service": said.app, "namespace": said.namespace, "cluster": said.cluster}
        return [
            ChangeReport(
                key=f"{said.project or ''}/{said.app}/{said.started_at.isoformat()}",
                at=said.finished_at or said.started_at,
                summary=f"Sync of {said.app}",
                progress=_PROGRESS.get(said.phase, Progress.UNKNOWN),
                environment=said.namespace or "",
                version=version,
                actor=said.actor or "",
                url=said.url or "",
                names={ARGOCD_APP: said.app, **names_of_repository(said.repository or "")},
                labels={name: value for name, value in places.items() if value},
            )
        ]
