"""The review of an incident after it is over, told from what the journal led to.

It says what happened to services and what was learnt about the system; who did something stands
in it as a fact, and nobody's judgement does. How it reads as text is not said here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.model.alert import AlertRecord
from agent.model.change import Change, ChangeState, Closure
from agent.model.incident import NO_CLEAR_EVIDENCE, Incident, TimelineItem
from agent.model.loss import cost_of, downtime_of
from agent.model.policy import Verdict
from agent.model.problem import Problem, ProblemState
from agent.model.reason import Reason
from agent.model.reported import Suspect
from agent.model.service import ServiceMap

OURSELVES = "watchkeeper"
REFUSALS = frozenset(
    {
        Reason.POLICY_REFUSES,
        Reason.POLICY_MISSING,
        Reason.POLICY_FAILED,
        Reason.NO_POLICY_RULE,
        Reason.APPROVAL_NEEDED,
        Reason.APPROVAL_EXPIRED,
        Reason.FROZEN,
        Reason.OUTSIDE_WINDOW,
        Reason.WINDOW_TOO_SHORT,
        Reason.CONCURRENCY,
        Reason.BLAST_RADIUS,
        Reason.COOLDOWN,
        Reason.ATTEMPTS_EXHAUSTED,
        Reason.BREAKER_OPEN,
        Reason.DIGEST_MISMATCH,
        Reason.TARGET_MOVED,
    }
)
"""Reasons for which the policy let something wait or did not let it run."""
CORRECTIONS = frozenset(
    {
        Reason.CAUSE_CONFIRMED,
        Reason.MERGED,
        Reason.MOVED,
        Reason.UNRELATED,
        Reason.SUSPECT_CONFIRMED,
        Reason.SUSPECT_DISMISSED,
        Reason.RESOLVED_BY_PERSON,
    }
)
"""Reasons with which people told the watch what it did not know."""
CAUSES_TOLD_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything that a review is told from."""

    incident: Incident
    timeline: Sequence[TimelineItem]
    """Oldest first."""
    alerts: Sequence[AlertRecord]
    changes: Sequence[Change]
    problem: Problem | None
    similar: Sequence[Incident]
    """Others of its pattern or problem."""
    service_map: ServiceMap
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One moment of the story."""

    at: datetime
    who: str
    reason: Reason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What was heard first, and from whom."""

    alert: str
    entity: str | None
    source: str
    heard_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseTold:
    """A candidate for the cause, with what speaks for and against it."""

    label: str
    score: float
    is_confirmed: bool
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One change that was made, or was to be made, for the incident."""

    change: str
    title: str
    asked_by: str
    policy: str
    """What policy said, in its words."""
    outcome: str
    helped: bool
    ran: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """Another incident of the same pattern or problem."""

    incident: str
    title: str
    started_at: datetime
    downtime: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What there is to know of an incident that is over."""

    incident: str
    title: str
    priority: str
    state: str
    is_over: bool
    services: tuple[str, ...]
    """Who was hit, in the words of the map, the business's own names first."""
    started_at: datetime
    resolved_at: datetime | None
    downtime: timedelta
    cost: float | None
    """At most; None where the map names no cost for anybody it hit."""
    detected: Detection | None
    time_to_detect: timedelta
    """From the earliest start that an alert claims to the moment the incident was opened."""
    time_to_acknowledge: timedelta | None
    time_to_restore: timedelta | None
    response_late_by: timedelta | None
    restoration_late_by: timedelta | None
    restored: str
    """How, in one sentence."""
    causes: tuple[CauseTold, ...]
    cause_confirmed_by: str | None
    suspects: tuple[Suspect, ...]
    attempts: tuple[Attempt, ...]
    refusals: tuple[Line, ...]
    corrections: tuple[Line, ...]
    pattern: str | None
    problem: Problem | None
    similar: tuple[Similar, ...]
    actions: tuple[str, ...]
    """What is still open, or would have made it shorter."""
    timeline: tuple[Line, ...]


def review(story: Story) -> Review:
    """The review as it can be told by now."""
    incident, now = story.incident, story.now
    label = story.service_map.label
    pattern = incident.pattern if incident.pattern != NO_CLEAR_EVIDENCE else None
    return Review(
        incident=incident.id,
        title=incident.title,
        priority=incident.priority.name,
        state=incident.state,
        is_over=incident.resolved_at is not None,
        services=tuple(label(ref) for ref in incident.services or incident.entities),
        started_at=incident.started_at,
        resolved_at=incident.resolved_at,
        downtime=downtime_of(incident, now),
        cost=cost_of(incident, story.service_map, now),
        detected=_detection(story),
        time_to_detect=incident.opened_at - incident.started_at,
        time_to_acknowledge=_from(incident.opened_at, incident.acknowledged_at),
        time_to_restore=_from(incident.started_at, incident.resolved_at),
        response_late_by=_late(incident.response_due, incident.acknowledged_at),
        restoration_late_by=_late(incident.restoration_due, incident.resolved_at),
        restored=_restored(incident),
        causes=tuple(_causes(story)),
        cause_confirmed_by=incident.cause_confirmed_by,
        suspects=incident.suspects,
        attempts=tuple(_attempt(change) for change in story.changes),
        refusals=tuple(_refusals(story)),
        corrections=tuple(_corrections(story)),
        pattern=pattern,
        problem=story.problem,
        similar=tuple(_similar(one, now) for one in story.similar),
        actions=tuple(_actions(story)),
        timeline=tuple(_line(item) for item in story.timeline),
    )


