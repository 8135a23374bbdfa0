"""When: freezes and change windows. What would not end before its window closes does not start."""

from datetime import datetime, timedelta

from agent.core.policy.answers import deferred, refused
from agent.core.state import State
from agent.model.calendar import Calendar, CalendarPurpose
from agent.model.change import Change, ChangeType
from agent.model.interval import Interval
from agent.model.policy import Decision
from agent.model.reason import Reason


def freeze(state: State, change: Change, at: datetime) -> Decision | None:
    """No freeze covers any part of the time that it may take."""
    if change.type is ChangeType.EMERGENCY:
        return None
    remediation = state.config.remediations[change.remediation]
    needed = Interval(at, at + remediation.timeout + timedelta(seconds=1))
    for calendar in _calendars(state, change, CalendarPurpose.FREEZE):
        for window in calendar.windows:
            if window.interval.clip(needed) is not None:
                name = window.summary or calendar.name
                text = f"{name} is a freeze until {_clock(window.interval)}"
                return deferred(Reason.FROZEN, text, until=window.interval.end)
    return None


def window(state: State, change: Change, at: datetime) -> Decision | None:
    """A normal change runs in a permitting window, where one is required or declared for it."""
    policy = state.config.policy
    calendars = _calendars(state, change, CalendarPurpose.PERMIT)
    if change.type is not ChangeType.NORMAL or policy is None:
        return None
    if not calendars and not policy.windows_required:
        return None
    remediation = state.config.remediations[change.remediation]
    following: list[datetime] = []
    too_short = False
    for calendar in calendars:
        for window in calendar.windows:
            if window.interval.contains(at):
                if at + remediation.timeout <= window.interval.end:
                    return None
                too_short = True
            elif window.interval.start > at:
                following.append(window.interval.start)
    reason = Reason.WINDOW_TOO_SHORT if too_short else Reason.OUTSIDE_WINDOW
    if not following:
        return refused(reason, "no change window is open or in sight")
    text = "it would not end before the window closes" if too_short else "no change window is open"
    return deferred(reason, text, until=min(following))


def _calendars(state: State, change: Change, purpose: CalendarPurpose) -> list[Calendar]:
    return [
        calendar
        for calendar in state.calendars.values()
        if purpose in calendar.purposes and state.derived.concerns(calendar, change.entity)
    ]


def _clock(interval: Interval) -> str:
    return f"{interval.end:%Y-%m-%d %H:%M} UTC"
