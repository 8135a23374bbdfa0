"""When: freezes, change windows, and the time for which people asked.

What would not end before its window closes does not start, and to its end belongs all that may
follow by itself: verification, and the rollback where it fails. Everything is half-open, and
windows that touch are one. Not here: which windows there are (`core.timetable`).
"""

from bisect import bisect_left
from datetime import datetime, timedelta

from agent.core.policy.answers import LOOK_AGAIN, deferred, refused
from agent.core.state import State
from agent.core.timetable import ALWAYS, Timetable
from agent.model.calendar import CalendarPurpose
from agent.model.change import Change, ChangeType
from agent.model.interval import Interval
from agent.model.policy import Decision
from agent.model.reason import Reason
from agent.model.remediation import Remediation


def takes(remediation: Remediation) -> timedelta:
    """How long a change with it may last: run, verification, and the rollback where there is one.

    A verification that fails at the last moment begins a rollback; it shall end in the window too.
    """
    rollback = remediation.timeout if remediation.has_rollback else timedelta()
    return remediation.timeout + remediation.verification.within + rollback


def unreadable(state: State, at: datetime) -> Decision | None:
    """Every calendar can be read for this moment; deferred where one cannot: it may be soon."""
    for name in state.config.calendars:
        calendar = state.calendars.get(name)
        problem = calendar.unreadable(at) if calendar else f"calendar {name} cannot be read for now"
        if problem is not None:
            return deferred(Reason.POLICY_MISSING, problem, until=at + LOOK_AGAIN)
    return None


def by_time(state: State, change: Change, at: datetime) -> Decision | None:
    """It may start now as far as freezes, windows and the time asked for go.

    Deferred until the first moment at which it may; refused where no such moment is in sight, or
    none is left of the time for which it was asked.
    """
    length = takes(state.config.remediations[change.remediation])
    earliest = max(at, change.not_before or at)
    latest = change.not_after - length if change.not_after is not None else None
    if latest is not None and earliest > latest:
        text = f"it would not end before {_clock(change.not_after)}, as was asked"
        return refused(Reason.WINDOW_MISSED, text)
    found = _first(state, change, earliest, length)
    if found is not None and found[0] == at:
        return None
    start = found[0] if found else None
    if start is not None and latest is not None and start > latest:
        start = None
    if start == earliest:
        return deferred(Reason.NOT_BEFORE, f"asked for from {_clock(start)} on", until=start)
    reason, text = _obstacle(state, change, Interval(earliest, earliest + length))
    if start is None:
        return refused(reason, _never(reason, text, is_asked=found is not None))
    return deferred(reason, text, until=start)


def window_of(state: State, change: Change, at: datetime) -> Interval | None:
    """The window in which it would run: that of one entry, else of several that touch.

    Cut to the time for which it was asked. None where nothing bounds it, or none is in sight. The
    window that a change has stays its own while it may run in it: approvals name it.
    """
    remediation = state.config.remediations.get(change.remediation)
    if remediation is None:
        return change.window
    length = takes(remediation)
    found = _first(state, change, max(at, change.not_before or at), length)
    if found is None:
        return None
    start, stretch = found
    entries = [
        piece
        for named in _timetable(state).meeting(
            CalendarPurpose.PERMIT, change.entity, Interval(start, start + length)
        )
        if (piece := named.window.interval.clip(stretch)) is not None
        and piece.start <= start
        and start + length <= piece.end
    ]
    needs = _needs_window(state, change)
    pieces = [_asked(change, piece) for piece in (*(entries if needs else ()), stretch)]
    kept = [piece for piece in pieces if piece is not None and piece == change.window]
    return (kept or pieces)[0]


def _first(
    state: State, change: Change, earliest: datetime, length: timedelta
) -> tuple[datetime, Interval] | None:
    """The first moment from `earliest` on at which it may start, with all the time around it."""
    if change.type is ChangeType.EMERGENCY:
        return earliest, ALWAYS
    in_windows = _needs_window(state, change)
    stretches = _timetable(state).may_run(change.entity, in_windows=in_windows)
    first = bisect_left(stretches, earliest + length, key=lambda stretch: stretch.end)
    for stretch in stretches[first:]:
        start = max(stretch.start, earliest)
        if stretch.end - start >= length:
            return start, stretch
    return None


def _needs_window(state: State, change: Change) -> bool:
    """A normal change runs in a permitting window, where one is required or declared for it."""
    policy = state.config.policy
    if change.type is not ChangeType.NORMAL or policy is None:
        return False
    return policy.windows_required or _timetable(state).is_windowed(change.entity)


def _obstacle(state: State, change: Change, needed: Interval) -> tuple[Reason, str]:
    """What keeps it from running in just this time."""
    timetable = _timetable(state)
    for named in timetable.meeting(CalendarPurpose.FREEZE, change.entity, needed):
        until = _clock(named.window.interval.end)
        return Reason.FROZEN, f"{named} is a freeze until {until}"
    for named in timetable.open_at(CalendarPurpose.PERMIT, change.entity, needed.start):
        closes = _clock(named.window.interval.end)
        return Reason.WINDOW_TOO_SHORT, f"it would not end before {named} closes at {closes}"
    return Reason.OUTSIDE_WINDOW, "no change window is open"


def _never(reason: Reason, text: str, *, is_asked: bool) -> str:
    if is_asked:
        return f"{text}; nothing is left of the time for which it was asked"
    if reason is Reason.FROZEN:
        return f"{text}, and no change window is in sight after it"
    return "no change window is open or in sight"


def _timetable(state: State) -> Timetable:
    return state.derived.timetable(state.calendars)


def _asked(change: Change, window: Interval) -> Interval | None:
    """The part of a window that is of the time asked for; None where nothing bounds it."""
    asked = Interval(
        change.not_before or ALWAYS.start,
        change.not_after or ALWAYS.end,
    )
    bounded = window.clip(asked)
    is_open = bounded is None or ALWAYS.end == bounded.end or ALWAYS.start == bounded.start
    return None if is_open else bounded


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
