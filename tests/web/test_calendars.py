"""The forward schedule of change is iCalendar that others can read; windows are told with why."""

import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any

from icalendar import Calendar as ICalendar

from agent.config.calendars.claims import Declared
from agent.config.calendars.expand import expand
from agent.config.calendars.read import parse_calendar
from agent.model.calendar import Calendar, CalendarPurpose, CalendarWindow
from agent.model.entry import CalendarsExpanded
from agent.model.interval import Interval
from tests.web.conftest import Running

DB = "component:default/db"
HOSTILE = 'Rack; move, \\ "two"\r\nBEGIN:VEVENT\nSUMMARY:not so'
P = CalendarPurpose


def around(now: datetime, *windows: CalendarWindow) -> CalendarsExpanded:
    """A calendar of these windows."""
    day = timedelta(days=1)
    year = Calendar(
        name="year",
        permits=(),
        windows=tuple(sorted(windows, key=lambda window: window.interval)),
        horizon=Interval(now - day, now + 60 * day),
    )
    return CalendarsExpanded(calendars=(year,))


def window(start: datetime, hours: float, *purposes: P, summary: str = "") -> CalendarWindow:
    """A window for the database."""
    return CalendarWindow(
        interval=Interval(start, start + timedelta(hours=hours)),
        summary=summary,
        purposes=purposes,
        entities=(DB,),
        who="Jane Doe <jane@example.org>",
        why=HOSTILE,
        zone="Europe/Berlin",
    )


async def ask(agent: Running, **more: str) -> tuple[int, Any]:
    """Ask for a restart of the database."""
    wish = {"remediation": "restart", "entity": DB, "parameters": {"service": "db"}, **more}
    return await agent.ask("POST", "/api/v1/changes", role="operator", json=wish)


async def events(agent: Running) -> dict[str, Any]:
    """The events of the schedule by UID."""
    status, text = await agent.ask("GET", "/api/v1/changes.ics", role="viewer")
    assert status == 200
    calendar: Any = ICalendar.from_ical(text)
    return {str(event["UID"]): event for event in calendar.walk("VEVENT")}


async def test_a_change_is_planned_where_it_would_run(guarded: Running) -> None:
    """Its event keeps its UID, and its SEQUENCE grows when it is planned anew."""
    now = datetime.now(UTC).replace(microsecond=0)
    start = now + timedelta(hours=30)
    status, made = await ask(
        guarded,
        type="normal",
        not_before=start.isoformat(),
        not_after=(start + timedelta(hours=4)).isoformat(),
    )
    assert status == 201, made
    asked = {"start": start, "end": start + timedelta(hours=4)}
    assert asked == {side: datetime.fromisoformat(made["window"][side]) for side in asked}
    ((uid, event),) = (await events(guarded)).items()
    assert uid.startswith("CHG-1@")
    assert (start, made["requested_by"]) == (event["DTSTART"].dt, str(event["CONTACT"]))
    first = int(event["SEQUENCE"])
    freeze = window(start - timedelta(hours=1), 2, P.FREEZE)
    await guarded.loop.append(around(now, freeze))
    later = (await events(guarded))[uid]
    assert start + timedelta(hours=1) == later["DTSTART"].dt
    assert int(later["SEQUENCE"]) > first
    assert later["LAST-MODIFIED"].dt >= event["LAST-MODIFIED"].dt


async def test_text_of_others_stays_text(guarded: Running) -> None:
    """Whatever stands in a calendar is one property of one event, and is read back as it was."""
    now = datetime.now(UTC).replace(microsecond=0)
    shown = window(now + timedelta(hours=2), 3, P.FREEZE, P.MUTE, summary=HOSTILE)
    hidden = window(now + timedelta(hours=9), 3, P.MUTE)
    await guarded.loop.append(around(now, shown, hidden))
    ((_, event),) = (await events(guarded)).items()
    assert HOSTILE.replace("\r\n", "\n") == str(event["SUMMARY"]) == str(event["DESCRIPTION"])


async def test_what_one_agent_publishes_another_can_subscribe_to(guarded: Running) -> None:
    """Purposes, entities, who and why come through; changes of the one do nothing to the other."""
    now = datetime.now(UTC).replace(microsecond=0)
    given = window(now + timedelta(hours=2), 3, P.FREEZE, P.EXCLUDE, summary="Move")
    await guarded.loop.append(around(now, given))
    await ask(guarded, type="normal", not_before=(now + timedelta(days=1)).isoformat())
    _, text = await guarded.ask("GET", "/api/v1/changes.ics", role="viewer")
    declared = Declared(
        purposes=tuple(P), unmarked=(), entities=(), zone=None, known=(DB,), scope=None
    )
    file = parse_calendar("feed", str(text).encode(), declared)
    (read,) = expand(file, Interval(now, now + timedelta(days=30)))
    for name in ("interval", "summary", "purposes", "entities", "who"):
        assert getattr(given, name) == getattr(read, name)


async def test_the_schedule_needs_the_right_to_read(guarded: Running) -> None:
    """A calendar program gives a token like everybody else."""
    assert (await guarded.ask("GET", "/api/v1/changes.ics"))[0] == 401


async def test_windows_are_told_with_zone_and_reason(guarded: Running) -> None:
    """Of a span of time, for everybody or for an entity; what is below one counts."""
    now = datetime.now(UTC).replace(microsecond=0)
    soon = window(now + timedelta(hours=2), 3, P.FREEZE)
    await guarded.loop.append(around(now, soon, window(now + timedelta(days=20), 3, P.MUTE)))

    async def windows(**query: str) -> Any:
        path = f"/api/v1/calendars/windows?{urllib.parse.urlencode(query)}"
        status, found = await guarded.ask("GET", path, role="viewer")
        assert status == 200, found
        return found

    found = await windows()
    (only,) = found["windows"]
    assert ("Europe/Berlin", soon.who, soon.why) == (only["zone"], only["who"], only["why"])
    assert (False, []) == (found["is_cut"], found["unreadable"])
    assert 1 == len((await windows(entity=DB))["windows"])
    assert [] == (await windows(entity="component:default/shop"))["windows"]
    assert 2 == len((await windows(to=(now + timedelta(days=30)).isoformat()))["windows"])
    backwards = urllib.parse.urlencode({"to": (now - timedelta(days=30)).isoformat()})
    refused = await guarded.ask("GET", f"/api/v1/calendars/windows?{backwards}", role="viewer")
    assert refused[0] == 400


async def test_a_time_that_cannot_be_kept_is_refused_at_once(guarded: Running) -> None:
    """Too short, over, too far ahead, or of no zone: nothing is planned."""
    now = datetime.now(UTC)
    for times, status in (
        ({"not_after": (now + timedelta(seconds=30)).isoformat()}, 409),
        ({"not_after": (now - timedelta(days=1)).isoformat()}, 409),
        ({"not_before": (now + timedelta(days=400)).isoformat()}, 409),
        ({"not_before": "2026-12-01T10:00:00"}, 400),
    ):
        assert status == (await ask(guarded, **times))[0], times
    assert {} == guarded.loop.state.changes
