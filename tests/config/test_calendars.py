"""Calendars mean what a person with a wall clock and a paper calendar would say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.config.calendars.claims import Declared
from agent.config.calendars.expand import expand, horizon
from agent.config.calendars.read import read_calendar
from agent.errors import ConfigError
from agent.model.calendar import CalendarPurpose
from agent.model.interval import Interval

HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n"
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kolkata",
    "Africa/Casablanca",
)
FREEZE = Declared(
    purposes=(CalendarPurpose.FREEZE,),
    unmarked=(CalendarPurpose.FREEZE,),
    entities=(),
    zone=None,
    known=(),
    scope=None,
)
YEAR = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def calendar(*entries: str, head: str = HEAD) -> str:
    """The text of a calendar with these entries."""
    return (
        head
        + "".join(
            f"BEGIN:VEVENT\nUID:{number}@test\nDTSTAMP:20260101T000000Z\n{entry}\nEND:VEVENT\n"
            for number, entry in enumerate(entries)
        )
        + "END:VCALENDAR\n"
    )


def windows(folder: Path, text: str, within: Interval = YEAR) -> list[tuple[datetime, datetime]]:
    """What the calendar of this text expands to."""
    path = folder / "calendar.ics"
    path.write_text(text)
    found = expand(read_calendar(path, FREEZE), within)
    return [(window.interval.start, window.interval.end) for window in found]


def utc(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days_of(year: int) -> Iterator[datetime]:
    """Every day of a year, as a naive midnight."""
    day = datetime(year, 1, 1)  # noqa: DTZ001 a day of the wall clock
    while day.year == year:
        yield day
        day += timedelta(days=1)


def first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a wall-clock time, found by trying every quarter hour around it.

    In a gap, which no clock shows, the time that the old offset gives.
    """
    start = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    for quarter in range(30 * 4):
        moment = start + timedelta(minutes=15 * quarter)
        if moment.astimezone(zone).replace(tzinfo=None) == wall:
            return moment
    day_before = first_moment(wall - timedelta(days=1), zone)
    return day_before + timedelta(days=1)


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("start", ["0000", "0230"])
def test_a_daily_window_in_every_zone_and_night(name: str, start: str, tmp_path: Path) -> None:
    """A window from a wall-clock time to another begins and ends at these, each day of a year."""
    zone = ZoneInfo(name)
    text = calendar(
        f"DTSTART;TZID={name}:20260101T{start}00\n"
        f"DTEND;TZID={name}:20260101T050000\nRRULE:FREQ=DAILY"
    )
    opens = timedelta(hours=int(start[:2]), minutes=int(start[2:]))
    expected = [
        (first_moment(day + opens, zone), first_moment(day + timedelta(hours=5), zone))
        for day in days_of(2026)
    ]
    found = [window for window in windows(tmp_path, text) if window[0] >= expected[0][0]]
    inside = [window for window in expected if Interval(*window).clip(YEAR)]
    assert inside == [window for window in found if window[0] <= expected[-1][0]]


@pytest.mark.parametrize("name", ZONES)
def test_whole_days_are_days_of_the_calendars_zone(name: str, tmp_path: Path) -> None:
    """A whole-day entry lasts from one local midnight to the next: 23 to 25 hours."""
    zone = ZoneInfo(name)
    head = HEAD + f"X-WR-TIMEZONE:{name}\n"
    text = calendar("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY", head=head)
    midnights = [first_moment(day, zone) for day in days_of(2026)]
    expected = list(pairwise(midnights[1:]))
    found = windows(tmp_path, text)
    assert expected == [window for window in found if window in set(expected)]
    assert len(found) - len(expected) <= 3


def test_exceptions_are_left_out(tmp_path: Path) -> None:
    """An EXDATE takes its occurrence out of the series; a cancelled one is none either."""
    text = calendar(
        "DTSTART:20260105T020000Z\nDTEND:20260105T040000Z\nRRULE:FREQ=WEEKLY;COUNT=3\n"
        "EXDATE:20260112T020000Z",
        "DTSTART:20260106T020000Z\nDTEND:20260106T040000Z\nSTATUS:CANCELLED",
    )
    starts = [start for start, _ in windows(tmp_path, text)]
    assert [utc("2026-01-05T02:00"), utc("2026-01-19T02:00")] == starts


