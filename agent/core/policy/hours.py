"""What the calendars say of a moment, as policy and risk ask it. Not here: whether it may run."""

from datetime import datetime, timedelta

from agent.core.state import State
from agent.model.calendar import CalendarPurpose
from agent.model.interval import Interval
from agent.model.service import EntityRef

SOON = timedelta(hours=2)
"""What begins so shortly before people leave is hardly done before."""
DAYS_OFF = timedelta(hours=24)
"""When nobody is back for longer than this, days off begin."""


def is_business_hours(state: State, entity: EntityRef, at: datetime) -> bool | None:
    """Whether people are at work; None where no calendar tells business hours."""
    stretches = working_hours(state, entity)
    if not stretches:
        return None
    return any(stretch.contains(at) for stretch in stretches)


def end_of_next_working_day(state: State, entity: EntityRef, at: datetime) -> datetime | None:
    """When the first stretch of business hours that begins after `at` ends; None: nobody tells."""
    stretches = working_hours(state, entity)
    return next((each.end for each in stretches if each.start > at), None)


def finding(state: State, entity: EntityRef, at: datetime) -> tuple[str | None, str]:
    """The moment as risk sees it: which finding, and in words."""
    stretches = working_hours(state, entity)
    following = next((each.start for each in stretches if each.start > at), None)
    inside = next((each for each in stretches if each.contains(at)), None)
    if inside is None and following is None:
        return None, "no calendar tells business hours"
    if following is not None and following - at > DAYS_OFF:
        if inside is None:
            return "before_days_off", "outside business hours, and days off follow"
        if inside.end - at < SOON:
            return "before_days_off", "the last hours before days off"
    if inside is None:
        return "outside", "outside business hours"
    return "business_hours", "in business hours"


def open_windows(state: State, entity: EntityRef, at: datetime) -> tuple[str, ...]:
    """Names of the windows that are open now for this entity, whatever they mean."""
    timetable = state.derived.timetable(state.calendars)
    return tuple(
        dict.fromkeys(
            named.window.summary or named.calendar
            for purpose in CalendarPurpose
            for named in timetable.open_at(purpose, entity, at)
        )
    )


def is_open(state: State, purpose: CalendarPurpose, entity: EntityRef, at: datetime) -> bool:
    """Whether a window with this purpose is open now for this entity."""
    timetable = state.derived.timetable(state.calendars)
    return any(True for _ in timetable.open_at(purpose, entity, at))


def working_hours(state: State, entity: EntityRef) -> tuple[Interval, ...]:
    """Business hours around now, in order; none where no calendar tells."""
    return state.derived.timetable(state.calendars).working_hours(entity)
