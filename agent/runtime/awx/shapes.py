"""What AWX says, as far as we read it. Not here: asking it (`exchanges`)."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

OVER = frozenset({"successful", "failed", "error", "canceled"})
"""States that a job never leaves."""


class Shape(BaseModel):
    """Reads what it knows, and lets the rest be."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Template(Shape):
    """A job template."""

    id: int
    job_type: str
    inventory: int | None
    project: int | None
    playbook: str
    scm_branch: str = ""
    job_tags: str = ""
    skip_tags: str = ""
    survey_enabled: bool = False
    ask_limit_on_launch: bool = False
    ask_variables_on_launch: bool = False
    ask_job_type_on_launch: bool = False
    ask_diff_mode_on_launch: bool = False


class Project(Shape):
    """Where its playbooks come from, and at which revision they are."""

    scm_revision: str = ""
    scm_update_on_launch: bool = False


class Named(Shape):
    """A host or a group of an inventory."""

    name: str
    enabled: bool = True


class Names(Shape):
    """A page of hosts or groups."""

    count: int
    results: tuple[Named, ...]


class Launched(Shape):
    """The answer to a launch."""

    job: int
    ignored_fields: Mapping[str, Any] = {}


class Job(Shape):
    """A job, live or over."""

    id: int
    status: str
    job_type: str = "run"
    limit: str = ""
    extra_vars: str = ""
    scm_revision: str = ""
    job_explanation: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it lives any more, by AWX's word."""
        return self.status in OVER


class Jobs(Shape):
    """A page of jobs."""

    results: tuple[Job, ...]


class Event(Shape):
    """Something that happened in a job."""

    counter: int
    event: str
    stdout: str = ""
    event_data: Mapping[str, Any] = {}


class Events(Shape):
    """A page of events."""

    results: tuple[Event, ...]
    next: str | None = None


TEMPLATE = TypeAdapter(Template)
PROJECT = TypeAdapter(Project)
NAMES = TypeAdapter(Names)
LAUNCHED = TypeAdapter(Launched)
JOB = TypeAdapter(Job)
JOBS = TypeAdapter(Jobs)
EVENTS = TypeAdapter(Events)
