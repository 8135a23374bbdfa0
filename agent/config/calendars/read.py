"""An iCalendar text (RFC 5545) that was read and found to be in order, or all that is wrong in it.

A time without a zone (floating), and a whole day, are of the zone that the document names, or the
calendar itself (`X-WR-TIMEZONE`); where neither does they are refused. A `TZID` is a name of the
IANA time zone database; what a `VTIMEZONE` says of such a name does not count, since calendars
keep rules of old. Not here: recurrence (`expand`), or what an entry is for (`claims`).
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar as ICalendar

from agent.config.calendars.claims import Claims, Declared, claims_of
from agent.config.calendars.entries import problems_of
from agent.config.documents import shown
from agent.errors import ConfigError, Finding

CALENDAR_BYTES_MAX = 4 * 1024 * 1024
ENTRIES_MAX = 5_000
DURATION = "X-WATCHKEEPER-DURATION"
"""Seconds of an entry's DURATION: the expansion replaces it by an end on the wall clock."""
NUMBER = "X-WATCHKEEPER-NUMBER"
"""Which entry of the calendar an occurrence is of: the key of its claims."""


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """A calendar that was read and found to be in order; expanded as often as time goes on."""

    name: str
    content: ICalendar
    zone: ZoneInfo | None
    claims: tuple[Claims, ...]
    """What its entries are for, in their order."""


def read_calendar(path: Path, declared: Declared) -> CalendarFile:
    """Read an .ics file; raises ConfigError with every entry that cannot be understood."""
    try:
        with path.open("rb") as source:
            content = source.read(CALENDAR_BYTES_MAX + 1)
    except OSError as error:
        raise refusal(shown(path), 1, f"cannot be read: {error.strerror or error}.") from None
    return parse_calendar(shown(path), content, declared)


def parse_calendar(name: str, content: bytes, declared: Declared) -> CalendarFile:
    """The calendar of this text; raises ConfigError with every entry that is not understood."""
    if len(content) > CALENDAR_BYTES_MAX:
        raise refusal(name, 1, f"is larger than {CALENDAR_BYTES_MAX} bytes.")
    try:
        text = content.decode("utf-8-sig")
        calendar = _parsed(text)
    except (ValueError, IndexError, KeyError) as error:
        raise refusal(name, 1, f"is no iCalendar file: {error}.") from None
    entries: list[Any] = calendar.walk("VEVENT")
    if len(entries) > ENTRIES_MAX:
        raise refusal(name, 1, f"holds more than {ENTRIES_MAX} entries.")
    own_zone, findings = _zone_of(name, text, calendar)
    zone = declared.zone or own_zone
    _complete(entries)
    claims: list[Claims] = []
    for entry, line in zip(entries, chain(_lines(text), repeat(1)), strict=False):
        problems = problems_of(entry, zone)
        name_of_zone = "" if problems else _zone_name(entry, zone)
        told, wrong = claims_of(entry, declared, name_of_zone)
        problems += wrong
        findings += [_finding(name, line, *problem) for problem in problems]
        if not problems and "DURATION" in entry:
            entry[DURATION] = str(int(entry["DURATION"].dt.total_seconds()))
        entry[NUMBER] = str(len(claims))
        claims.append(told)
    if findings:
        raise ConfigError(findings)
    return CalendarFile(name, calendar, zone, tuple(claims))


def refusal(name: str, line: int, message: str) -> ConfigError:
    """That a calendar cannot be used as a whole."""
    return ConfigError([_finding(name, line, message)])


def _parsed(text: str) -> Any:
    with warnings.catch_warnings():
        # A vendor's prefix before the name of a zone is taken off; what is left must be known.
        warnings.simplefilter("ignore")
        return ICalendar.from_ical(text)


def _lines(text: str) -> Iterator[int]:
    return (n for n, line in enumerate(text.splitlines(), 1) if line.startswith("BEGIN:VEVENT"))


def _complete(entries: list[Any]) -> None:
    """One changed occurrence of a series is for what the series is for, unless it says more."""
    series = {str(entry.get("UID")): entry for entry in entries if "RECURRENCE-ID" not in entry}
    for entry in entries:
        if "RECURRENCE-ID" not in entry or str(entry.get("UID")) not in series:
            continue
        for key in Claims.KEYS:
            if key not in entry and key in series[str(entry.get("UID"))]:
                entry[key] = series[str(entry.get("UID"))][key]


def _zone_name(entry: Any, zone: ZoneInfo | None) -> str:
    """In which zone an entry is written, by its name."""
    start = getattr(entry.get("DTSTART"), "dt", None)
    key = getattr(getattr(start, "tzinfo", None), "key", None)
    if key is None and getattr(start, "tzinfo", None) is None and zone is not None:
        return zone.key
    return key or "UTC"


def _zone_of(name: str, text: str, calendar: Any) -> tuple[ZoneInfo | None, list[Finding]]:
    given = calendar.pop("X-WR-TIMEZONE", None)  # or it would bend what recurs in UTC
    if given is None:
        return None, []
    try:
        return ZoneInfo(str(given)), []
    except (KeyError, ValueError, OSError):
        line = text[: text.find("X-WR-TIMEZONE")].count("\n") + 1
        return None, [_finding(name, line, f'there is no time zone "{given}".')]


def _finding(name: str, line: int, message: str, hint: str = "") -> Finding:
    return Finding(file=name, line=line, column=1, message=message, hint=hint)
