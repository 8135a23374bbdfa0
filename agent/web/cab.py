"""What a change advisory board sits down with: what waits for it, what is owed, what is planned.

Not here: how it is asked for (`api_cab`), or how it looks (`pages.cab`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.core.policy.history import history_of
from agent.core.state import State
from agent.model.change import Change, ChangeState, ChangeType, Closure
from agent.model.duty import RetroDuty, ReviewDuty
from agent.model.interval import Interval
from agent.model.policy import Approval, Conflict
from agent.model.remediation import ParameterValue
from agent.model.risk import Risk
from agent.web.schedule_ics import planned

ITEMS_MAX = 500
"""Of each part of an agenda; more is no meeting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastResult:
    """How an earlier change with the same remediation ended."""

    change: str
    at: datetime
    closure: Closure
    entity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaItem:
    """One change that waits for a decision, with what a decision needs; `binding` goes with it."""

    change: str
    binding: str
    type: ChangeType
    title: str
    entity: str
    hosts: tuple[str, ...]
    parameters: Mapping[str, ParameterValue]
    requested_by: str
    requested_at: datetime
    incident: str | None
    due_at: datetime | None
    window: Interval | None
    risk: Risk | None
    conflicts: tuple[Conflict, ...]
    roles: tuple[str, ...]
    approvals_missing: int
    approvals: tuple[Approval, ...]
    preview: str
    successes: int
    """Of this remediation on this kind of target, among the latest results."""
    failures: int
    last_results: tuple[LastResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetroOwed:
    """An emergency that somebody else has to answer for."""

    change: str
    title: str
    requested_by: str
    incident: str | None
    duty: RetroDuty


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOwed:
    """A change that has to be looked back at."""

    change: str
    title: str
    closure: Closure | None
    outcome_text: str
    duty: ReviewDuty


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """All that people owe, the earliest deadline first."""

    retro: tuple[RetroOwed, ...]
    reviews: tuple[ReviewOwed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardUse:
    """How a pre-authorised template was used of late."""

    name: str
    remediation: str
    owner: str
    uses: int
    failures: int
    is_withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One line of the forward schedule: an open change and when it would run."""

    change: str
    title: str
    entity: str
    state: ChangeState
    when: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """Everything for one meeting."""

    at: datetime
    until: datetime
    waiting: tuple[AgendaItem, ...]
    owed: Owed
    standard: tuple[StandardUse, ...]
    schedule: tuple[Planned, ...]


def agenda_of(state: State, at: datetime, within: timedelta) -> Agenda:
    """What waits, is owed, or would run within this time from now."""
    until = at + within
    plans = [
        Planned(
            change=one.id,
            title=one.title,
            entity=one.entity,
            state=one.state,
            when=planned(state, one, at),
        )
        for one in state.changes.values()
        if one.is_open
    ]
    near = sorted(
        (plan for plan in plans if plan.when.start < until), key=lambda one: (one.when, one.change)
    )
    names = {plan.change for plan in near}
    waiting = [
        item_of(state, one)
        for one in state.changes.values()
        if one.state is ChangeState.AWAITING_APPROVAL and one.id in names
    ]
    return Agenda(
        at=at,
        until=until,
        waiting=tuple(sorted(waiting, key=_urgency)[:ITEMS_MAX]),
        owed=owed_in(state),
        standard=_standard(state, at),
        schedule=tuple(near[:ITEMS_MAX]),
    )


def item_of(state: State, change: Change) -> AgendaItem:
    """What a decision on this change needs."""
    history = history_of(state, change)
    decision = change.decision
    return AgendaItem(
        change=change.id,
        binding=change.binding,
        type=change.type,
        title=change.title,
        entity=change.entity,
        hosts=tuple(host.name for host in change.hosts),
        parameters=change.parameters,
        requested_by=change.requested_by,
        requested_at=change.requested_at,
        incident=change.incident,
        due_at=change.due_at,
        window=change.window,
        risk=change.risk,
        conflicts=change.conflicts,
        roles=decision.roles if decision else (),
        approvals_missing=decision.approvals if decision else 0,
        approvals=change.approvals,
        preview=_preview(change),
        successes=history.successes,
        failures=history.failures,
        last_results=last_results(state, change),
    )


def last_results(state: State, change: Change, limit: int = 5) -> tuple[LastResult, ...]:
    """How the latest changes with this remediation ended, as far as they are remembered."""
    over = [
        LastResult(change=one.id, at=one.ended_at, closure=one.closure, entity=one.entity)
        for one in state.changes.values()
        if one.remediation == change.remediation
        and one.id != change.id
        and one.ended_at is not None
        and one.closure is not None
        and one.started_at is not None
    ]
    return tuple(sorted(over, key=lambda one: (one.at, one.change), reverse=True)[:limit])


def owed_in(state: State) -> Owed:
    """What people owe at this moment."""
    retro = [
        RetroOwed(
            change=one.id,
            title=one.title,
            requested_by=one.requested_by,
            incident=one.incident,
            duty=one.retro,
        )
        for one in state.changes.values()
        if one.retro is not None and one.retro.is_open
    ]
    reviews = [
        ReviewOwed(
            change=one.id,
            title=one.title,
            closure=one.closure,
            outcome_text=one.outcome_text,
            duty=one.review,
        )
        for one in state.changes.values()
        if one.review is not None and one.review.is_open
    ]
    return Owed(
        retro=tuple(sorted(retro, key=lambda one: (one.duty.due_at, one.change))[:ITEMS_MAX]),
        reviews=tuple(sorted(reviews, key=lambda one: (one.duty.due_at, one.change))[:ITEMS_MAX]),
    )


def _standard(state: State, at: datetime) -> tuple[StandardUse, ...]:
    policy = state.config.policy
    found = []
    for template in policy.standard if policy else ():
        use = state.gate.templates.get(template.name)
        starts = [start for start in use.started if start > at - template.within] if use else []
        results = use.results if use else []
        found.append(
            StandardUse(
                name=template.name,
                remediation=template.remediation,
                owner=template.owner,
                uses=len(starts),
                failures=len(results) - sum(results),
                is_withdrawn=use is not None and use.withdrawn_at is not None,
            )
        )
    return tuple(found[:ITEMS_MAX])


def _preview(change: Change) -> str:
    preview = change.preview
    if preview is None:
        return "none"
    return f"{preview.state.value}: {preview.text}"


def _urgency(item: AgendaItem) -> tuple[int, datetime, str]:
    rank = -item.risk.level.rank if item.risk else -10
    return rank, item.due_at or item.requested_at, item.change
