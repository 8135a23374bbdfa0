"""The life of incidents: impact, urgency, priority, owner, clocks, resolution and return."""

from datetime import datetime, timedelta

from agent.core import flapping, impact, sync, until_clear
from agent.core.causes import lessons
from agent.core.changes.course import forget
from agent.core.correlation import corrected
from agent.core.derived import HOPS_MAX
from agent.core.draft import Draft
from agent.core.drift import observe
from agent.core.problems.pattern import signature
from agent.core.state import CLOSED_KEPT, MOMENT, Members, State, Timer
from agent.model.alert import Severity, severity_of
from agent.model.change import ChangeState
from agent.model.incident import Incident, IncidentState, Level, Priority
from agent.model.reason import Reason
from agent.model.service import EntityRef, ServiceMap

UNSETTLED_KEPT = timedelta(days=7)
"""How long a ticketing tool may be away and still hear how an incident ended."""
ENTITIES_NAMED_MAX = 100
ACTING = (ChangeState.STARTING, ChangeState.RUNNING, ChangeState.VERIFYING)
COUNTED_AT_ONCE = 10
"""The counts of an incident of more alerts may lag behind by `BUCKET_S` seconds."""

_RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.UNKNOWN: 2, Severity.INFO: 3}
_URGENCY = {
    Severity.CRITICAL: Level.HIGH,
    Severity.WARNING: Level.MEDIUM,
    Severity.UNKNOWN: Level.MEDIUM,
    Severity.INFO: Level.LOW,
}
_MATRIX = {
    (impact, urgency): Priority(impact + urgency - 1) for impact in Level for urgency in Level
}


def live(state: State, draft: Draft) -> None:
    """Bring every incident with news up to date."""
    for identifier in list(draft.touched):
        incident = state.incidents.get(identifier)
        if incident is not None and incident.is_live:
            _tell_joined(state, draft, identifier)
            members = state.members[identifier]
            _assess(state, draft, incident, members)
            until_clear.judge(state, draft, state.incidents[identifier], members)


def acknowledge(state: State, draft: Draft, incident: Incident, by: str) -> Incident:
    """A person took note: the response clock stops."""
    draft.note(incident.id, Reason.ACKNOWLEDGED, f"acknowledged by {by}", actor=by)
    return draft.set_incident(
        state,
        incident,
        acknowledged_by=by,
        acknowledged_at=draft.at,
        assignee=incident.assignee or by,
    )


def resolve(state: State, draft: Draft, incident: Incident, reason: Reason, text: str) -> None:
    """Service is restored; the incident closes after the quiet time."""
    draft.set_incident(
        state,
        incident,
        state=IncidentState.RESOLVED,
        resolved_at=draft.at,
        resolution=reason,
        alerts=state.members[incident.id].alerts,
        firing=len(state.members[incident.id].firing),
    )
    draft.note(incident.id, reason, text)
    state.schedule(draft.at + _quiet(state, reason), Timer.QUIET, incident.id)


def close_when_quiet(state: State, draft: Draft, identifier: str) -> None:
    """Close a resolved incident that stayed quiet; drop a closed one from memory in time."""
    incident = state.incidents.get(identifier)
    if incident is None:
        return
    if incident.closed_at is not None:
        if incident.closed_at + CLOSED_KEPT <= draft.at:
            _drop(state, draft, identifier)
        return
    if incident.state is not IncidentState.RESOLVED or incident.resolved_at is None:
        draft.touched[identifier] = None
        return
    quiet = _quiet(state, incident.resolution)
    if incident.resolved_at + quiet > draft.at:
        # It was resolved anew, or the rule set asks for a longer quiet since.
        timer = (incident.resolved_at + quiet, Timer.QUIET, identifier)
        if timer not in state.timers:
            state.schedule(*timer)
        return
    if state.members[identifier].firing:
        _contradict(state, draft, incident)
        return
    if any(_is_under_way(state, change) for change in incident.changes):
        # Whether it helped is part of the story; nobody closes a story that goes on.
        state.schedule(draft.at + quiet, Timer.QUIET, identifier)
        return
    incident = lessons.learn(state, draft, incident, state.members[identifier])
    members = state.members.pop(identifier)
    corrected.release(state, identifier, members.corrected)
    flapping.carry(state, list(members.flapping), into=None)
    observe.closed(state, identifier, members)
    draft.closed[identifier] = signature(incident, members)
    state.derived.reach.gone(identifier)
    for likeness in members.unplaced:
        state.derived.likeness_gone(likeness, identifier)
    was_resting = incident.until_clear is not None
    draft.set_incident(
        state, incident, state=IncidentState.CLOSED, closed_at=draft.at, until_clear=None
    )
    draft.note(identifier, Reason.QUIET, "closed: nothing fired again in the quiet time")
    if was_resting:
        draft.note(identifier, Reason.CLEAR, "it has been clear for the quiet time")
    state.schedule(draft.at + CLOSED_KEPT, Timer.QUIET, identifier)


