"""The gate and a person with a clock agree: in the hours around each gap and fold (I20).

`make prove-calendars` asks about every minute of two years in all twelve zones.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model.calendar import CalendarPurpose
from agent.model.change import ChangeType
from agent.model.policy import Verdict
from agent.model.reason import Reason
from tests.calendars.cases import (
    TWO_YEARS,
    YEARS,
    Gate,
    Told,
    calendar_file,
    everyday_life,
    recurring,
    span,
)
from tests.calendars.oracle import MINUTE, Clock, Entry, fits, next_true
from tests.calendars.prove import disagreement, prove

AROUND = timedelta(hours=2, minutes=30)
HOUR = timedelta(hours=1)


def changes_of(zone: str) -> Iterator[datetime]:
    """The hours in which the clock of a zone was set in its two years."""
    read, start = ZoneInfo(zone), span(YEARS[zone])
    hours = [start + n * HOUR for n in range(TWO_YEARS // HOUR)]
    offsets = [hour.astimezone(read).utcoffset() for hour in hours]
    for n in range(1, len(hours)):
        if offsets[n] != offsets[n - 1]:
            yield hours[n]


CHANGES = {zone: tuple(changes_of(zone)) for zone in YEARS}


def test_there_are_gaps_and_folds_to_look_at() -> None:
    """Twelve zones; all but one are set, forward and back."""
    assert 12 == len(CHANGES)
    assert {"Asia/Kathmandu"} == {zone for zone, found in CHANGES.items() if len(found) < 3}


@pytest.mark.parametrize("zone", YEARS)
def test_the_gate_agrees_with_the_clock(zone: str) -> None:
    """Allowed or deferred in each minute, and deferred until the first in which it is allowed."""
    moments = CHANGES[zone] or (span(YEARS[zone]) + timedelta(days=90),)
    for moment in moments:
        asked, _ = prove(zone, moment - AROUND, 2 * AROUND)
        assert asked == 300


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, datetime, list[tuple[CalendarPurpose, Told]]]:
    """A moment at which a clock is set, and windows and a freeze that begin near to it."""
    zone = draw(st.sampled_from(sorted(zone for zone in CHANGES if CHANGES[zone])))
    moment = draw(st.sampled_from(CHANGES[zone]))
    shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    told = []
    either = st.sampled_from((CalendarPurpose.PERMIT, CalendarPurpose.FREEZE))
    for purpose in (CalendarPurpose.PERMIT, *draw(st.lists(either, max_size=3))):
        near = shown + timedelta(minutes=draw(st.integers(-180, 120)))
        entry = _weekly(
            near.weekday(),
            near.time().replace(second=0),
            timedelta(minutes=draw(st.integers(1, 300))),
            ends_on_clock=draw(st.booleans()),
        )
        day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[near.weekday()]
        rule = f"FREQ=WEEKLY;BYDAY={day}"
        told.append((purpose, recurring(zone, YEARS[zone], purpose, rule, entry)))
    return zone, moment, told


def _weekly(weekday: int, begin: time, length: timedelta, *, ends_on_clock: bool) -> Entry:
    def days(day: date) -> bool:
        return day.weekday() == weekday

    return Entry(days, begin, length, ends_on_clock=ends_on_clock)


@settings(deadline=None, max_examples=40)
@given(windows())
def test_any_window_near_a_gap_or_fold(
    drawn: tuple[str, datetime, list[tuple[CalendarPurpose, Told]]],
) -> None:
    """However it lies to the moment at which the clock is set."""
    zone, moment, told = drawn
    begin = moment - timedelta(hours=4)
    clock = Clock(zone, begin, timedelta(days=17))
    permits = clock.minutes(t.entry for p, t in told if p is CalendarPurpose.PERMIT)
    freezes = clock.minutes(t.entry for p, t in told if p is CalendarPurpose.FREEZE)
    gate = Gate()
    gate.expand(calendar_file(zone, [each for _, each in told]), begin)
    following = next_true(fits(permits & ~freezes, gate.length))
    for n in range(0, 9 * 60, 3):
        at, wanted = begin + n * MINUTE, begin + following[n] * MINUTE
        if following[n] < 16 * 24 * 60:
            assert disagreement(gate.ask_calendar(at), at, wanted) is None
        else:
            said = gate.ask_calendar(at)
            assert said is not None, at
            assert said.until is None or said.until >= begin + timedelta(days=15)


@pytest.mark.parametrize("step", [timedelta(days=3650), timedelta(days=-3650), -HOUR, HOUR])
def test_a_clock_that_is_set_never_opens_a_window(step: timedelta) -> None:
    """The moment of the entry is all that counts; one for which nothing was worked out denies."""
    gate = Gate()
    now = span(2025) + timedelta(days=100)
    told = [each for _, each in everyday_life("Europe/Berlin", 2025)]
    gate.expand(calendar_file("Europe/Berlin", told), now)
    decision = gate.ask(now + step)
    if abs(step) > timedelta(days=1):
        assert (Verdict.DEFERRED, Reason.POLICY_MISSING) == (decision.verdict, decision.reason)
    else:
        assert disagreement(decision, now + step, _wanted("Europe/Berlin", now + step)) is None


def _wanted(zone: str, at: datetime) -> datetime:
    told = list(everyday_life(zone, YEARS[zone]))
    clock = Clock(zone, at, timedelta(days=9))
    permits = clock.minutes(t.entry for p, t in told if p is CalendarPurpose.PERMIT)
    freezes = clock.minutes(t.entry for p, t in told if p is CalendarPurpose.FREEZE)
    return at + next_true(fits(permits & ~freezes, Gate().length))[0] * MINUTE


def test_an_emergency_waits_for_nothing_and_a_standard_change_for_freezes() -> None:
    """In a freeze, and outside of every window."""
    told = list(everyday_life("Europe/Berlin", 2025))
    file = calendar_file("Europe/Berlin", [each for _, each in told])
    at = datetime(2025, 1, 31, 12, tzinfo=UTC)
    said = {}
    for type in ChangeType:
        gate = Gate(type)
        gate.expand(file, at)
        said[type] = gate.ask_calendar(at)
    assert said[ChangeType.EMERGENCY] is None
    standard, normal = said[ChangeType.STANDARD], said[ChangeType.NORMAL]
    assert standard is not None
    assert normal is not None
    assert (Reason.FROZEN, Reason.FROZEN) == (standard.reason, normal.reason)
    assert datetime(2025, 1, 31, 23, tzinfo=UTC) == standard.until == normal.until
