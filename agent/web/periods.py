"""Periods that reports are about, in the customer's zone: where clocks change, a month is longer.

Not here: service hours within a period (`calendars`), and what a period was like.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from agent.model.interval import Interval

_PERIOD = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})|-Q(?P<quarter>[1-4])|-W(?P<week>\d{2}))?|(?P<days>\d{1,4})d"
)
DAYS_MAX = 3660


class PeriodError(ValueError):
    """The text names no period."""


def period(text: str, zone: ZoneInfo, now: datetime) -> Interval:
    """The period that `text` names, in UTC.

    `2026-10`, `2026-Q4`, `2026-W41` (ISO 8601) and `2026` are of the calendar in `zone`; `30d` are
    the last thirty times 24 hours before `now`. Raises PeriodError.
    """
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise PeriodError(f'"{text}" is no period: say 2026-10, 2026-Q4, 2026-W41, 2026 or 30d')
    if found["days"]:
        days = int(found["days"])
        if not 0 < days <= DAYS_MAX:
            raise PeriodError(f"a rolling period has 1 to {DAYS_MAX} days, not {days}")
        return Interval(now - timedelta(days=days), now)
    first, last = _borders(text, found)
    try:
        return Interval(_midnight(first, zone), _midnight(last, zone))
    except (ValueError, OverflowError) as error:
        raise PeriodError(f'"{text}" is no period: {error}') from None


def before(
    text: str, zone: ZoneInfo, now: datetime, count: int
) -> tuple[tuple[str, Interval], ...]:
    """The calendar months up to the one that `text` names, oldest first, each with its name.

    For a period that is no month: that period alone.
    """
    found = re.fullmatch(r"(\d{4})-(\d{2})", text)
    if found is None:
        return ((text, period(text, zone, now)),)
    last = int(found[1]) * 12 + int(found[2]) - 1
    names = [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(max(12, last - count + 1), last + 1)]
    return tuple((name, period(name, zone, now)) for name in names)


def _borders(text: str, found: re.Match[str]) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    year = int(found["year"])
    if found["week"]:
        try:
            monday = datetime.fromisocalendar(year, int(found["week"]), 1)
        except ValueError as error:
            raise PeriodError(f'"{text}" is no period: {error}') from None
        following = monday + timedelta(days=7)
        return (monday.year, monday.month, monday.day), (
            following.year,
            following.month,
            following.day,
        )
    month, months = 1, 12
    if found["quarter"]:
        month, months = int(found["quarter"]) * 3 - 2, 3
    elif found["month"]:
        month, months = int(found["month"]), 1
    after = month + months
    return (year, month, 1), ((year + 1, 1, 1) if after > 12 else (year, after, 1))


def _midnight(day: tuple[int, int, int], zone: ZoneInfo) -> datetime:
    """The first moment of a day there; where midnight is skipped, the moment it is skipped at."""
    return datetime(*day, tzinfo=zone).astimezone(UTC)
