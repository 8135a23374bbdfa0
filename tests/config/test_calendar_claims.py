"""What an entry is for is what it says, within what its document grants."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.config.calendars.claims import Declared
from agent.config.calendars.expand import expand
from agent.config.calendars.read import parse_calendar
from agent.errors import ConfigError
from agent.model.calendar import CalendarPurpose, CalendarWindow
from agent.model.interval import Interval
from tests.config.test_calendars import FREEZE, HEAD, YEAR, calendar, utc, windows

P = CalendarPurpose
SHOP, DB = "component:default/shop", "component:default/db"
ALL = replace(
    FREEZE,
    purposes=(P.PERMIT, P.FREEZE, P.MUTE, P.EXCLUDE),
    unmarked=(P.MUTE,),
    known=(SHOP, DB, "component:default/web"),
)
HOUR = "DTSTART:20260301T010000Z\nDURATION:PT1H\n"


def read(*entries: str, declared: Declared = ALL, head: str = HEAD) -> list[CalendarWindow]:
    """The windows of these entries."""
    file = parse_calendar("a.ics", calendar(*entries, head=head).encode(), declared)
    return list(expand(file, YEAR))


def test_one_entry_may_mute_permit_freeze_and_exclude_at_once() -> None:
    """Categories are purposes, in one line or several, whatever their case."""
    one = read(HOUR + "CATEGORIES:MUTE,permit,Freeze,EXCLUDE")
    two = read(HOUR + "CATEGORIES:MUTE,PERMIT\nCATEGORIES:FREEZE\nCATEGORIES:EXCLUDE")
    assert (P.PERMIT, P.FREEZE, P.MUTE, P.EXCLUDE) == one[0].purposes == two[0].purposes


def test_an_entry_that_names_no_purpose_does_what_its_document_says() -> None:
    """Categories that are for people do not count."""
    assert [(P.MUTE,)] == [w.purposes for w in read(HOUR + "CATEGORIES:Team blue,Rollout")]


def test_who_and_why_are_kept_in_one_line_each() -> None:
    """The organizer or the contact made it; summary and description say why."""
    said = HOUR + 'ORGANIZER;CN="Jane Doe":mailto:jane@example.org\nSUMMARY:Move'
    (first,) = read(said + "\nDESCRIPTION:The rack\\nmoves\\, all of it")
    assert ("Move", "Jane Doe <jane@example.org>") == (first.summary, first.who)
    assert first.named("year") == "Move (by Jane Doe <jane@example.org>; The rack moves, all of it)"
    (second,) = read(said + "\nCONTACT:Operations\\, desk 2")
    assert second.who == "Operations, desk 2"


def test_a_text_without_end_is_cut() -> None:
    """What stands in a calendar reaches every alert that it mutes."""
    (window,) = read(HOUR + "SUMMARY:" + "s" * 3000 + "\nDESCRIPTION:" + "\\n\\td" * 3000)
    assert [200, 500] == [len(window.summary), len(window.why)]
    assert window.why.isprintable()


def test_an_entry_concerns_whom_it_names_instead() -> None:
    """Fewer than its document, several with commas."""
    found = read(
        HOUR + "X-WATCHKEEPER-ENTITIES:component:shop\\,component:db",
        HOUR + "X-WATCHKEEPER-ENTITIES:component:db",
        HOUR,
    )
    assert [(), (DB,), (SHOP, DB)] == sorted((w.entities for w in found), key=len)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("CATEGORIES:FREZE", 'no purpose. Did you mean "freeze"?'),
        ("CATEGORIES:HOURS", "HOURS is no purpose of this calendar"),
        ("X-WATCHKEEPER-ENTITIES:component:shpo", 'Did you mean "component:default/shop"?'),
        ("X-WATCHKEEPER-ENTITIES:shop", "does not say its kind"),
        ("X-WATCHKEEPER-ENTITIES:component:web", "none of those that this calendar is about"),
        ("STATUS:MAYBE", "the STATUS MAYBE is not known"),
        ("EXRULE:FREQ=DAILY", "EXRULE is of an older standard"),
        ("EXDATE;VALUE=DATE:20260302", "must both be days or both be times"),
        ("DTEND:20260301T030000Z", "DTEND or DURATION, not both"),
    ],
)
def test_what_an_entry_may_not_claim_is_told(said: str, problem: str) -> None:
    """With the line of the entry and a way out; a mistyped purpose is not a word for people."""
    declared = replace(ALL, scope=(SHOP, DB))
    with pytest.raises(ConfigError) as refused:
        read(HOUR, HOUR + said, declared=declared)
    (finding,) = refused.value.findings
    assert problem in str(finding)
    assert finding.line == 11


def test_what_may_not_come_to_be_allows_nothing() -> None:
    """A tentative entry freezes and does nothing else; a cancelled one does nothing."""
    all_of_it = HOUR + "CATEGORIES:MUTE,PERMIT,FREEZE,EXCLUDE\nSTATUS:"
    assert [(P.FREEZE,)] == [w.purposes for w in read(all_of_it + "TENTATIVE")]
    assert [] == read(all_of_it + "CANCELLED")


def test_a_changed_occurrence_is_for_what_its_series_is_for() -> None:
    """Unless it says something else; one that is cancelled is none."""
    series = "DTSTART:20260301T010000Z\nDTEND:20260301T020000Z\nRRULE:FREQ=DAILY;COUNT=4"
    text = calendar(
        f"{series}\nCATEGORIES:FREEZE\nSUMMARY:Nightly",
        "RECURRENCE-ID:20260302T010000Z\nDTSTART:20260302T050000Z\nDTEND:20260302T060000Z",
        "RECURRENCE-ID:20260303T010000Z\nDTSTART:20260303T010000Z\nDTEND:20260303T020000Z\n"
        "STATUS:CANCELLED",
        "RECURRENCE-ID:20260304T010000Z\nDTSTART:20260304T010000Z\nDTEND:20260304T020000Z\n"
        "CATEGORIES:PERMIT\nSUMMARY:For once",
    )
    for number in range(4):
        text = text.replace(f"UID:{number}@test", "UID:0@test")
    found = expand(parse_calendar("a.ics", text.encode(), ALL), YEAR)
    assert [
        (utc("2026-03-01T01:00"), "Nightly", (P.FREEZE,)),
        (utc("2026-03-02T05:00"), "Nightly", (P.FREEZE,)),
        (utc("2026-03-04T01:00"), "For once", (P.PERMIT,)),
    ] == [(w.interval.start, w.summary, w.purposes) for w in found]


def test_a_floating_time_is_of_the_zone_that_the_document_names() -> None:
    """It comes before the calendar's own; without either it is refused."""
    entry = "DTSTART:20260701T020000\nDTEND:20260701T040000\nEXDATE:20260702T020000\n"
    entry += "RRULE:FREQ=DAILY;UNTIL=20260703T020000"
    head = HEAD + "X-WR-TIMEZONE:Asia/Tokyo\n"
    berlin = replace(FREEZE, zone=ZoneInfo("Europe/Berlin"))
    for declared, zone, hour in ((berlin, "Europe/Berlin", 0), (FREEZE, "Asia/Tokyo", -7)):
        found = read(entry, declared=declared, head=head)
        first = datetime(2026, 7, 1, tzinfo=UTC).timestamp() + hour * 3600
        assert [0, 2 * 86400] == [w.interval.start.timestamp() - first for w in found]
        assert {zone} == {w.zone for w in found}
    with pytest.raises(ConfigError, match="Say `zone` in the Calendar document"):
        read(entry)


