"""The forward schedule of change as iCalendar (RFC 5545): what shall run when, and may not.

The library escapes and folds all text. Not here: who may read it, or what is planned (`core`).
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from icalendar import Calendar as ICalendar
from icalendar import Event

from agent.core.policy.calendar import takes
from agent.core.state import State
from agent.core.timetable import Named
from agent.model.calendar import Calendar, CalendarPurpose
from agent.model.change import Change, ChangeState
from agent.model.interval import Interval

MEDIA_TYPE = "text/calendar"
EVENTS_MAX = 5_000
"""Of changes, and of windows: more than any person reads, and what a client still takes."""
SHOWN = (CalendarPurpose.PERMIT, CalendarPurpose.FREEZE)
UNDER_WAY = (ChangeState.STARTING, ChangeState.RUNNING, ChangeState.VERIFYING, ChangeState.UNKNOWN)
_LENGTH_UNKNOWN = timedelta(minutes=15)
_STATUS = {ChangeState.DRAFT, ChangeState.ASSESSED, ChangeState.AWAITING_APPROVAL}


def schedule(state: State, at: datetime) -> bytes:
    """Open changes with the time at which they would run, and windows and freezes around now.

    An event keeps its UID for good; its SEQUENCE grows with each new plan of its change.
    """
    calendar = ICalendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//Watchkeeper//Forward schedule of change//EN")
    calendar.add("X-WR-CALNAME", "Forward schedule of change")
    calendar.add("REFRESH-INTERVAL", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    place = state.installation or "watchkeeper"
    changes = sorted(
        (change for change in state.changes.values() if change.is_open),
        key=lambda change: (change.requested_at, change.id),
    )
    for change in changes[:EVENTS_MAX]:
        calendar.add_component(_change(state, change, at, place))
    for named in list(_windows(state.calendars.values()))[:EVENTS_MAX]:
        calendar.add_component(_window(named, at, place))
    content: bytes = calendar.to_ical()
    return content


def planned(state: State, change: Change, at: datetime) -> Interval:
    """When an open change would run, as far as anybody knows: it may take all of its time.

    One that waits for people and has no window stands from now until it is dropped.
    """
    remediation = state.config.remediations.get(change.remediation)
    length = takes(remediation) if remediation else _LENGTH_UNKNOWN
    if change.started_at is not None or change.state in UNDER_WAY:
        start = change.started_at or at
        return Interval(start, max(start + length, at + timedelta(seconds=1)))
    if change.state is ChangeState.AWAITING_APPROVAL and change.window is None:
        start = max(change.not_before or change.requested_at, change.requested_at)
        return Interval(start, max(change.due_at or start, start + length))
    opens = change.window.start if change.window else change.requested_at
    start = change.scheduled_for or max(opens, change.not_before or opens, at)
    return Interval(start, start + length)


def _change(state: State, change: Change, at: datetime, place: str) -> Event:
    event = Event()
    when = planned(state, change, at)
    word = change.state.replace("_", " ")
    event.add("UID", f"{change.id}@{place}.watchkeeper")
    event.add("DTSTAMP", at)
    event.add("SEQUENCE", change.plans)
    event.add("LAST-MODIFIED", change.planned_at or change.requested_at)
    event.add("CREATED", change.requested_at)
    event.add("DTSTART", when.start)
    event.add("DTEND", when.end)
    event.add("SUMMARY", f"{change.id} {change.title} ({word})")
    event.add("DESCRIPTION", "\n".join(_lines(change)))
    event.add("CATEGORIES", ["change", change.type.value])
    event.add("STATUS", "TENTATIVE" if change.state in _STATUS else "CONFIRMED")
    event.add("CONTACT", change.requested_by)
    event.add("X-WATCHKEEPER-ENTITIES", change.entity)
    return event


def _lines(change: Change) -> Iterator[str]:
    yield f"On {change.entity}: {', '.join(host.name for host in change.hosts) or 'no host'}"
    yield f"Asked for by {change.requested_by}"
    if change.decision is not None:
        yield f"Policy: {change.decision.verdict}: {change.decision.text}"
    if change.approvals:
        yield "Approved by " + ", ".join(approval.by for approval in change.approvals)
    if change.window is not None:
        window = change.window
        yield f"Window: {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC"


def _windows(calendars: Iterable[Calendar]) -> Iterator[Named]:
    """Windows and freezes that changes are bound to, the earliest first."""
    found = (
        Named(calendar.name, window)
        for calendar in calendars
        for window in calendar.windows
        if any(purpose in SHOWN for purpose in window.purposes)
    )
    yield from sorted(found, key=lambda named: (named.window.interval, named.calendar, str(named)))


def _window(named: Named, at: datetime, place: str) -> Event:
    window = named.window
    told = (named.calendar, window.interval.start.isoformat(), window.summary, *window.entities)
    event = Event()
    digest = hashlib.sha256("\0".join(told).encode()).hexdigest()[:32]
    event.add("UID", f"{digest}@{place}.watchkeeper")
    event.add("DTSTAMP", at)
    event.add("DTSTART", window.interval.start)
    event.add("DTEND", window.interval.end)
    event.add("SUMMARY", window.summary or named.calendar)
    event.add("CATEGORIES", [purpose.value for purpose in window.purposes])
    event.add("TRANSP", "TRANSPARENT")
    if window.why:
        event.add("DESCRIPTION", window.why)
    if window.who:
        event.add("CONTACT", window.who)
    if window.entities:
        event.add("X-WATCHKEEPER-ENTITIES", ",".join(window.entities))
    return event
