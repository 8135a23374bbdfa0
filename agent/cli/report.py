"""`watchkeeper report availability`: what was promised, what was delivered, what is not known."""

import csv
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from rich.text import Text

from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.cli.report_changes import report_changes
from agent.cli.spreadsheet import cell
from agent.errors import PermanentError


def report(
    remote: Remote,
    what: str,
    *,
    start: datetime | None,
    end: datetime | None,
    wish: Mapping[str, str | None],
    as_json: bool,
    as_csv: bool,
) -> int:
    """Print a report; `wish` holds the options that the API takes by the same name."""
    if what == "changes":
        asked = {name: wish.get(name) for name in ("period", "zone", "entity")}
        return report_changes(remote, asked, as_json=as_json, as_csv=as_csv)
    if what != "availability":
        raise PermanentError(f"there is no report {what!r}; there are: availability, changes")
    found = remote.get(
        "/api/v1/reports/availability",
        start=start.replace(tzinfo=UTC).isoformat() if start else None,
        end=end.replace(tzinfo=UTC).isoformat() if end else None,
        **wish,
    )
    if as_json:
        return show.as_json(found)
    if as_csv:
        return _as_csv(found)
    out = show.console()
    out.print(
        show.text(
            f"Availability {show.moment(found['start'])} to {show.moment(found['end'])} UTC, "
            f"watched since {show.moment(found['watched_since'])}",
            style="bold",
        )
    )
    rows = show.table("SERVICE", "PROMISED", "DELIVERED", "DOWN", "DEGRADED", "UNKNOWN", "OUTAGES")
    for row in found["services"]:
        rows.add_row(
            show.text(row["title"]),
            _share(row["objective"]),
            _delivered(row),
            show.length(row["down_s"]),
            show.length(row["degraded_s"]),
            show.length(row["unknown_s"]),
            _outages(row),
        )
    out.print(rows)
    out.print(show.text(found["method"], style="dim"))
    return 0


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.3f} %"


def _delivered(row: Document) -> Text:
    """The figure, and below it what it may be at worst and best where something is unknown."""
    missed = row["objective"] is not None and (row["highest"] or 0) < row["objective"]
    text = show.text(show.share(row["availability"]), style="bold red" if missed else "")
    if row["unknown_s"] and row["lowest"] is not None and row["highest"] is not None:
        text.append(
            f"\n{row['lowest'] * 100:.1f} to {row['highest'] * 100:.1f} %", style="not bold dim"
        )
    return text


def _outages(row: Document) -> str:
    if not row["outages"]:
        return "0"
    longest = show.length(row["restorations_s"][-1]) if row["restorations_s"] else "still down"
    automated = row["restored_by_automation"]
    by = f", {automated} by automation" if automated else ""
    return f"{row['outages']} (longest {longest}{by})"


def _as_csv(found: Document) -> int:
    """One line a service; what a spreadsheet would take for a formula is made text."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    names = [name for name in found["services"][0] if name != "title"] if found["services"] else []
    out.writerow(["start", "end", *names])
    for row in found["services"]:
        out.writerow([found["start"], found["end"], *(cell(row[name]) for name in names)])
    return 0