def test_what_is_written_in_utc_recurs_in_utc() -> None:
    """Whatever zone the calendar is shown in (RFC 5545, 3.3.5)."""
    entry = "DTSTART:20260327T020000Z\nDTEND:20260327T040000Z\nRRULE:FREQ=DAILY;COUNT=4"
    found = read(entry, head=HEAD + "X-WR-TIMEZONE:Europe/Berlin\n")
    assert {(2, 4)} == {(w.interval.start.hour, w.interval.end.hour) for w in found}


def test_a_zone_is_a_name_and_not_what_the_calendar_says_of_it(tmp_path: Path) -> None:
    """A VTIMEZONE of a known name may be years old; one of an unknown name is refused."""
    zone = (
        "BEGIN:VTIMEZONE\nTZID:{}\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        "TZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    entry = "DTSTART;TZID={}:20260701T020000\nDURATION:PT1H"
    head = HEAD + zone.format("Europe/Berlin")
    text = calendar(entry.format("Europe/Berlin"), head=head)
    assert [(utc("2026-07-01T00:00"), utc("2026-07-01T01:00"))] == windows(tmp_path, text)
    with pytest.raises(ConfigError, match='there is no time zone "Ours"'):
        windows(tmp_path, calendar(entry.format("Ours"), head=HEAD + zone.format("Ours")))


def test_dates_beside_the_rule_may_be_longer(tmp_path: Path) -> None:
    """An RDATE adds an occurrence, with a length of its own where it is a period."""
    text = calendar(
        "DTSTART;TZID=Europe/Berlin:20260301T020000\nDURATION:PT1H\n"
        "RDATE;TZID=Europe/Berlin:20260303T020000\n"
        "RDATE;VALUE=PERIOD:20260305T010000Z/PT3H,20260306T010000Z/20260306T050000Z"
    )
    spans = [Interval(*span).length.total_seconds() / 3600 for span in windows(tmp_path, text)]
    assert [1.0, 1.0, 3.0, 4.0] == spans


PAGE = Path(__file__).parents[2] / "docs" / "calendars.md"


@pytest.mark.parametrize(
    "block", re.findall(r"```\n(BEGIN:VCALENDAR.*?)```", PAGE.read_text(), re.S)
)
def test_the_examples_of_the_page_can_be_copied(block: str) -> None:
    """They are in order, and have windows in the year for which they are written."""
    known = tuple(f"component:default/{name}" for name in ("db", "cache", "checkout"))
    declared = replace(ALL, known=known)
    assert expand(parse_calendar("page.ics", block.encode(), declared), YEAR)
