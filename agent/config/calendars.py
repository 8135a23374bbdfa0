"""iCalendar files (RFC 5545) to windows: half-open, in UTC, recurrence and time zones worked out.

A time that the clocks skip counts with the offset before the gap; one that comes twice is the
first. An entry ends at the wall-clock time it names; a `DURATION` counts whole days on the wall
clock and the rest in real time. All-day entries need a zone: `X-WR-TIMEZONE` of the calendar.
Not here: what a window permits (`core.policy`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar as ICalendar

from agent.config.documents import shown
from agent.errors import ConfigError, Finding
from agent.model.calendar import CalendarWindow
from agent.model.interval import Interval

HORIZON_BEFORE = timedelta(days=7)
HORIZON_AFTER = timedelta(days=60)
CALENDAR_BYTES_MAX = 4 * 1024 * 1024
ENTRIES_MAX = 5_000
WINDOWS_MAX = 20_000
TOO_OFTEN = ("SECONDLY", "MINUTELY")
RULE_PARTS = frozenset(
    [
        "FREQ",
        "UNTIL",
        "COUNT",
        "INTERVAL",
        "WKST",
        "BYSECOND",
        "BYMINUTE",
        "BYHOUR",
        "BYDAY",
        "BYMONTHDAY",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYMONTH",
        "BYSETPOS",
    ]
)
_MARGIN = timedelta(days=2)
"""Expansion asks in UTC for what stands in local days; windows are cut exactly afterwards."""
_DURATION = "X-WATCHKEEPER-DURATION"
"""Seconds of an entry's DURATION: the expansion replaces it by an end on the wall clock."""


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """A calendar that was read and found to be in order; expanded as often as time goes on."""

    name: str
    content: ICalendar
    zone: ZoneInfo | None


