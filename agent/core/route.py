"""Who is told: incidents to receivers, grouped and repeated as Alertmanager's words mean it."""

from datetime import datetime, timedelta

from agent.core import facts
from agent.core.draft import Draft
from agent.core.state import NotifyGroup, State, Timer
from agent.model.change import Change, ChangeState
from agent.model.effect import Notify
from agent.model.entry import NotificationRefused, NotificationSent
from agent.model.incident import Incident, IncidentState, Priority
from agent.model.reason import Reason
from agent.model.rule import Route

INCIDENTS_TOLD_MAX = 20
"""A notification lists at most this many incidents."""
RETRY_FIRST = timedelta(seconds=15)
RETRY_MAX = timedelta(minutes=5)


def route(state: State, draft: Draft) -> None:
    """Put incidents with news into the groups of their receivers."""
    for identifier in draft.touched:
        incident = state.incidents.get(identifier)
        if incident is None or not _is_news(draft, incident):
            continue
        for rule, condition in state.derived.routes:
            if facts.concerns(state, incident, condition):
                _add(state, draft, rule, incident)


def flush(state: State, draft: Draft, key: str) -> None:
    """The moment of a group has come: tell what is new, or repeat what is still open."""
    group = state.groups.get(key)
    rule = next((r for r, _ in state.derived.routes if key.startswith(f"{r.name}|")), None)
    if group is None or group.due is None or draft.at < group.due:
        return
    group.due = None
    if rule is None:
        del state.groups[key]
        return
    if group.sending is not None:
        return
    incidents = [state.incidents[i] for i in group.incidents if i in state.incidents]
    loud = [incident for incident in incidents if not _is_muted(state, incident)]
    if incidents and not loud:
        # What mutes them may end at any time, and nobody would say so.
        _wake(state, key, draft.at + rule.group_interval)
        return
    is_open = any(incident.state is IncidentState.OPEN for incident in loud)
    if not (group.fresh or is_open) or not loud or not _is_due(group, rule, draft.at):
        _plan(state, draft, key, group, rule, incidents)
        return
    fresh = [incident for incident in loud if incident.id in group.fresh] or loud
    for incident in fresh:
        group.fresh.pop(incident.id, None)
    group.sending = draft.ask(state, lambda effect: _notify(state, rule, key, effect, fresh))


def sent(state: State, draft: Draft, said: NotificationSent) -> None:
    """A receiver was told."""
    effect = state.outbox.notify.get(said.effect)
    state.outbox.take(said.effect)
    if effect is None:
        return
    for identifier in effect.incidents:
        draft.note(identifier, Reason.NOTIFIED, f"{effect.receiver} was told")
    group = state.groups.get(effect.group)
    if group is not None:
        group.sending, group.sent_at, group.failures = None, draft.at, 0
        _after(state, draft, effect.group, group)


def refused(state: State, draft: Draft, said: NotificationRefused) -> None:
    """A receiver could not be told: try again, say so in the story."""
    effect = state.outbox.notify.get(said.effect)
    state.outbox.take(said.effect)
    if effect is None:
        return
    group = state.groups.get(effect.group)
    if group is None:
        return
    group.sending = None
    group.failures += 1
    if group.failures == 1 or said.is_final:
        for identifier in effect.incidents:
            text = f"{effect.receiver} could not be told: {said.problem}"
            draft.note(identifier, Reason.NOTIFICATION_REFUSED, text)
    if said.is_final:
        group.sent_at, group.failures = draft.at, 0
        _after(state, draft, effect.group, group)
    else:
        group.fresh.update(dict.fromkeys(effect.incidents))
        delay = min(RETRY_MAX, RETRY_FIRST * 2 ** min(group.failures - 1, 10))
        _wake(state, effect.group, draft.at + delay)


def _is_news(draft: Draft, incident: Incident) -> bool:
    """Opening, a new cause, a clock, an approval wanted, resolution: not every alert."""
    if incident.id in draft.overdue or incident.id in draft.cause_changed:
        return True
    if draft.at in (incident.opened_at, incident.resolved_at):
        return True
    return draft.has_news(incident.id)


def _add(state: State, draft: Draft, rule: Route, incident: Incident) -> None:
    key = "|".join([rule.name, *(_group_value(incident, name) for name in rule.group_by)])
    group = state.groups.get(key)
    if group is None:
        if incident.state is not IncidentState.OPEN:
            return
        state.groups[key] = group = NotifyGroup()
        _wake(state, key, draft.at + rule.group_wait)
    elif group.sending is None:
        due = draft.at + rule.group_wait
        if group.sent_at is not None:
            due = max(draft.at, group.sent_at + rule.group_interval)
        if incident.state is not IncidentState.OPEN and rule.group_by == ("incident",):
            due = draft.at
        _wake(state, key, due)
    group.incidents[incident.id] = None
    group.fresh[incident.id] = None