def _is_under_way(state: State, identifier: str) -> bool:
    change = state.changes.get(identifier)
    return change is not None and change.state in ACTING


def _contradict(state: State, draft: Draft, incident: Incident) -> None:
    """Somebody said that service is restored, and it still fires: nothing is closed over that.

    What is muted waits, and is looked at again after another quiet time.
    """
    firing = [state.alerts[name] for name in state.members[incident.id].firing]
    loud = [active for active in firing if not active.suppressed_by]
    if not loud:
        state.schedule(draft.at + state.config.correlation.quiet, Timer.QUIET, incident.id)
        return
    more = f" and {len(loud) - 1} more" if len(loud) > 1 else ""
    first = loud[0]
    place = state.config.service_map.label(first.entity) if first.entity else "an unknown place"
    verb = "still fire" if more else "still fires"
    reopen(state, draft, incident, f"{first.alert.name} on {place}{more} {verb}")


def _drop(state: State, draft: Draft, identifier: str) -> None:
    """Forget a closed incident, unless something is still under way for it."""
    closed_at = state.incidents[identifier].closed_at or draft.at
    waits_for_tool = draft.at < closed_at + UNSETTLED_KEPT and sync.is_unsettled(state, identifier)
    if waits_for_tool or any(
        change.is_open and change.incident == identifier for change in state.changes.values()
    ):
        state.schedule(draft.at + CLOSED_KEPT, Timer.QUIET, identifier)
        return
    del state.incidents[identifier]
    state.tickets.pop(identifier, None)
    for change in [c for c in state.changes.values() if c.incident == identifier]:
        forget(state, change)


def check_clock(
    state: State, draft: Draft, timer: Timer, identifier: str, set_for: datetime
) -> None:
    """A clock has run out: say so once, if it still matters and was not set anew since."""
    incident = state.incidents.get(identifier)
    if incident is None or incident.state is not IncidentState.OPEN:
        return
    if timer is Timer.RESPONSE:
        due, reason, text = (
            incident.response_due if incident.acknowledged_at is None else None,
            Reason.RESPONSE_OVERDUE,
            "nobody has acknowledged this within the response target",
        )
    else:
        due, reason, text = (
            incident.restoration_due,
            Reason.RESTORATION_OVERDUE,
            "service is not restored within its target",
        )
    if due == set_for:
        draft.note(identifier, reason, text)
        draft.overdue[identifier] = None
        draft.touched[identifier] = None


def _tell_joined(state: State, draft: Draft, identifier: str) -> None:
    """One line a step for joiners of a new kind or place, with how they were found to belong."""
    by_reason: dict[Reason, list[str]] = {}
    for fingerprint in draft.newcomers.get(identifier, ()):
        active = state.alerts.get(fingerprint)
        if active is not None and active.joined_by not in (None, Reason.INCIDENT_OPENED):
            by_reason.setdefault(active.joined_by, []).append(fingerprint)
    for reason, fingerprints in by_reason.items():
        names = dict.fromkeys(
            f"{state.alerts[name].alert.name} on "
            + state.config.service_map.label(state.alerts[name].entity or "an unknown place")
            for name in fingerprints[:3]
        )
        more = f" and {len(fingerprints) - 3} more" if len(fingerprints) > 3 else ""
        draft.note(identifier, reason, ", ".join(names) + more, alerts=tuple(fingerprints))


def _assess(state: State, draft: Draft, incident: Incident, members: Members) -> None:
    firing = len(members.firing)
    changed = incident.id in draft.cause_changed
    severity = _severity(state, draft, incident, members)
    if incident.response_due is None or severity is not incident.severity:
        changed = True
    if len(incident.entities) != min(len(members.entities), ENTITIES_NAMED_MAX):
        changed = True
    if changed:
        incident = _judge(state, draft, incident, members, severity)
    else:
        incident = _count(state, draft, incident, members)
    if firing and incident.state is IncidentState.RESOLVED and incident.id in draft.joined:
        reopen(state, draft, incident, "it fired again within the quiet time")
    elif not firing and not members.flapping and incident.state is IncidentState.OPEN:
        _settle(state, draft, incident, members)


def _settle(state: State, draft: Draft, incident: Incident, members: Members) -> None:
    """Nothing of it fires: states have cleared, but events are over when no more are heard of."""
    if members.is_lasting or incident.changes:
        resolve(state, draft, incident, Reason.ALERTS_CLEARED, "all its alerts have cleared")
        return
    over = members.last_alert_at + state.config.correlation.window
    if over < draft.at:
        resolve(state, draft, incident, Reason.QUIET, "only events, and no more were heard of")
    else:
        state.schedule(over + MOMENT, Timer.QUIET, incident.id)