def horizon(at: datetime) -> Interval:
    """What is expanded around a moment: whole days, so that hours within one day agree."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Interval(midnight - HORIZON_BEFORE, midnight + HORIZON_AFTER)


def read_calendar(path: Path) -> CalendarFile:
    """Read an .ics file; raises ConfigError with every entry that cannot be understood."""
    name = shown(path)
    try:
        with path.open("rb") as source:
            content = source.read(CALENDAR_BYTES_MAX + 1)
    except OSError as error:
        raise _refusal(name, 1, f"cannot be read: {error.strerror or error}.") from None
    if len(content) > CALENDAR_BYTES_MAX:
        raise _refusal(name, 1, f"is larger than {CALENDAR_BYTES_MAX} bytes.")
    try:
        text = content.decode("utf-8-sig")
        calendar: Any = ICalendar.from_ical(text)
    except (ValueError, IndexError, KeyError) as error:
        raise _refusal(name, 1, f"is no iCalendar file: {error}.") from None
    zone, findings = _zone_of(name, text, calendar)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.startswith("BEGIN:VEVENT")]
    entries = calendar.walk("VEVENT")
    if len(entries) > ENTRIES_MAX:
        raise _refusal(name, 1, f"holds more than {ENTRIES_MAX} entries.")
    for entry, line in zip(entries, chain(lines, repeat(1)), strict=False):
        problems = [_finding(name, line, problem) for problem in _problems(entry, zone)]
        if not problems and "DURATION" in entry:
            entry[_DURATION] = str(int(entry["DURATION"].dt.total_seconds()))
        findings += problems
    if findings:
        raise ConfigError(findings)
    return CalendarFile(name, calendar, zone)


def expand(calendar: CalendarFile, within: Interval) -> tuple[CalendarWindow, ...]:
    """All windows that touch `within`, whole, in order of time.

    Raises ConfigError above `WINDOWS_MAX` windows, and for a recurrence that makes no sense.
    """
    try:
        found = recurring_ical_events.of(calendar.content).between(
            within.start - _MARGIN, within.end + _MARGIN
        )
    except (ValueError, TypeError, KeyError) as error:
        raise _refusal(calendar.name, 1, f"cannot be worked out: {error}.") from None
    if len(found) > WINDOWS_MAX:
        raise _refusal(calendar.name, 1, f"makes more than {WINDOWS_MAX} windows.")
    windows = (_window(entry, calendar.zone) for entry in found)
    return tuple(
        sorted(
            (window for window in windows if window and window.interval.clip(within)),
            key=lambda window: (window.interval, window.summary),
        )
    )


def _window(entry: Any, zone: ZoneInfo | None) -> CalendarWindow | None:
    start = _utc(entry["DTSTART"].dt, zone)
    end = _end(entry, zone)
    if end <= start or str(entry.get("STATUS", "")).upper() == "CANCELLED":
        return None
    return CalendarWindow(
        interval=Interval(start, end),
        summary=str(entry.get("SUMMARY", "")),
    )


def _end(entry: Any, zone: ZoneInfo | None) -> datetime:
    given = entry.get(_DURATION)
    if given is None:
        return _utc(entry["DTEND"].dt, zone)
    duration = timedelta(seconds=int(given))
    days = timedelta(days=duration.days)
    return _utc(entry["DTSTART"].dt + days, zone) + (duration - days)


def _utc(moment: date, zone: ZoneInfo | None) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    # fold=0: the offset before a gap, and the first of two equal times (RFC 5545, 3.3.5).
    return moment.replace(fold=0).astimezone(UTC)


def _zone_of(name: str, text: str, calendar: Any) -> tuple[ZoneInfo | None, list[Finding]]:
    given = calendar.get("X-WR-TIMEZONE")
    if given is None:
        return None, []
    try:
        return ZoneInfo(str(given)), []
    except (KeyError, ValueError, OSError):
        line = text[: text.find("X-WR-TIMEZONE")].count("\n") + 1
        return None, [_finding(name, line, f'there is no time zone "{given}".')]


def _problems(entry: Any, zone: ZoneInfo | None) -> list[str]:
    """What keeps an entry from being understood, in sentences."""
    if entry.errors:
        key, problem = entry.errors[0]
        return [f"{key} cannot be understood: {problem}."]
    times = {key: entry[key] for key in ("DTSTART", "DTEND") if key in entry}
    if "DTSTART" not in times:
        return ["an entry without DTSTART."]
    for key, given in times.items():
        if isinstance(given, list):
            return [f"{key} stands more than once."]
        if problem := _zone_problem(key, given, zone):
            return [problem]
    problem = _length_problem(entry, times) or _exception_problem(entry)
    return [problem] if problem else _rule_problems(entry)


def _zone_problem(key: str, given: Any, zone: ZoneInfo | None) -> str | None:
    if not isinstance(given.dt, date):
        return f"{key} names no day."
    if not isinstance(given.dt, datetime):
        if zone is None:
            return f"{key} is a whole day of no time zone: say X-WR-TIMEZONE in the calendar."
        return None
    if given.dt.tzinfo is not None:
        return None
    if unknown := given.params.get("TZID"):
        return f'{key}: there is no time zone "{unknown}"; use a name like Europe/Berlin.'
    return f"{key} has no time zone: end it with Z, or say TZID=Europe/Berlin."


def _length_problem(entry: Any, times: Mapping[str, Any]) -> str | None:
    start, end = times["DTSTART"].dt, times.get("DTEND")
    if end is not None and isinstance(end.dt, datetime) != isinstance(start, datetime):
        return "DTSTART and DTEND must both be days or both be times."
    if end is not None and end.dt <= start:
        return "DTEND is not after DTSTART."
    if "DURATION" in entry and entry["DURATION"].dt <= timedelta(0):
        return "DURATION is not more than nothing."
    if end is None and "DURATION" not in entry and isinstance(start, datetime):
        return "an entry without DTEND or DURATION has no length."
    return None


def _exception_problem(entry: Any) -> str | None:
    for key in ("EXDATE", "RDATE"):
        given = entry.get(key, [])
        for dates in given if isinstance(given, list) else [given]:
            for each in dates.dts:
                if isinstance(each.dt, datetime) and each.dt.tzinfo is None:
                    return f"{key} has no time zone: write it like DTSTART."
    return None


def _rule_problems(entry: Any) -> list[str]:
    given = entry.get("RRULE", [])
    problems = []
    for rule in given if isinstance(given, list) else [given]:
        frequency = [str(word).upper() for word in rule.get("FREQ", ())]
        if unknown := sorted(set(rule) - RULE_PARTS):
            problems.append(f"RRULE has the unknown part {unknown[0]}.")
        elif len(frequency) != 1:
            problems.append("RRULE needs one FREQ.")
        elif frequency[0] in TOO_OFTEN or "BYSECOND" in rule:
            problems.append("RRULE repeats more than once an hour: a window is longer than that.")
    return problems


def _finding(name: str, line: int, message: str) -> Finding:
    return Finding(file=name, line=line, column=1, message=message)


def _refusal(name: str, line: int, message: str) -> ConfigError:
    return ConfigError([_finding(name, line, message)])
