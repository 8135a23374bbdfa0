"""GitLab's deployment and pipeline events, as changes of others.

A pipeline counts when one of its jobs deploys to an environment: every other one changes nothing
that runs. Shapes: docs.gitlab.com, "Webhook events".
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, TypeAdapter

from agent.connector import Options, parse
from agent.model.reported import GITLAB_PROJECT, ChangeReport, Progress

_PROGRESS = {
    "running": Progress.STARTED,
    "success": Progress.SUCCEEDED,
    "failed": Progress.FAILED,
    "canceled": Progress.FAILED,
}
"""Of what has not begun, or waits for a person, there is nothing to say yet."""


def _moment(value: object) -> object:
    """`2021-04-28 21:50:00 +0200` and `2016-08-12 15:23:28 UTC`; others are pydantic's."""
    if not isinstance(value, str):
        return value
    for form in ("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S UTC"):
        try:
            at = datetime.strptime(value, form)  # noqa: DTZ007 - the text says the zone
        except ValueError:
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _User(_Wire):
    username: str = ""


class _Project(_Wire):
    name: str
    path_with_namespace: str
    web_url: str = ""


class _Environment(_Wire):
    name: str
    action: str | None = None


class _Job(_Wire):
    environment: _Environment | None = None


class _Pipeline(_Wire):
    id: int
    ref: str
    sha: str
    status: str
    created_at: Moment | None = None
    finished_at: Moment | None = None
    url: str = ""


class _DeploymentEvent(_Wire):
    object_kind: Literal["deployment"]
    status: str
    status_changed_at: Moment | None = None
    deployment_id: int
    deployable_url: str | None = None
    environment: str
    project: _Project
    short_sha: str = ""
    ref: str = ""
    user: _User | None = None
    commit_title: str = ""


class _PipelineEvent(_Wire):
    object_kind: Literal["pipeline"]
    object_attributes: _Pipeline
    project: _Project
    user: _User | None = None
    builds: tuple[_Job, ...] = ()


class _Other(_Wire):
    object_kind: str


_DEPLOYMENT, _PIPELINE = TypeAdapter(_DeploymentEvent), TypeAdapter(_PipelineEvent)
_OTHER = TypeAdapter(_Other)


class GitlabOptions(Options):
    """There is nothing to set."""


@dataclass(frozen=True, slots=True)
class Gitlab:
    """Reads events of a webhook of a project or a group."""

    options: GitlabOptions
    options_model: ClassVar[type[Options]] = GitlabOptions

    def parse_changes(self, payload: bytes, received_at: datetime) -> list[ChangeReport]:
        """The deployment that an event is about."""
        kind = parse(_OTHER, payload).object_kind
        if kind == "deployment":
            return _deployment(parse(_DEPLOYMENT, payload), received_at)
        if kind == "pipeline":
            return _pipeline(parse(_PIPELINE, payload), received_at)
        return []


def _deployment(said: _DeploymentEvent, received_at: datetime) -> list[ChangeReport]:
    progress = _PROGRESS.get(said.status)
    if progress is None:
        return []
    version = "@".join(part for part in (said.ref, said.short_sha) if part)
    return [
        ChangeReport(
            key=f"deployment/{said.deployment_id}",
            at=said.status_changed_at or received_at,
            summary=said.commit_title or f"Deployment of {said.project.name}",
            progress=progress,
            environment=said.environment,
            version=version,
            actor=said.user.username if said.user else "",
            url=said.deployable_url or said.project.web_url,
            names={GITLAB_PROJECT: said.project.path_with_namespace},
            labels={"service": said.project.name, "environment": said.environment},
        )
    ]


def _pipeline(said: _PipelineEvent, received_at: datetime) -> list[ChangeReport]:
    made = said.object_attributes
    progress = _PROGRESS.get(made.status)
    environments = dict.fromkeys(
        job.environment.name
        for job in said.builds
        if job.environment is not None and job.environment.action in (None, "start")
    )
    if progress is None or not environments:
        return []
    environment = ", ".join(environments)
    return [
        ChangeReport(
            key=f"pipeline/{made.id}",
            at=(made.finished_at if progress.is_over else made.created_at) or received_at,
            summary=f"Pipeline {made.id} of {said.project.name}",
            progress=progress,
            environment=environment,
            version=f"{made.ref}@{made.sha[:8]}",
            actor=said.user.username if said.user else "",
            url=made.url or said.project.web_url,
            names={GITLAB_PROJECT: said.project.path_with_namespace},
            labels={"service": said.project.name, "environment": environment},
        )
    ]
