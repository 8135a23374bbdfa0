"""Changes that others made: what a tool said, what we know of it, and what it is suspected of.

Our own changes are `model.change`. Nothing here is planned or run by us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from agent.model.labels import Labels
from agent.model.service import EntityRef

GITHUB_PROJECT = "github.com/project-slug"
GITLAB_PROJECT = "gitlab.com/project-slug"
ARGOCD_APP = "argocd/app-name"
ENTITY_NAME = "entity"
"""Not an annotation: the reference of an entity, said by whoever knows our map."""
NAMES = (GITHUB_PROJECT, GITLAB_PROJECT, ARGOCD_APP)
"""Backstage annotations that say what an entity is called elsewhere."""

_HOSTS = {"github.com": GITHUB_PROJECT, "gitlab.com": GITLAB_PROJECT}


class Progress(StrEnum):
    """How far a change of others has come."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected to be said of it."""
        return self in (Progress.SUCCEEDED, Progress.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """One statement of a tool about one change."""

    key: str
    """The tool's own name for the change: statements with one key are about one change."""
    at: datetime
    """When what is said of it happened."""
    summary: str
    progress: Progress
    environment: str = ""
    version: str = ""
    actor: str = ""
    url: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    """What was changed, as the annotation of that name calls it on an entity of the map."""
    labels: Labels = field(default_factory=dict)
    """What was changed, as an alert of it would say it: for the matchers of the map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedChange:
    """A change that somebody else made, with where on the map it was made."""

    id: str
    source: str
    key: str
    summary: str
    progress: Progress
    started_at: datetime
    """The earliest moment that was said of it."""
    ended_at: datetime | None
    heard_at: datetime
    entities: tuple[EntityRef, ...]
    """Empty: nothing of the map has such a name."""
    environment: str = ""
    version: str = ""
    actor: str = ""
    url: str = ""
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A change that may have led to an incident, with what speaks for it."""

    change: str
    """`CHG-7`, or `REP-7` for one of others."""
    entity: EntityRef
    """Where it was made."""
    title: str
    started_at: datetime
    score: float
    """From 0 to 1, by nearness in time and on the map."""
    distance: int = 0
    """Steps on the map below what alerts or is probably the cause."""
    evidence: tuple[str, ...] = ()
    is_match: bool | None = None
    """What a person said: it was this, or it was not; None: nobody said anything."""
    judged_by: str | None = None


def names_of_repository(url: str) -> dict[str, str]:
    """The annotation that an entity built from this repository carries; none for other hosts.

    Takes `https://github.com/o/r.git` and `git@github.com:o/r.git`.
    """
    text = url.strip().removesuffix("/").removesuffix(".git")
    _, is_url, rest = text.partition("://")
    if is_url:
        host, _, path = rest.partition("/")
        host = host.rpartition("@")[2]
    else:
        host, _, path = text.rpartition("@")[2].partition(":")
    annotation = _HOSTS.get(host.lower())
    return {annotation: path} if annotation and path else {}
