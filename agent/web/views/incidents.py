"""Incidents as a list and as one page: impact in plain words, what to do next, why, since when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from agent.model.alert import AlertRecord, Severity, severity_of
from agent.model.change import Change, ChangeState, Closure
from agent.model.incident import Cause, Incident, IncidentState, Level, TimelineItem
from agent.model.service import ServiceMap
from agent.web.views.changes import ChangeRow, change_row
from agent.web.views.corrections import Choices, choices_of
from agent.web.views.flapping import Flapping
from agent.web.views.reported import SuspectView, suspect_views
from agent.web.views.timeline import TimelineLine, story
from agent.web.views.words import (
    Badge,
    Link,
    Moment,
    Tone,
    capital,
    clock_time,
    counted,
    entity_label,
    external,
    lasting,
    listing,
    moment,
    person,
    safe_href,
    short_name,
    span,
    word,
)

ALERTS_SHOWN_MAX = 100
"""Alerts on the page of an incident, firing ones first; the API gives all."""

STATES = {
    IncidentState.OPEN: Tone.BAD,
    IncidentState.RESOLVED: Tone.GOOD,
    IncidentState.CLOSED: Tone.MUTED,
    IncidentState.MERGED: Tone.MUTED,
}
SEVERITY_TONES = {
    Severity.CRITICAL: Tone.BAD,
    Severity.WARNING: Tone.WARN,
    Severity.INFO: Tone.MUTED,
    Severity.UNKNOWN: Tone.MUTED,
}
LEVELS = {Level.HIGH: "high", Level.MEDIUM: "medium", Level.LOW: "low"}


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """One line of the list."""

    id: str
    href: str
    title: str
    priority: str
    state: Badge
    impact: str
    cause: str
    cause_confirmed: bool
    owner: str
    assignee: str
    age: Moment
    late: str
    tickets: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseView:
    """A candidate for the cause, with what speaks for and against it."""

    entity: str
    label: str
    score: float
    percent: str
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """A promise with its moment: met, running or overdue."""

    name: str
    text: str
    badge: Badge
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do next, or to know before doing anything."""

    text: str
    link: Link | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert of the incident."""

    name: str
    severity: Badge
    state: Badge
    entity: str
    summary: str
    since: Moment
    labels: tuple[tuple[str, str], ...]
    source: Link
    muted_by: str
    why: str
    """By which rule it came into the incident; empty where it does not fire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """The whole page of one incident."""

    row: IncidentRow
    headline: str
    facts: tuple[str, ...]
    flapping: tuple[str, ...]
    next_steps: tuple[Step, ...]
    tried: tuple[ChangeRow, ...]
    causes: tuple[CauseView, ...]
    clocks: tuple[ClockView, ...]
    services: tuple[str, ...]
    alerts: tuple[AlertRow, ...]
    alerts_omitted: int
    choices: Choices
    timeline: tuple[TimelineLine, ...]
    problem: str | None
    suspects: tuple[SuspectView, ...]
    merged_into: str | None
    can_acknowledge: bool
    is_resting: bool
    can_resolve: bool
    is_live: bool


def incident_row(incident: Incident, service_map: ServiceMap, now: datetime) -> IncidentRow:
    """One incident as a line of the list."""
    cause = incident.cause
    return IncidentRow(
        id=incident.id,
        href=f"/incidents/{incident.id}",
        title=incident.title,
        priority=incident.priority.name,
        state=Badge(text=word(incident.state), tone=STATES[incident.state]),
        impact=impact_words(incident, service_map),
        cause=entity_label(cause, service_map) if cause else "",
        cause_confirmed=incident.cause_confirmed_by is not None,
        owner=entity_label(incident.owner, service_map) if incident.owner else "",
        assignee=person(incident.assignee),
        age=lasting(incident.started_at, incident.resolved_at, now),
        late=_late(incident, now),
        tickets=tuple(external(ticket.ref, ticket.url) for ticket in incident.tickets),
    )


def by_urgency(incidents: Iterable[Incident]) -> list[Incident]:
    """Open before resolved before the rest; then by priority; then the newest first."""
    order = list(STATES)
    return sorted(
        incidents,
        key=lambda one: (order.index(one.state), one.priority, -one.opened_at.timestamp(), one.id),
    )


def impact_words(incident: Incident, service_map: ServiceMap) -> str:
    """Who is hit, as one phrase: `Checkout, Payments and 2 more`."""
    hit = [entity_label(ref, service_map) for ref in incident.services or incident.entities]
    return listing(hit) if hit else "Nobody knows yet: no service of the map matches"