def _quiet(state: State, resolution: Reason | None) -> timedelta:
    """How long a resolved incident waits for its alerts to come back; events do not."""
    return MOMENT if resolution is Reason.QUIET else state.config.correlation.quiet


def reopen(state: State, draft: Draft, incident: Incident, text: str) -> None:
    """A resolved incident is open again, with its counts as they are."""
    members = state.members[incident.id]
    draft.set_incident(
        state,
        incident,
        state=IncidentState.OPEN,
        resolved_at=None,
        resolution=None,
        automated=False,
        reopened=incident.reopened + 1,
        alerts=members.alerts,
        firing=len(members.firing),
    )
    draft.note(incident.id, Reason.INCIDENT_REOPENED, text)


def count(state: State, draft: Draft, bucket: str) -> None:
    """Write down how many alerts the storms of a slice of time have brought so far."""
    for identifier in state.buckets.pop(bucket, ()):
        incident = state.incidents.get(identifier)
        if incident is not None and incident.is_live:
            members = state.members[identifier]
            members.is_counting = False
            draft.set_incident(state, incident, alerts=members.alerts, firing=len(members.firing))


def _count(state: State, draft: Draft, incident: Incident, members: Members) -> Incident:
    """Few alerts are counted at once; more only now and then, so that a storm's stay cheap."""
    firing = len(members.firing)
    if (members.alerts, firing) == (incident.alerts, incident.firing):
        return incident
    if members.alerts <= COUNTED_AT_ONCE:
        return draft.set_incident(state, incident, alerts=members.alerts, firing=firing)
    if not members.is_counting:
        members.is_counting = True
        state.bucket(Timer.COUNT, draft.at, incident.id)
    return incident


def _severity(state: State, draft: Draft, incident: Incident, members: Members) -> Severity:
    """The worst that it ever was: an incident does not grow harmless while it lasts."""
    worst = incident.severity
    if worst is Severity.CRITICAL:
        return worst
    for fingerprint in draft.joined.get(incident.id, ()):
        if fingerprint in members.firing:
            severity = severity_of(state.alerts[fingerprint].alert.labels)
            if _RANK[severity] < _RANK[worst]:
                worst = severity
    return worst


def _judge(
    state: State, draft: Draft, incident: Incident, members: Members, severity: Severity
) -> Incident:
    service_map = state.config.service_map
    services, level = impact.services(state, members), impact.level(members)
    priority = _MATRIX[level, _URGENCY[severity]]
    is_new, before = incident.response_due is None, incident.priority
    if not is_new and priority != before:
        draft.note(
            incident.id,
            Reason.PRIORITY_CHANGED,
            f"P{incident.priority} to P{priority}: impact {level.name.lower()}, "
            f"urgency {_URGENCY[severity].name.lower()}",
        )
    incident = draft.set_incident(
        state,
        incident,
        severity=severity,
        impact=level,
        urgency=_URGENCY[severity],
        priority=priority,
        entities=tuple(list(members.entities)[:ENTITIES_NAMED_MAX]),
        services=services,
        owner=_owner(service_map, incident.cause),
        title=_title(service_map, incident, services),
        alerts=members.alerts,
        firing=len(members.firing),
    )
    if is_new or priority < before:
        incident = _start_clocks(state, draft, incident)
    return incident


def _start_clocks(state: State, draft: Draft, incident: Incident) -> Incident:
    targets = state.config.targets[incident.priority]
    response_due = incident.opened_at + targets.response
    restoration_due = incident.opened_at + targets.restoration
    if response_due != incident.response_due:
        state.schedule(response_due, Timer.RESPONSE, incident.id)
    if restoration_due != incident.restoration_due:
        state.schedule(restoration_due, Timer.RESTORATION, incident.id)
    return draft.set_incident(
        state, incident, response_due=response_due, restoration_due=restoration_due
    )


def _owner(service_map: ServiceMap, cause: EntityRef | None) -> EntityRef | None:
    entity = service_map.entities.get(cause) if cause else None
    while entity is not None and entity.owner is None and entity.part_of is not None:
        entity = service_map.entities.get(entity.part_of)
    return entity.owner if entity else None


def _title(
    service_map: ServiceMap,
    incident: Incident,
    services: tuple[EntityRef, ...],
) -> str:
    """What is broken and for whom, in the map's own names."""
    cause = incident.cause
    if cause is None:
        return incident.summary
    above = {ref for ref, _ in service_map.above(cause, HOPS_MAX)}
    hit = [ref for ref in services if ref in above]
    what = service_map.label(cause)
    if not hit:
        return f"{what}: {incident.summary}"
    # What people use is what nothing else that is hit rests on: not the gateway before it.
    between = {lower for ref in hit for lower in service_map.dependencies.get(ref, ())}
    used = next((ref for ref in hit if ref not in between), hit[0])
    return f"{what} disturbs {service_map.label(used)}"