def _group_value(incident: Incident, name: str) -> str:
    values = {
        "incident": incident.id,
        "owner": incident.owner or "",
        "priority": f"P{incident.priority}",
        "cause": incident.cause or "",
    }
    return values[name]


def _wake(state: State, key: str, due: datetime) -> None:
    """Look at a group then, unless it is looked at earlier anyway."""
    group = state.groups[key]
    if group.due is None or due < group.due:
        group.due = due
        state.schedule(due, Timer.GROUP, key)


def _is_due(group: NotifyGroup, rule: Route, at: datetime) -> bool:
    if group.fresh or group.sent_at is None:
        return True
    return at - group.sent_at >= rule.repeat_interval


def _after(state: State, draft: Draft, key: str, group: NotifyGroup) -> None:
    rule = next((r for r, _ in state.derived.routes if key.startswith(f"{r.name}|")), None)
    if rule is None:
        del state.groups[key]
        return
    incidents = [state.incidents[i] for i in group.incidents if i in state.incidents]
    if group.fresh:
        _wake(state, key, draft.at + rule.group_interval)
        return
    _plan(state, draft, key, group, rule, incidents)


def _plan(  # noqa: PLR0917 - the group and everything it is about
    state: State,
    draft: Draft,
    key: str,
    group: NotifyGroup,
    rule: Route,
    incidents: list[Incident],
) -> None:
    """Keep a group while something of it is open, and wake for its repeat."""
    still_open = [i for i in incidents if i.state is IncidentState.OPEN]
    if not still_open and not group.fresh:
        reopening = [i for i in incidents if i.state is IncidentState.RESOLVED]
        if not reopening:
            del state.groups[key]
            return
    _wake(state, key, draft.at + rule.repeat_interval)


def _is_muted(state: State, incident: Incident) -> bool:
    if incident.until_clear is not None and incident.is_live:
        return True
    members = state.members.get(incident.id)
    if members is None or not members.firing:
        return False
    return all(state.alerts[name].suppressed_by for name in members.firing)


def _asks(change: Change) -> str:
    """What a change wants of people, in words; empty where it wants nothing."""
    if change.state is ChangeState.AWAITING_APPROVAL:
        return f"waits for approval: {change.title}"
    duty = change.retro
    if duty is None or not duty.is_open:
        return ""
    due = f"{duty.due_at:%Y-%m-%d %H:%M} UTC"
    if duty.is_overdue:
        return f"nobody has answered for this emergency in time, that was {due}: {change.title}"
    return f"was an emergency, somebody else has to answer for it until {due}: {change.title}"


def _notify(state: State, rule: Route, key: str, effect: str, incidents: list[Incident]) -> Notify:
    label = state.config.service_map.label
    resolved = all(i.state is not IncidentState.OPEN for i in incidents)
    lines: list[str] = []
    for incident in incidents[:INCIDENTS_TOLD_MAX]:
        lines.append(f"{incident.id} P{incident.priority} {incident.state}: {incident.title}")
        if incident.services:
            lines.append("  affects " + ", ".join(label(ref) for ref in incident.services[:5]))
        if incident.causes:
            why = "; ".join(incident.causes[0].evidence_for)
            lines.append(f"  probable cause {label(incident.causes[0].entity)}: {why}")
        changes = [state.changes[i] for i in incident.changes if i in state.changes]
        lines += [f"  {change.id} {asks}" for change in changes if (asks := _asks(change))]
        if incident.workaround:
            known = incident.workaround
            lines.append(f"  known error {known.problem}: {known.cause}; {known}")
        lines += [f"  ticket {ticket.url}" for ticket in incident.tickets]
    first = incidents[0]
    more = f" and {len(incidents) - 1} more" if len(incidents) > 1 else ""
    word = "RESOLVED" if resolved else f"P{first.priority}"
    return Notify(
        id=effect,
        receiver=rule.receiver,
        group=key,
        title=f"[{word}] {first.title}{more}",
        body="\n".join(lines),
        priority=min((i.priority for i in incidents), default=Priority.P5),
        incidents=tuple(incident.id for incident in incidents),
        resolved=resolved,
    )
