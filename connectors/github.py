"""GitHub's webhooks `deployment`, `deployment_status` and `release`, as changes of others.

Told apart by what the body holds, so that a proxy may drop the headers. Every other event, and the
ping of a new webhook, says nothing of changes.
Shapes: docs.github.com, "Webhook events and payloads".
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from agent.connector import Options, parse
from agent.model.reported import GITHUB_PROJECT, ChangeReport, Progress

_PROGRESS = {
    "success": Progress.SUCCEEDED,
    "failure": Progress.FAILED,
    "error": Progress.FAILED,
    "in_progress": Progress.STARTED,
    "pending": Progress.STARTED,
    "queued": Progress.STARTED,
    "waiting": Progress.STARTED,
}
SHORT_SHA = 7


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _User(_Wire):
    login: str


class _Repository(_Wire):
    name: str
    full_name: str
    html_url: str = ""


class _Deployment(_Wire):
    id: int
    sha: str
    ref: str
    environment: str
    description: str | None = None
    creator: _User | None = None
    created_at: AwareDatetime


class _Status(_Wire):
    state: str
    description: str | None = None
    log_url: str | None = None
    target_url: str | None = None
    created_at: AwareDatetime


class _Release(_Wire):
    id: int
    tag_name: str
    name: str | None = None
    html_url: str
    author: _User | None = None
    published_at: AwareDatetime | None = None


class _Delivery(_Wire):
    action: str = ""
    repository: _Repository | None = None
    deployment: _Deployment | None = None
    deployment_status: _Status | None = None
    release: _Release | None = None
    sender: _User | None = None


_SHAPE = TypeAdapter(_Delivery)


class GithubOptions(Options):
    """There is nothing to set."""


@dataclass(frozen=True, slots=True)
class Github:
    """Reads deliveries of a webhook of a repository or an organisation."""

    options: GithubOptions
    options_model: ClassVar[type[Options]] = GithubOptions

    def parse_changes(self, payload: bytes, received_at: datetime) -> list[ChangeReport]:
        """The deployment or the release that a delivery is about."""
        said = parse(_SHAPE, payload)
        if said.repository is None:
            return []
        if said.deployment is not None:
            return [_deployment(said, said.repository, said.deployment)]
        if said.release is not None and said.action == "published":
            return [_release(said, said.repository, said.release, received_at)]
        return []


def _deployment(said: _Delivery, repository: _Repository, made: _Deployment) -> ChangeReport:
    status = said.deployment_status
    progress = Progress.STARTED
    if status is not None:
        progress = _PROGRESS.get(status.state, Progress.UNKNOWN)
    version = made.sha[:SHORT_SHA] if made.ref == made.sha else f"{made.ref}@{made.sha[:SHORT_SHA]}"
    return ChangeReport(
        key=f"deployment/{made.id}",
        at=status.created_at if status else made.created_at,
        summary=made.description or f"Deployment of {repository.name}",
        progress=progress,
        environment=made.environment,
        version=version,
        actor=_login(made.creator or said.sender),
        url=(status and (status.log_url or status.target_url)) or repository.html_url,
        names={GITHUB_PROJECT: repository.full_name},
        labels={"service": repository.name, "environment": made.environment},
    )


def _release(
    said: _Delivery, repository: _Repository, made: _Release, received_at: datetime
) -> ChangeReport:
    return ChangeReport(
        key=f"release/{made.id}",
        at=made.published_at or received_at,
        summary=f"Release {made.name or made.tag_name} of {repository.name}",
        progress=Progress.SUCCEEDED,
        version=made.tag_name,
        actor=_login(made.author or said.sender),
        url=made.html_url,
        names={GITHUB_PROJECT: repository.full_name},
        labels={"service": repository.name},
    )


def _login(user: _User | None) -> str:
    return user.login if user else ""
