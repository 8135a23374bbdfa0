"""The life of alerts: what a statement of a source means, given what is known already.

Statements come late, twice and out of order. An occurrence is (fingerprint, start); a late word
about an old occurrence never touches a newer one.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.core import flapping
from agent.core.correlation.join import join, leave
from agent.core.draft import Draft, Moments
from agent.core.drift import observe
from agent.core.record import alert_record
from agent.core.state import ActiveAlert, EndedAlert, State, Timer
from agent.core.suppress import judge, mute_more, reconsider, suppressors
from agent.model.alert import Alert, EndedBy, Severity, severity_of
from agent.model.entry import AlertsReceived, LeasesRenewed
from agent.model.labels import fingerprint
from agent.model.rule import Heartbeat

LATENESS = timedelta(hours=1)
"""How long words about what is over may still come. Prometheus repeats them for 15 minutes."""
LEASE_AFTER_ABSENCE = timedelta(minutes=5)
"""Longer than any sender waits before it repeats (Prometheus: about a minute)."""
OWN_SOURCE = "watchkeeper"


def receive(state: State, draft: Draft, received: AlertsReceived) -> None:
    """Take in what a source states, in the order in which it states it.

    But what may inhibit others comes first: of one breath, no target is earlier than its source.
    """
    alerts = received.alerts
    if state.derived.inhibitions:
        alerts = tuple(sorted(alerts, key=lambda alert: not state.derived.is_source(alert.labels)))
    for alert in alerts:
        take(state, draft, alert, received.source)


def take(state: State, draft: Draft, alert: Alert, source: str) -> None:
    """Take in one statement: a start, a repeat, an end, or a word too late to matter."""
    active = state.alerts.get(alert.fingerprint)
    if active is None:
        ended = state.ended.get(alert.fingerprint)
        if ended is not None and not _is_news(alert, ended):
            if alert.ends_at is not None and alert.starts_at == ended.starts_at:
                # What was a guess is a fact now: this occurrence cannot come back any more.
                state.ended[alert.fingerprint] = replace(ended, by=EndedBy.RESOLVED)
            return
        if alert.ends_at is None:
            _start(state, draft, alert, source)
        else:
            _remember_end(state, alert.fingerprint, alert.starts_at, alert.ends_at)
        return
    known = active.alert
    if alert.starts_at < known.starts_at:
        return
    if alert.ends_at is not None:
        end(state, draft, active, by=EndedBy.RESOLVED, at=alert.ends_at)
        # It may be a newer occurrence of which only the end was heard.
        ended = state.ended[alert.fingerprint]
        state.ended[alert.fingerprint] = replace(ended, starts_at=alert.starts_at)
    elif alert.starts_at > known.starts_at:
        end(state, draft, active, by=EndedBy.REFIRED, at=alert.starts_at)
        _start(state, draft, alert, source)
    else:
        active.alert = alert
        renew(state, draft, active, alert.expires_at)
        for heartbeat in active.beats:
            _beat(state, draft, heartbeat, draft.at)


def renew_all(state: State, draft: Draft, renewed: LeasesRenewed) -> None:
    """Move the expiry of alerts that were repeated."""
    for name, expires_at in renewed.expires_at.items():
        active = state.alerts.get(name)
        if active is not None:
            renew(state, draft, active, expires_at)
    for name, at in renewed.beats.items():
        active = state.alerts.get(name)
        for heartbeat in active.beats if active is not None else ():
            _beat(state, draft, heartbeat, at)


def renew(state: State, draft: Draft, active: ActiveAlert, expires_at: datetime | None) -> None:
    """The alert still fires: its lease moves on."""
    if expires_at is not None and active.expires_at is None:
        state.bucket(Timer.LEASE, expires_at, active.alert.fingerprint)
    if expires_at is not None and (active.expires_at is None or expires_at > active.expires_at):
        active.expires_at, active.is_repeated = expires_at, True


def extend_leases(state: State, draft: Draft) -> None:
    """Nobody listened for a while: give every sender the time to repeat what still fires."""
    until = draft.at + LEASE_AFTER_ABSENCE
    for active in state.alerts.values():
        if active.expires_at is not None and active.expires_at < until:
            active.expires_at = until
    for name in state.heartbeats:
        if state.heartbeats[name] < until:
            state.heartbeats[name] = until
            state.schedule(until, Timer.HEARTBEAT, name)


def expire(state: State, draft: Draft, bucket: str) -> None:
    """End what was not repeated in time; what was, waits for its new moment."""
    for name in state.buckets.pop(bucket, ()):
        active = state.alerts.get(name)
        if active is None or active.expires_at is None:
            continue
        if active.expires_at <= draft.at:
            end(state, draft, active, by=EndedBy.EXPIRED, at=active.expires_at)
        else:
            state.bucket(Timer.LEASE, active.expires_at, name)


def forget(state: State, draft: Draft, bucket: str) -> None:
    """Drop the memory of occurrences about which no late word is expected any more."""
    for name in state.buckets.pop(bucket, ()):
        ended = state.ended.get(name)
        if ended is not None and ended.ends_at + LATENESS <= draft.at:
            del state.ended[name]


def end(state: State, draft: Draft, active: ActiveAlert, *, by: EndedBy, at: datetime) -> None:
    """The occurrence is over."""
    alert = active.alert
    name = alert.fingerprint
    del state.alerts[name]
    state.suppressed.pop(name, None)
    _remember_end(state, name, alert.starts_at, at, by=by, heard_at=active.heard_at)
    if active.entity is not None:
        counts = state.firing_at[active.entity]
        severity = severity_of(alert.labels)
        counts[severity] -= 1
        if not counts[severity]:
            del counts[severity]
            mended = at if severity is Severity.CRITICAL else None
            draft.touch(active.entity, Moments(ended=at, mended=mended))
        if not counts:
            del state.firing_at[active.entity]
    draft.record(alert_record(active, ends_at=at, by=by))
    draft.ended[name] = None
    if by is EndedBy.RESOLVED:
        flapping.cleared(state, draft, active, at)
    leave(state, draft, active, by)
    if state.derived.alert_ended(name, alert.labels):
        release(state, draft)


def release(state: State, draft: Draft) -> None:
    """Let count what nothing mutes any more."""
    for active in reconsider(state, draft):
        if active.incident is None:
            join(state, draft, active)
            flapping.settle(state, draft, active)
        else:
            draft.freed[active.alert.fingerprint] = None


def replace_all(state: State, draft: Draft) -> None:
    """The map or what mutes may have changed: place and judge everything that fires anew."""
    state.firing_at.clear()
    for active in list(state.alerts.values()):
        labels = active.alert.labels
        active.entity = state.derived.places.find(labels)
        if active.entity is not None:
            counts = state.firing_at.setdefault(active.entity, {})
            severity = severity_of(labels)
            counts[severity] = counts.get(severity, 0) + 1
            draft.began(active.entity, severity, active.alert.starts_at)
    mute_more(state, draft)
    release(state, draft)
    for entity in state.health:
        draft.touch(entity)
        for dependant in state.config.service_map.dependants.get(entity, ()):
            draft.touch(dependant)


def await_heartbeats(state: State, draft: Draft) -> None:
    """Expect the heartbeats of the rule set from now on, and no others."""
    expected = {heartbeat.name for heartbeat, _ in state.derived.heartbeats}
    for name in [name for name in state.heartbeats if name not in expected]:
        del state.heartbeats[name]
        for active in list(state.alerts.values()):
            if active.source == OWN_SOURCE and active.alert.labels.get("heartbeat") == name:
                end(state, draft, active, by=EndedBy.RESOLVED, at=draft.at)
    for heartbeat, _ in state.derived.heartbeats:
        if heartbeat.name not in state.heartbeats:
            _beat(state, draft, heartbeat.name, draft.at)


def miss(state: State, draft: Draft, name: str) -> None:
    """A heartbeat may have been silent for too long: that silence is an alert."""
    alive_until = state.heartbeats.get(name)
    if alive_until is not None and alive_until <= draft.at:
        take(state, draft, _lost(_heartbeat(state, name), alive_until), OWN_SOURCE)


def _start(state: State, draft: Draft, alert: Alert, source: str) -> None:
    labels, name = alert.labels, alert.fingerprint
    entity = state.derived.places.find(labels)
    muted = suppressors(state, labels, entity, draft.at)
    ended = state.ended.pop(name, None)
    is_back = ended is not None and ended.starts_at == alert.starts_at
    heard_at = ended.heard_at if ended and is_back else None
    active = ActiveAlert(
        alert=alert,
        source=source,
        heard_at=heard_at or state.hear(draft.at),
        entity=entity,
        suppressed_by=muted,
        expires_at=alert.expires_at,
    )
    state.alerts[name] = active
    observe.placed(state, entity, alert, draft.at)
    flapping.began(state, draft, active, ended)
    if alert.expires_at is not None:
        state.bucket(Timer.LEASE, alert.expires_at, name)
    if state.derived.inhibitions:
        for target in state.derived.alert_started(name, labels):
            judge(state, state.alerts[target], draft.at)
    if entity is not None:
        counts = state.firing_at.setdefault(entity, {})
        severity = severity_of(labels)
        counts[severity] = already = counts.get(severity, 0) + 1
        if already == 1:
            # More of the same leaves the health as it is.
            draft.began(entity, severity, alert.starts_at)
    if muted:
        state.suppressed[name] = None
        for heartbeat in active.beats:
            _beat(state, draft, heartbeat, draft.at)
    else:
        join(state, draft, active)
        flapping.settle(state, draft, active)


def _is_news(alert: Alert, ended: EndedAlert) -> bool:
    if alert.starts_at != ended.starts_at:
        return alert.starts_at > ended.starts_at
    # The same occurrence again: only one that ended by our own guess can come back.
    return alert.ends_at is None and ended.by is EndedBy.EXPIRED


def _remember_end(
    state: State,
    name: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    by: EndedBy = EndedBy.RESOLVED,
    heard_at: datetime | None = None,
) -> None:
    state.ended[name] = EndedAlert(starts_at, ends_at, by, heard_at)
    state.bucket(Timer.FORGET, ends_at + LATENESS, name)


def _heartbeat(state: State, name: str) -> Heartbeat:
    return next(beat for beat, _ in state.derived.heartbeats if beat.name == name)


def _beat(state: State, draft: Draft, name: str, at: datetime) -> None:
    """It was heard then, which may be a while ago: repeats are written in batches."""
    heartbeat = _heartbeat(state, name)
    alive_until = at + heartbeat.within
    known = state.heartbeats.get(name)
    if at < draft.at and (alive_until <= draft.at or (known is not None and alive_until <= known)):
        return
    state.heartbeats[name] = alive_until
    state.schedule(alive_until, Timer.HEARTBEAT, name)
    lost = state.alerts.get(_lost(heartbeat, draft.at).fingerprint)
    if lost is not None:
        end(state, draft, lost, by=EndedBy.RESOLVED, at=draft.at)


def _lost(heartbeat: Heartbeat, since: datetime) -> Alert:
    labels = {
        "alertname": "HeartbeatLost",
        "heartbeat": heartbeat.name,
        "severity": heartbeat.severity.value,
    }
    seconds = int(heartbeat.within.total_seconds())
    return Alert(
        fingerprint=fingerprint(labels),
        labels=labels,
        annotations={
            "summary": f"The heartbeat {heartbeat.name} has been silent for {seconds} s: "
            "what sends it, or the way from there to here, is broken."
        },
        starts_at=since,
    )