def incident_view(
    incident: Incident,
    *,
    changes: Sequence[Change],
    timeline: Sequence[TimelineItem],
    alerts: Sequence[AlertRecord],
    flapping: Sequence[Flapping] = (),
    whys: Mapping[str, str] = MappingProxyType({}),
    service_map: ServiceMap,
    now: datetime,
) -> IncidentView:
    """The page of one incident."""
    return IncidentView(
        row=incident_row(incident, service_map, now),
        headline=_headline(incident, service_map, now),
        facts=(*_facts(incident), *_resting(incident, now)),
        flapping=tuple(_flaps(flap, now) for flap in flapping),
        next_steps=next_steps(incident, changes, service_map, now),
        tried=tuple(change_row(change, service_map, now) for change in changes),
        causes=tuple(_cause(incident, cause, service_map) for cause in incident.causes),
        clocks=clocks(incident, now),
        services=tuple(entity_label(ref, service_map) for ref in incident.services),
        alerts=tuple(
            _alert(alert, service_map, now, whys.get(alert.fingerprint, ""))
            for alert in sorted(alerts, key=_firing_first)[:ALERTS_SHOWN_MAX]
        ),
        alerts_omitted=max(0, len(alerts) - ALERTS_SHOWN_MAX),
        choices=choices_of(incident, alerts, service_map),
        timeline=story(timeline, now),
        problem=incident.problem,
        suspects=suspect_views(incident.suspects),
        merged_into=incident.merged_into,
        can_acknowledge=incident.is_live and incident.acknowledged_at is None,
        is_resting=incident.until_clear is not None,
        can_resolve=incident.state is IncidentState.OPEN,
        is_live=incident.is_live,
    )


def next_steps(
    incident: Incident, changes: Sequence[Change], service_map: ServiceMap, now: datetime
) -> tuple[Step, ...]:
    """What a person should do now, the most pressing first. Empty when there is nothing to do."""
    if incident.state is IncidentState.MERGED and incident.merged_into:
        into = incident.merged_into
        link = Link(text=into, href=f"/incidents/{into}")
        return (Step(text="This went on in", link=link),)
    if incident.state is not IncidentState.OPEN:
        return ()
    steps: list[Step] = []
    if incident.acknowledged_at is None:
        steps.append(Step(text=_acknowledge_words(incident, now)))
    if (known := incident.workaround) is not None:
        text = f"Try what helps: {known}. It looks like a known error ({known.cause}):"
        link = Link(text=known.problem, href=f"/problems/{known.problem}")
        steps.append(Step(text=text, link=link))
    steps += [step for change in changes if (step := _change_step(change, now))]
    if not any(change.is_open for change in changes):
        steps.append(_look_step(incident, changes, service_map))
    return tuple(steps)


def clocks(incident: Incident, now: datetime) -> tuple[ClockView, ...]:
    """The response and the restoration clock, where the incident has targets."""
    pairs = (
        ("Response", incident.response_due, incident.acknowledged_at),
        ("Restoration", incident.restoration_due, incident.resolved_at),
    )
    return tuple(_clock(name, due, met, now) for name, due, met in pairs if due)


def _firing_first(alert: AlertRecord) -> tuple[bool, datetime, str]:
    return alert.ends_at is not None, alert.starts_at, alert.fingerprint


def _headline(incident: Incident, service_map: ServiceMap, now: datetime) -> str:
    hit = impact_words(incident, service_map)
    lasted = span((incident.resolved_at or now) - incident.started_at)
    if not incident.services and not incident.entities:
        return f"{counted(incident.firing, 'alert')} firing for {lasted}; no service is known."
    match incident.state:
        case IncidentState.OPEN:
            return f"{hit}: interrupted or degraded for {lasted}."
        case IncidentState.RESOLVED:
            return f"{hit}: service restored after {lasted}. Watching whether it stays so."
        case _:
            return f"{hit}: was interrupted or degraded for {lasted}."


def _facts(incident: Incident) -> tuple[str, ...]:
    impact, urgency = LEVELS[incident.impact], LEVELS[incident.urgency]
    facts = [
        f"Impact {impact}, urgency {urgency}",
        f"{incident.firing:,} of {counted(incident.alerts, 'alert')} firing",
    ]
    if incident.reopened:
        facts.append(f"Came back {counted(incident.reopened, 'time')}")
    if incident.automated:
        facts.append("Restored by a verified run")
    return tuple(facts)


def _resting(incident: Incident, now: datetime) -> tuple[str, ...]:
    resting = incident.until_clear
    if resting is None:
        return ()
    end = f", at most {span(resting.until - now)} more" if resting.until else ""
    return (f"Not told again until clear or worse ({resting.by}{end})",)