def test_a_duration_is_real_time_beyond_whole_days(tmp_path: Path) -> None:
    """Two hours are two hours in the night when clocks skip one; a day ends at the same clock."""
    text = calendar(
        "DTSTART;TZID=Europe/Berlin:20260329T010000\nDURATION:PT2H",
        "DTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:P1D",
    )
    assert [
        (utc("2026-03-28T11:00"), utc("2026-03-29T10:00")),
        (utc("2026-03-29T00:00"), utc("2026-03-29T02:00")),
    ] == windows(tmp_path, text)


def test_windows_are_half_open_and_whole(tmp_path: Path) -> None:
    """What ends as the horizon begins does not touch it; what reaches over an edge is whole."""
    text = calendar(
        "DTSTART:20251231T220000Z\nDTEND:20260101T000000Z",
        "DTSTART:20251231T230000Z\nDTEND:20260101T010000Z",
        "DTSTART:20270101T000000Z\nDTEND:20270101T010000Z",
    )
    assert [(utc("2025-12-31T23:00"), utc("2026-01-01T01:00"))] == windows(tmp_path, text)


def test_the_horizon_reaches_a_week_back_and_a_hundred_days_ahead() -> None:
    """Every moment of one day has the same horizon; a quarter is always in sight."""
    expected = Interval(utc("2026-03-03T00:00"), utc("2026-06-18T00:00"))
    for clock in ("2026-03-10T00:00", "2026-03-10T23:59"):
        assert expected == horizon(utc(clock))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("DTSTART:20260329T010000\nDURATION:PT1H", "DTSTART has no time zone"),
        ("DTSTART;TZID=Mars/Base:20260329T010000\nDURATION:PT1H", 'no time zone "Mars/Base"'),
        ("DTSTART;VALUE=DATE:20260329", "a whole day of no time zone"),
        ("DTSTART:20260329T010000Z", "has no length"),
        ("DTSTART:20260329T010000Z\nDTEND:20260329T010000Z", "DTEND is not after DTSTART"),
        ("DTSTART:20260329T010000Z\nDTEND;VALUE=DATE:20260330", "whole day of no time zone"),
        ("DTSTART:tomorrow\nDURATION:PT1H", "DTSTART cannot be understood"),
        ("DTSTART:20260329T010000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY", "more than once an hour"),
        ("DTSTART:20260329T010000Z\nDURATION:PT1H\nRRULE:FREQ=OFTEN", "RRULE cannot be understood"),
        ("DTSTART:20260329T010000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYDY=SU", "unknown part BYDY"),
        ("DTSTART:20260329T010000Z\nDURATION:PT1H\nRRULE:COUNT=2", "RRULE needs one FREQ"),
        ("DTSTART:20260329T010000Z\nDURATION:PT1H\nEXDATE:20260330T010000", "EXDATE has no time"),
        ("DTSTART;VALUE=TIME:010000\nDURATION:PT1H", "names no day"),
        ("SUMMARY:when?", "without DTSTART"),
    ],
)
def test_what_cannot_be_understood_is_told(entry: str, problem: str, tmp_path: Path) -> None:
    """No entry is guessed at or left out: each is told with the line of its BEGIN:VEVENT."""
    with pytest.raises(ConfigError) as refused:
        windows(tmp_path, calendar("DTSTART:20260101T000000Z\nDURATION:PT1H", entry))
    (finding,) = refused.value.findings
    assert problem in finding.message
    assert finding.line == 10


@pytest.mark.parametrize("text", ["", "hello", "BEGIN:VCALENDAR\n", "\0", "BEGIN:VEVENT\n" * 9])
def test_what_is_no_calendar_is_told(text: str, tmp_path: Path) -> None:
    """A file of something else is one finding, whatever it is."""
    with pytest.raises(ConfigError) as refused:
        windows(tmp_path, text)
    assert len(refused.value.findings) == 1
