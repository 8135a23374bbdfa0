"""`watchkeeper calendar`: what applies when, and the schedule of changes for a calendar program."""

from pathlib import Path
from zoneinfo import ZoneInfo

from rich.text import Text

from agent.cli import show as shown
from agent.cli.remote import Document, Remote
from agent.errors import PermanentError


def show(
    remote: Remote, since: str | None, until: str | None, entity: str | None, *, as_json: bool
) -> int:
    """Print the windows of a span of time; 1 where a calendar cannot be read for all of it."""
    found = remote.get(
        "/api/v1/calendars/windows",
        **{
            "from": since and shown.wanted(since, "--from"),
            "to": until and shown.wanted(until, "--to"),
            "entity": entity,
        },
    )
    if as_json:
        return shown.as_json(found)
    out = shown.console()
    table = shown.table("FROM", "TO", "ZONE", "WHAT", "FOR", "CALENDAR", "WHY")
    for window in found["windows"]:
        table.add_row(*_row(window))
    if found["windows"]:
        out.print(table)
    else:
        print("No window applies.")
    if found["is_cut"]:
        print("There are more; ask for a shorter time.")
    for name in found["unreadable"]:
        out.print(shown.text(f"Calendar {name} cannot be read for all of it: nothing runs then."))
    return 1 if found["unreadable"] else 0


def export(remote: Remote, out: Path | None) -> int:
    """Write the forward schedule of change."""
    text = remote.text("/api/v1/changes.ics", "text/calendar")
    if out is None:
        print(text, end="")
        return 0
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise PermanentError(f"{out} cannot be written: {error.strerror}") from None
    print(f"Written to {out}.")
    return 0


def _row(window: Document) -> list[Text | str]:
    """A window on the clock of its own zone."""
    zone = ZoneInfo(window["zone"])
    start, end = (
        shown.parse(window["interval"][side]).astimezone(zone) for side in ("start", "end")
    )
    who = f"by {window['who']}" if window["who"] else ""
    why = "; ".join(part for part in (window["summary"], who, window["why"]) if part)
    return [
        start.strftime("%a %Y-%m-%d %H:%M"),
        end.strftime("%a %Y-%m-%d %H:%M" if end.date() != start.date() else "%H:%M"),
        window["zone"],
        ", ".join(window["purposes"]),
        shown.text(", ".join(window["entities"]) or "everybody"),
        window["calendar"],
        shown.text(why),
    ]
