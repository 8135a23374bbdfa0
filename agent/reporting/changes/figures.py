"""How changes fared: the figures of DORA per service, and those of ITIL over all.

Deployment here is an executed change: one that started. What rules did by themselves stands apart
from what people asked for, and from what tools reported of others' changes: a service that mends
itself often shall not look like one that is delivered often. Spreads are median and 90th
percentile, and none is given below three; there is no mean. What is not known is a number of its
own, never a success.

Sources: DORA, the four keys and rework rate (dora.dev, 2024 and 2025); ITIL 4, change enablement.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from agent.model.change import Change, ChangeState, ChangeType, Closure
from agent.model.incident import Incident
from agent.model.interval import Interval
from agent.model.reported import Progress, ReportedChange
from agent.model.service import EntityRef

SPREAD_COUNT_MIN = 3


class Origin(StrEnum):
    """Who had it done."""

    PEOPLE = "people"
    AUTOMATION = "automation"
    REPORTED = "reported"


class Result(StrEnum):
    """How a deployment went, as far as it is known."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Median and 90th percentile (nearest rank); None below three values."""

    count: int
    median: timedelta | None
    p90: timedelta | None

    @classmethod
    def of(cls, values: Iterable[timedelta]) -> "Spread":
        """The spread of these."""
        ordered = sorted(values)
        if len(ordered) < SPREAD_COUNT_MIN:
            return cls(count=len(ordered), median=None, p90=None)
        return cls(count=len(ordered), median=_rank(ordered, 0.5), p90=_rank(ordered, 0.9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One executed change, whoever made it."""

    id: str
    entity: EntityRef | None
    """None: nobody knows where on the map."""
    origin: Origin
    at: datetime
    """When it was over; when it began, where that is not known."""
    result: Result
    lead_time: timedelta | None
    """From when it was asked for to when it was verified; None where nobody said when."""
    recovery: timedelta | None
    """Of a failed one: until service was restored; None where that is not known."""
    is_rework: bool | None
    """Whether an incident made it necessary; None where nobody said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """DORA's figures of one service and one origin, in one period."""

    entity: EntityRef | None
    origin: Origin
    deployments: int
    per_week: float
    lead_time: Spread
    succeeded: int
    failed: int
    unknown: int
    fail_rate: float | None
    """Failed of those of which the result is known; None where there is none."""
    recovery: Spread
    recovery_unknown: int
    """Failed ones of which nobody knows when service was restored."""
    rework: int
    rework_unknown: int
    rework_rate: float | None
    """Rework of those of which it is known; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enablement:
    """ITIL's figures over all changes that the agent governed in one period."""

    requested: int
    by_type: Mapping[str, int]
    emergency_share: float | None
    closed: Mapping[str, int]
    """By how they were closed."""
    executed: int
    success_rate: float | None
    """Of the executed ones that are over; None where there is none."""
    awaiting_approval: int
    oldest_approval: timedelta | None
    retro_open: int
    retro_overdue: int
    reviews_open: int
    reviews_overdue: int
    approval_time: Spread
    """From the request to the approval that was last needed."""


def own_deployments(
    changes: Iterable[Change], incidents: Mapping[str, Incident], window: Interval
) -> tuple[Deployment, ...]:
    """Our own changes that started and, if they are over, ended in the window."""
    blamed = _blamed(incidents.values())
    found = []
    for change in changes:
        at = change.ended_at or change.started_at
        if change.started_at is None or at is None or not window.contains(at):
            continue
        broke = blamed.get(change.id)
        result = Result.FAILED if broke else _RESULTS.get(change.closure, Result.UNKNOWN)
        is_own_rule = change.requested_by.startswith("rule:")
        found.append(
            Deployment(
                id=change.id,
                entity=change.entity,
                origin=Origin.AUTOMATION if is_own_rule else Origin.PEOPLE,
                at=at,
                result=result,
                lead_time=change.ended_at - change.requested_at if change.ended_at else None,
                recovery=_recovery(change, broke, incidents) if result is Result.FAILED else None,
                is_rework=change.incident is not None or change.type is ChangeType.EMERGENCY,
            )
        )
    return tuple(found)


def reported_deployments(
    changes: Iterable[ReportedChange], incidents: Iterable[Incident], window: Interval
) -> tuple[Deployment, ...]:
    """What tools said of others' changes; one of several places counts at each."""
    blamed = _blamed(incidents)
    found = []
    for change in changes:
        at = change.ended_at or change.started_at
        if not window.contains(at):
            continue
        broke = blamed.get(change.id)
        found += [
            Deployment(
                id=change.id,
                entity=entity,
                origin=Origin.REPORTED,
                at=at,
                result=Result.FAILED if broke else _PROGRESS.get(change.progress, Result.UNKNOWN),
                # When the work was begun, or why, no tool says here.
                lead_time=None,
                recovery=_restored(broke) if broke else None,
                is_rework=None,
            )
            for entity in change.entities or (None,)
        ]
    return tuple(found)


def deliveries(deployments: Sequence[Deployment], window: Interval) -> tuple[Delivery, ...]:
    """DORA's figures by service and origin, services in order, those of nowhere last."""
    groups: dict[tuple[EntityRef | None, Origin], list[Deployment]] = {}
    for each in deployments:
        groups.setdefault((each.entity, each.origin), []).append(each)
    ordered = sorted(groups, key=lambda key: (key[0] is None, key[0] or "", key[1]))
    return tuple(
        _delivery(entity, origin, groups[entity, origin], window) for entity, origin in ordered
    )


def enablement(changes: Sequence[Change], *, window: Interval, now: datetime) -> Enablement:
    """ITIL's figures: what was asked for in the window, and what people still owe now."""
    asked = [change for change in changes if window.contains(change.requested_at)]
    over = [
        change
        for change in changes
        if change.started_at and change.ended_at and window.contains(change.ended_at)
    ]
    waiting = [change for change in changes if change.state is ChangeState.AWAITING_APPROVAL]
    retro = [each.retro.due_at for each in changes if each.retro and each.retro.is_open]
    reviews = [each.review.due_at for each in changes if each.review and each.review.is_open]
    good = sum(change.closure is Closure.SUCCESS for change in over)
    by_type = {kind.value: sum(each.type is kind for each in asked) for kind in ChangeType}
    return Enablement(
        requested=len(asked),
        by_type=by_type,
        emergency_share=_share(by_type[ChangeType.EMERGENCY], len(asked)),
        closed={
            how.value: sum(
                each.closure is how
                for each in changes
                if each.ended_at and window.contains(each.ended_at)
            )
            for how in Closure
        },
        executed=len(over),
        success_rate=_share(good, len(over)),
        awaiting_approval=len(waiting),
        oldest_approval=max((now - each.requested_at for each in waiting), default=None),
        retro_open=len(retro),
        retro_overdue=sum(due <= now for due in retro),
        reviews_open=len(reviews),
        reviews_overdue=sum(due <= now for due in reviews),
        approval_time=Spread.of(
            max(approval.at for approval in each.approvals) - each.requested_at
            for each in asked
            if each.approvals
        ),
    )


_RESULTS: Mapping[Closure | None, Result] = {
    Closure.SUCCESS: Result.SUCCEEDED,
    Closure.FAILED: Result.FAILED,
    Closure.ROLLED_BACK: Result.FAILED,
}
_PROGRESS: Mapping[Progress, Result] = {
    Progress.SUCCEEDED: Result.SUCCEEDED,
    Progress.FAILED: Result.FAILED,
}


def _delivery(
    entity: EntityRef | None, origin: Origin, group: Sequence[Deployment], window: Interval
) -> Delivery:
    def count(holds: Callable[[Deployment], bool]) -> int:
        return sum(map(holds, group))

    failed = count(lambda each: each.result is Result.FAILED)
    succeeded = count(lambda each: each.result is Result.SUCCEEDED)
    rework = count(lambda each: each.is_rework is True)
    rework_unknown = count(lambda each: each.is_rework is None)
    recoveries = [each.recovery for each in group if each.recovery is not None]
    return Delivery(
        entity=entity,
        origin=origin,
        deployments=len(group),
        per_week=len(group) / (window.length / timedelta(weeks=1)),
        lead_time=Spread.of(each.lead_time for each in group if each.lead_time is not None),
        succeeded=succeeded,
        failed=failed,
        unknown=len(group) - failed - succeeded,
        fail_rate=_share(failed, failed + succeeded),
        recovery=Spread.of(recoveries),
        recovery_unknown=failed - len(recoveries),
        rework=rework,
        rework_unknown=rework_unknown,
        rework_rate=_share(rework, len(group) - rework_unknown),
    )


def _blamed(incidents: Iterable[Incident]) -> dict[str, Incident]:
    """Changes of which a person said that they led to an incident, with the first such one."""
    found: dict[str, Incident] = {}
    for incident in sorted(incidents, key=lambda each: each.opened_at):
        for suspect in incident.suspects:
            if suspect.is_match:
                found.setdefault(suspect.change, incident)
    return found


def _recovery(
    change: Change, broke: Incident | None, incidents: Mapping[str, Incident]
) -> timedelta | None:
    if broke is not None:
        return _restored(broke)
    if change.closure is Closure.ROLLED_BACK and change.ended_at and change.started_at:
        return change.ended_at - change.started_at
    incident = incidents.get(change.incident or "")
    if incident is None or incident.resolved_at is None or change.started_at is None:
        return None
    return max(timedelta(0), incident.resolved_at - change.started_at)


def _restored(incident: Incident) -> timedelta | None:
    return incident.resolved_at - incident.started_at if incident.resolved_at else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _rank(ordered: Sequence[timedelta], share: float) -> timedelta:
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
