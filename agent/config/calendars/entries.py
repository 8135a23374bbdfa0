"""What keeps an entry of a calendar from being understood. Nothing is guessed at or left out."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

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
STATUSES = ("TENTATIVE", "CONFIRMED", "CANCELLED")
SAY_ZONE = "Say `zone` in the Calendar document, or X-WR-TIMEZONE in the calendar."

Problem = tuple[str, str]
"""What is wrong, and the way out."""


def problems_of(entry: Any, zone: ZoneInfo | None) -> list[Problem]:
    """What is wrong with an entry, in sentences; `zone` is that of times without one."""
    if entry.errors:
        key, problem = entry.errors[0]
        return [(f"{key} cannot be understood: {problem}.", "")]
    times = {key: entry[key] for key in ("DTSTART", "DTEND") if key in entry}
    if "DTSTART" not in times:
        return [("an entry without DTSTART.", "")]
    for key, given in times.items():
        if isinstance(given, list):
            return [(f"{key} stands more than once.", "")]
        if problem := _zone_problem(key, given, zone):
            return [problem]
    told = _length_problem(entry, times) or next(_exception_problems(entry, times), None)
    if told is None and str(entry.get("STATUS", "CONFIRMED")).upper() not in STATUSES:
        told = f"the STATUS {entry['STATUS']} is not known; there are {', '.join(STATUSES)}."
    return [(told, "")] if told else [(problem, "") for problem in _rule_problems(entry)]


def _zone_problem(key: str, given: Any, zone: ZoneInfo | None) -> Problem | None:
    if not isinstance(given.dt, date):
        return f"{key} names no day.", ""
    if not isinstance(given.dt, datetime):
        return None if zone else (f"{key} is a whole day of no time zone.", SAY_ZONE)
    if given.dt.tzinfo is not None and _is_known(given.dt):
        return None
    if unknown := given.params.get("TZID"):
        hint = "Use a name of the IANA database, like Europe/Berlin; a VTIMEZONE does not count."
        return f'{key}: there is no time zone "{unknown}".', hint
    if given.dt.tzinfo is None and zone is not None:
        return None
    hint = f"End it with Z, or say TZID=Europe/Berlin. {SAY_ZONE}"
    return f"{key} has no time zone.", hint


def _is_known(moment: datetime) -> bool:
    """Whether its zone is UTC or of the IANA database, not one that the calendar made up."""
    return isinstance(moment.tzinfo, ZoneInfo) or moment.tzname() == "UTC"


def _length_problem(entry: Any, times: Mapping[str, Any]) -> str | None:
    start, end = times["DTSTART"].dt, times.get("DTEND")
    if end is not None and isinstance(end.dt, datetime) != isinstance(start, datetime):
        return "DTSTART and DTEND must both be days or both be times."
    if end is not None and _is_floating(end.dt) != _is_floating(start):
        return "DTSTART and DTEND must both have a time zone or both have none."
    if end is not None and end.dt <= start:
        return "DTEND is not after DTSTART."
    if end is not None and "DURATION" in entry:
        return "an entry has DTEND or DURATION, not both."
    if "DURATION" in entry and entry["DURATION"].dt <= timedelta(0):
        return "DURATION is not more than nothing."
    if end is None and "DURATION" not in entry and isinstance(start, datetime):
        return "an entry without DTEND or DURATION has no length."
    return None


def _exception_problems(entry: Any, times: Mapping[str, Any]) -> Iterator[str]:
    """An exception that meets no occurrence would be no exception, and nobody would know."""
    start = times["DTSTART"].dt
    for key in ("EXDATE", "RDATE"):
        given = entry.get(key, [])
        for dates in given if isinstance(given, list) else [given]:
            for each in dates.dts:
                moment = each.dt[0] if isinstance(each.dt, tuple) else each.dt
                if isinstance(moment, datetime) != isinstance(start, datetime):
                    yield f"{key} and DTSTART must both be days or both be times."
                elif _is_floating(moment) != _is_floating(start):
                    yield f"{key} has no time zone, or DTSTART has none: write both alike."
    if "EXRULE" in entry:
        yield "EXRULE is of an older standard and not understood; write EXDATE."


def _is_floating(moment: date) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is None


def _rule_problems(entry: Any) -> Iterator[str]:
    given = entry.get("RRULE", [])
    for rule in given if isinstance(given, list) else [given]:
        frequency = [str(word).upper() for word in rule.get("FREQ", ())]
        if unknown := sorted(set(rule) - RULE_PARTS):
            yield f"RRULE has the unknown part {unknown[0]}."
        elif len(frequency) != 1:
            yield "RRULE needs one FREQ."
        elif frequency[0] in TOO_OFTEN or "BYSECOND" in rule:
            yield "RRULE repeats more than once an hour: a window is longer than that."
