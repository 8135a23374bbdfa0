"""Calendars around now: windows already worked out, and what they mean for whom.

Not here: reading iCalendar (`config.calendars`), or what follows from a window (`core.policy`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.model.interval import Interval
from agent.model.service import EntityRef


class CalendarPurpose(StrEnum):
    """What an entry of a calendar does; one may do several at once."""

    PERMIT = "permit"
    FREEZE = "freeze"
    MUTE = "mute"
    EXCLUDE = "exclude"
    HOURS = "hours"
    """People work: clocks that count business hours run."""
    HOLIDAY = "holiday"
    """Nobody does, whatever the hours say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarWindow:
    """One occurrence of a calendar entry, recurrence and time zone already worked out."""

    interval: Interval
    summary: str
    purposes: tuple[CalendarPurpose, ...]
    entities: tuple[EntityRef, ...]
    """Whom it concerns, with everything that they rest on; empty: everybody."""
    who: str = ""
    why: str = ""
    zone: str = "UTC"
    """In which zone it was written, for people."""

    def named(self, calendar: str) -> str:
        """What people call it, with who made it and why as far as it says: one line."""
        name = self.summary or calendar
        said = "; ".join(part for part in (self.who and f"by {self.who}", self.why) if part)
        return f"{name} ({said})" if said else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Windows of one calendar around now, each with what it means for which entities."""

    name: str
    permits: tuple[tuple[EntityRef, ...], ...]
    """For whom an entry of it permits at all, now or at another time, each as in a window: their
    normal changes need a window. Empty: for nobody."""
    windows: tuple[CalendarWindow, ...]
    """In order of time."""
    horizon: Interval
    """What was expanded; outside of it the calendar is unreadable and policy denies."""
    fresh_until: datetime | None = None
    """Of a subscribed calendar: from then on its last copy is too old, and policy denies."""

    def unreadable(self, at: datetime) -> str | None:
        """Why nothing may be decided by it at this moment, or None."""
        if not self.horizon.contains(at):
            return f"calendar {self.name} cannot be read for now"
        if self.fresh_until is not None and at >= self.fresh_until:
            return f"calendar {self.name} cannot be fetched; its last copy is too old to go by"
        return None
