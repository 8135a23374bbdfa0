"""From entries to windows: half-open, in UTC, recurrence and time zones worked out.

A time that the clocks skip counts with the offset before the gap; one that comes twice is the
first. An entry ends at the wall-clock time it names; a `DURATION` counts whole days on the wall
clock and the rest in real time (RFC 5545, 3.3.5 and 3.3.6). Not here: what a window permits.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events

from agent.config.calendars.read import DURATION, NUMBER, CalendarFile, refusal
from agent.model.calendar import CalendarWindow
from agent.model.interval import Interval

HORIZON_BEFORE = timedelta(days=7)
HORIZON_AFTER = timedelta(days=100)
"""A window that comes once a quarter is always in sight."""
WINDOWS_MAX = 20_000
_MARGIN = timedelta(days=2)
"""Expansion asks in UTC for what stands in local days; windows are cut exactly afterwards."""

Periods = Mapping[tuple[str, datetime], Any]
"""What an RDATE gave as a period, by entry and start: its end, or its length."""


def horizon(at: datetime) -> Interval:
    """What is expanded around a moment: whole days, so that hours within one day agree."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Interval(midnight - HORIZON_BEFORE, midnight + HORIZON_AFTER)


def expand(calendar: CalendarFile, within: Interval) -> tuple[CalendarWindow, ...]:
    """All windows that touch `within`, whole, in order of time.

    Raises ConfigError above `WINDOWS_MAX` windows, and for a recurrence that makes no sense.
    """
    try:
        found = recurring_ical_events.of(calendar.content).between(
            within.start - _MARGIN, within.end + _MARGIN
        )
    except (ValueError, TypeError, KeyError) as error:
        raise refusal(calendar.name, 1, f"cannot be worked out: {error}.") from None
    if len(found) > WINDOWS_MAX:
        raise refusal(calendar.name, 1, f"makes more than {WINDOWS_MAX} windows.")
    periods = dict(_periods(calendar))
    windows = (_window(entry, calendar, periods) for entry in found)
    return tuple(
        sorted(
            (window for window in windows if window and window.interval.clip(within)),
            key=lambda window: (window.interval, window.summary, window.purposes, window.entities),
        )
    )


def _window(entry: Any, calendar: CalendarFile, periods: Periods) -> CalendarWindow | None:
    start = _utc(entry["DTSTART"].dt, calendar.zone)
    end = _end(entry, calendar.zone, periods.get((str(entry[NUMBER]), start)))
    claims = calendar.claims[int(entry[NUMBER])]
    is_off = str(entry.get("STATUS", "")).upper() == "CANCELLED"
    if end <= start or is_off or not claims.purposes:
        return None
    return CalendarWindow(
        interval=Interval(start, end),
        summary=claims.summary,
        purposes=claims.purposes,
        entities=claims.entities,
        who=claims.who,
        why=claims.why,
        zone=claims.zone,
    )


def _end(entry: Any, zone: ZoneInfo | None, period: Any) -> datetime:
    if isinstance(period, date):
        return _utc(period, zone)
    given = entry.get(DURATION)
    if period is None and given is None:
        return _utc(entry["DTEND"].dt, zone)
    duration = timedelta(seconds=int(given)) if period is None else period
    days = timedelta(days=duration.days)
    return _utc(entry["DTSTART"].dt + days, zone) + (duration - days)


def _periods(calendar: CalendarFile) -> Iterator[tuple[tuple[str, datetime], Any]]:
    events: list[Any] = calendar.content.walk("VEVENT")
    for entry in events:
        given = entry.get("RDATE", [])
        for dates in given if isinstance(given, list) else [given]:
            for each in dates.dts:
                if isinstance(each.dt, tuple):
                    start, end = each.dt
                    yield (str(entry[NUMBER]), _utc(start, calendar.zone)), end


def _utc(moment: date, zone: ZoneInfo | None) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    # fold=0: the offset before a gap, and the first of two equal times (RFC 5545, 3.3.5).
    return moment.replace(fold=0).astimezone(UTC)
