"""Calendars around now: windows already worked out, and what they mean for whom.

Not here: reading iCalendar (`config.calendars`), or what follows from a window (`core.policy`).
"""

from dataclasses import dataclass
from enum import StrEnum

from agent.model.interval import Interval
from agent.model.service import EntityRef


class CalendarPurpose(StrEnum):
    """What an entry of a calendar does; one may do several at once."""

    PERMIT = "permit"
    FREEZE = "freeze"
    MUTE = "mute"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarWindow:
    """One occurrence of a calendar entry, recurrence and time zone already worked out."""

    interval: Interval
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Windows of one calendar around now, and what they mean for which entities."""

    name: str
    purposes: tuple[CalendarPurpose, ...]
    entities: tuple[EntityRef, ...]
    """Whom it concerns, with everything that they rest on; empty: everybody."""
    windows: tuple[CalendarWindow, ...]
    horizon: Interval
    """What was expanded; outside of it the calendar is unreadable and policy denies."""
