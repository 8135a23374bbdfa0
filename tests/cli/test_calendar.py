"""What people at a terminal learn of windows, and how they ask for a time of their own."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from icalendar import Calendar as ICalendar

from agent.model.calendar import CalendarPurpose
from tests.cli.conftest import Shell
from tests.web.test_calendars import around, window

REQUEST = ("changes", "--request", "restart", "--entity", "component:default/db")
VALUES = ("--set", "service=db", "--type", "normal")


async def test_windows_are_shown_on_the_clock_of_their_zone(shell: Shell) -> None:
    """With who and why; without any, that is said."""
    assert (await shell("calendar", "show")).out == "No window applies.\n"
    start = datetime(2026, 7, 4, 20, tzinfo=UTC)
    freeze = window(start, 6, CalendarPurpose.FREEZE, summary="Sale")
    await shell.agent.loop.append(around(start, freeze))
    span = ("--from", "2026-07-01", "--to", "2026-07-10T12:00+02:00")
    (only,) = json.loads((await shell("calendar", "show", *span, "--json")).out)["windows"]
    assert ["freeze"] == only["purposes"]
    told = (await shell("calendar", "show", *span)).out
    words = told.replace("\n", " ").split()
    assert {"22:00", "04:00", "Europe/Berlin", "freeze", "Sale;"} <= set(words)
    wrong = await shell("calendar", "show", "--from", "soon")
    assert "--from: 'soon' is no moment" in wrong.err


async def test_the_schedule_is_written_to_a_file(shell: Shell, tmp_path: Path) -> None:
    """As the agent publishes it, with the change that waits for its time."""
    later = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    times = ("--not-before", later.isoformat(), "--not-after", "2126-01-01T00:00")
    refused = await shell(*REQUEST, *VALUES, *times, role="operator")
    assert "more than 366 days ahead" in refused.err
    made = await shell(*REQUEST, *VALUES, *times[:2], role="operator")
    assert made.code == 0, made.err
    told = await shell("changes", "CHG-1", role="operator")
    assert f"window       from {later:%Y-%m-%d %H:%M:%S} UTC" in told.out
    file = tmp_path / "changes.ics"
    assert (await shell("calendar", "export", "--out", str(file), role="viewer")).code == 0
    (event,) = ICalendar.from_ical(file.read_bytes()).walk("VEVENT")
    assert later == event["DTSTART"].dt
    printed = await shell("calendar", "export", role="viewer")
    assert "BEGIN:VCALENDAR" in printed.out