def _flaps(flap: Flapping, now: datetime) -> str:
    since, last = clock_time(flap.since, now).text, clock_time(flap.changed_at[-1], now).text
    changes = counted(flap.changes, "change")
    return f"{flap.name} flaps since {since}: {changes}, the last at {last}. It is told once."


def _late(incident: Incident, now: datetime) -> str:
    if incident.state is not IncidentState.OPEN:
        return ""
    if incident.restoration_due and incident.restoration_due < now:
        return "Restoration overdue"
    if incident.acknowledged_at is None and incident.response_due and incident.response_due < now:
        return "Response overdue"
    return ""


def _acknowledge_words(incident: Incident, now: datetime) -> str:
    if incident.response_due is None:
        return "Acknowledge it: nobody has taken note yet."
    if incident.response_due < now:
        return f"Acknowledge it: response is overdue by {span(now - incident.response_due)}."
    return f"Acknowledge it: response is due in {span(incident.response_due - now)}."


def _change_step(change: Change, now: datetime) -> Step | None:
    link = Link(text=f"{change.id} {change.title}", href=f"/changes/{change.id}")
    match change.state:
        case ChangeState.AWAITING_APPROVAL:
            return Step(text="Decide on the change that waits for approval:", link=link)
        case ChangeState.SCHEDULED if change.due_at:
            text = f"Nothing yet: a change is due {moment(change.due_at, now).text}:"
            return Step(text=text, link=link)
        case ChangeState.STARTING | ChangeState.RUNNING:
            return Step(text="Wait for the run that is under way:", link=link)
        case ChangeState.VERIFYING:
            return Step(text="Wait: the run is over and its effect is being checked:", link=link)
        case ChangeState.UNKNOWN:
            return Step(text="Look at the hosts: nobody knows what became of a run:", link=link)
        case _:
            return None


def _look_step(incident: Incident, changes: Sequence[Change], service_map: ServiceMap) -> Step:
    failed = [change for change in changes if change.closure is not Closure.SUCCESS]
    where = entity_label(incident.cause, service_map) if incident.cause else ""
    place = f" Start at {where}, the probable cause." if where else " Start at its alerts."
    if failed:
        tried = counted(len(failed), "change")
        return Step(text=f"Take over: {tried} did not help, see below.{place}")
    return Step(text=f"Look into it: no remediation applies by itself.{place}")


def _cause(incident: Incident, cause: Cause, service_map: ServiceMap) -> CauseView:
    is_top = incident.cause == cause.entity
    return CauseView(
        entity=cause.entity,
        label=entity_label(cause.entity, service_map),
        score=min(max(cause.score, 0.0), 1.0),
        percent=f"{min(max(cause.score, 0.0), 1.0):.0%}",
        evidence_for=cause.evidence_for,
        evidence_against=cause.evidence_against,
        confirmed=is_top and incident.cause_confirmed_by is not None,
    )


def _clock(name: str, due: datetime, met: datetime | None, now: datetime) -> ClockView:
    if met is not None:
        badge = (
            Badge(text="met", tone=Tone.GOOD)
            if met <= due
            else Badge(text=f"{span(met - due)} late", tone=Tone.WARN)
        )
        return ClockView(name=name, text="done", badge=badge, at=clock_time(met, now))
    if due < now:
        badge = Badge(text=f"overdue by {span(now - due)}", tone=Tone.BAD)
    else:
        badge = Badge(text=f"{span(due - now)} left", tone=Tone.MUTED)
    return ClockView(name=name, text="due", badge=badge, at=clock_time(due, now))


def _alert(alert: AlertRecord, service_map: ServiceMap, now: datetime, why: str) -> AlertRow:
    if alert.ends_at is not None:
        ended = word(alert.ended_by) if alert.ended_by else "resolved"
        state = Badge(text=ended, tone=Tone.MUTED)
    elif alert.suppressed_by:
        state = Badge(text="suppressed", tone=Tone.MUTED)
    else:
        state = Badge(text="firing", tone=Tone.BAD)
    severity = severity_of(alert.labels)
    name = alert.labels.get("alertname", "")
    return AlertRow(
        name=name or "Alert without a name",
        severity=Badge(text=word(severity), tone=SEVERITY_TONES[severity]),
        state=state,
        entity=entity_label(alert.entity, service_map) if alert.entity else "",
        summary=alert.annotations.get("summary", "") or alert.annotations.get("description", ""),
        since=lasting(alert.starts_at, alert.ends_at, now),
        labels=tuple(sorted(alert.labels.items())),
        source=Link(text=capital(short_name(alert.source)), href=safe_href(alert.generator_url)),
        muted_by="" if alert.ends_at else ", ".join(alert.suppressed_by),
        why="" if alert.ends_at else why,
    )