def _detection(story: Story) -> Detection | None:
    first = min(story.alerts, key=lambda alert: alert.heard_at, default=None)
    if first is None:
        return None
    return Detection(
        alert=first.labels.get("alertname", "") or "an alert without a name",
        entity=story.service_map.label(first.entity) if first.entity else None,
        source=first.source,
        heard_at=first.heard_at,
    )


def _from(start: datetime, end: datetime | None) -> timedelta | None:
    return None if end is None else max(end - start, timedelta())


def _late(due: datetime | None, met: datetime | None) -> timedelta | None:
    return met - due if due is not None and met is not None and met > due else None


def _restored(incident: Incident) -> str:
    if incident.resolved_at is None:
        return "Service is not restored yet: this review is a draft."
    if incident.automated:
        return "A verified run restored service."
    match incident.resolution:
        case Reason.RESOLVED_BY_PERSON:
            return "People said that service was restored."
        case Reason.RESOLVED_BY_TICKET:
            return "People closed its ticket: service was restored."
        case _:
            return "Its alerts cleared; no run of ours was verified to have done it."


def _causes(story: Story) -> Iterator[CauseTold]:
    incident = story.incident
    for place, cause in enumerate(incident.causes[:CAUSES_TOLD_MAX]):
        yield CauseTold(
            label=story.service_map.label(cause.entity),
            score=cause.score,
            is_confirmed=place == 0 and incident.cause_confirmed_by is not None,
            evidence_for=cause.evidence_for,
            evidence_against=cause.evidence_against,
        )


def _attempt(change: Change) -> Attempt:
    outcome = (change.closure or change.state).replace("_", " ")
    policy = change.decision.text if change.decision else ""
    return Attempt(
        change=change.id,
        title=change.title,
        asked_by=change.requested_by,
        policy="" if policy == change.outcome_text else policy,
        outcome=f"{outcome}: {change.outcome_text}" if change.outcome_text else outcome,
        helped=change.closure is Closure.SUCCESS,
        ran=change.started_at is not None,
    )


def _lines(story: Story, reasons: frozenset[Reason]) -> Iterator[Line]:
    for item in story.timeline:
        if item.reason in reasons:
            yield _line(item)


def _refusals(story: Story) -> Iterator[Line]:
    """Each once: the end of a change that was refused says it again."""
    seen: set[tuple[datetime, Reason]] = set()
    for line in _lines(story, REFUSALS):
        if (line.at, line.reason) not in seen:
            seen.add((line.at, line.reason))
            yield line


def _corrections(story: Story) -> Iterator[Line]:
    return (line for line in _lines(story, CORRECTIONS) if line.who != OURSELVES)


def _line(item: TimelineItem) -> Line:
    return Line(at=item.at, who=item.actor, reason=item.reason, text=item.text)


def _similar(incident: Incident, now: datetime) -> Similar:
    return Similar(
        incident=incident.id,
        title=incident.title,
        started_at=incident.started_at,
        downtime=downtime_of(incident, now),
    )


def _actions(story: Story) -> Iterator[str]:
    """What the system lacks: each can be done by whoever reads it."""
    incident, label = story.incident, story.service_map.label
    if incident.resolved_at is None:
        yield "Restore service; this review is not complete before."
    if incident.cause is None:
        yield "Describe what alerted on the map: no cause could be told without."
    elif incident.cause_confirmed_by is None:
        yield f"Confirm or correct the cause: {label(incident.cause)} is a guess until then."
    if incident.causes and not incident.causes[0].alerting:
        yield f"Watch {label(incident.causes[0].entity)}: nothing alerts there itself."
    for suspect in incident.suspects:
        if suspect.is_match is None:
            yield f"Say whether {suspect.change} ({suspect.title}) led to it."
        elif suspect.is_match:
            yield f"Look into what let {suspect.change} ({suspect.title}) have this effect."
    yield from _of_changes(story)
    if (problem := story.problem) is not None and problem.state is not ProblemState.CLOSED:
        yield f"Work on {problem.id} ({problem.title}): it is {problem.state.replace('_', ' ')}."
    elif problem is None and story.similar:
        yield f"It came {len(story.similar)} times before: consider a problem."
    if _late(incident.response_due, incident.acknowledged_at) is not None:
        yield "See who is told, and when: response came after its target."


def _of_changes(story: Story) -> Iterator[str]:
    ran = [change for change in story.changes if change.started_at is not None]
    for change in story.changes:
        if change.state is not ChangeState.CLOSED:
            yield f"Decide on {change.id} ({change.title}): it is still open."
        elif change.decision is not None and change.decision.verdict is Verdict.REFUSED:
            yield f"See whether policy should let {change.id} ({change.title}) run next time."
    if not story.changes:
        yield "Nothing was tried by itself: a remediation and a rule could shorten the next one."
    elif ran and not any(change.closure is Closure.SUCCESS for change in ran):
        yield "What was tried did not help: look at its rule and its verification."
