"""What the API shows where the model holds more than may be shown, or less than is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import Field

from agent.model.alert import AlertRecord
from agent.model.change import (
    Change,
    ChangeState,
    ChangeType,
    Closure,
    Passed,
    Run,
)
from agent.model.duty import RetroDuty, ReviewDuty
from agent.model.incident import Incident, TimelineItem
from agent.model.interval import Interval
from agent.model.policy import Approval, Conflict, Decision
from agent.model.preview import Preview
from agent.model.problem import Problem
from agent.model.remediation import ParameterValue, RunLine
from agent.model.risk import Risk
from agent.web.routes import Wish
from agent.web.views.flapping import Flapping

T = TypeVar("T")

PAGE_ITEMS_MAX = 500


class ListQuery(Wish):
    """Which page of a list, newest first."""

    limit: int = Field(100, ge=1, le=PAGE_ITEMS_MAX)
    before: str | None = Field(
        None, max_length=100, description="Id of the last item of the page before: `next` there."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list."""

    items: tuple[T, ...]
    next: str | None
    """What `before` has to be for the next page; null when this is the last."""


def next_of(items: Sequence[Incident] | Sequence[Change], limit: int) -> str | None:
    """The id to go on from, where there may be more."""
    return items[-1].id if len(items) == limit else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """A change. `binding` is what an approval must name: it covers exactly what may run."""

    id: str
    state: ChangeState
    type: ChangeType
    title: str
    remediation: str
    digest: str
    binding: str
    entity: str
    hosts: tuple[str, ...]
    parameters: Mapping[str, ParameterValue]
    requested_by: str
    requested_at: datetime
    incident: str | None
    decision: Decision | None
    risk: Risk | None
    conflicts: tuple[Conflict, ...]
    template: str | None
    approvals: tuple[Approval, ...]
    due_at: datetime | None
    scheduled_for: datetime | None
    """When it may start, where it waits for its time."""
    not_before: datetime | None
    not_after: datetime | None
    window: Interval | None
    """The window in which it would run; null where nothing bounds it, or none is in sight."""
    attempt: int
    run: str | None
    rollback_run: str | None
    started_at: datetime | None
    ended_at: datetime | None
    closure: Closure | None
    outcome_text: str
    passed: tuple[Passed, ...]
    """Every state that it was in, with the moment when it came there."""
    retro: RetroDuty | None
    review: ReviewDuty | None


def change_view(change: Change) -> ChangeView:
    """A change without the addresses and keys of its hosts."""
    return ChangeView(
        id=change.id,
        state=change.state,
        type=change.type,
        title=change.title,
        remediation=change.remediation,
        digest=change.digest,
        binding=change.binding,
        entity=change.entity,
        hosts=tuple(host.name for host in change.hosts),
        parameters=change.parameters,
        requested_by=change.requested_by,
        requested_at=change.requested_at,
        incident=change.incident,
        decision=change.decision,
        risk=change.risk,
        conflicts=change.conflicts,
        template=change.template,
        approvals=change.approvals,
        due_at=change.due_at,
        scheduled_for=change.scheduled_for,
        not_before=change.not_before,
        not_after=change.not_after,
        window=change.window,
        attempt=change.attempt,
        run=change.run,
        rollback_run=change.rollback_run,
        started_at=change.started_at,
        ended_at=change.ended_at,
        closure=change.closure,
        outcome_text=change.outcome_text,
        passed=change.passed,
        retro=change.retro,
        review=change.review,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDetail:
    """One incident with its whole story."""

    incident: Incident
    timeline: tuple[TimelineItem, ...]
    alerts: tuple[AlertRecord, ...]
    changes: tuple[ChangeView, ...]
    runs: tuple[Run, ...]
    flapping: tuple[Flapping, ...]
    problem: Problem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDetail:
    """One change with its runs and its story."""

    change: ChangeView
    preview: Preview | None
    """What check mode showed, once it waited for approval."""
    runs: tuple[Run, ...]
    timeline: tuple[TimelineItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutput:
    """Live output of a run. Ask again with `after` until `is_over`."""

    run: Run
    lines: tuple[RunLine, ...]
    after: int
    """The number of the last line so far."""
    is_over: bool
