"""`watchkeeper report availability`: what was promised, what was delivered, what is not known."""

from datetime import UTC, datetime

from rich.text import Text

from agent.cli import show
from agent.cli.remote import Remote
from agent.errors import PermanentError


def report(
    remote: Remote,
    what: str,
    *,
    start: datetime | None,
    end: datetime | None,
    entity: str | None,
    as_json: bool,
) -> int:
    """Print a report."""
    if what != "availability":
        raise PermanentError(f"there is no report {what!r}; there is: availability")
    found = remote.get(
        "/api/v1/reports/availability",
        start=start.replace(tzinfo=UTC).isoformat() if start else None,
        end=end.replace(tzinfo=UTC).isoformat() if end else None,
        entity=entity,
    )
    if as_json:
        return show.as_json(found)
    out = show.console()
    out.print(
        Text(
            f"Availability {show.moment(found['start'])} to {show.moment(found['end'])} UTC, "
            f"watched since {show.moment(found['watched_since'])}",
            style="bold",
        )
    )
    rows = show.table(
        "SERVICE",
        "PROMISED",
        "DELIVERED",
        "RANGE",
        "DOWN",
        "DEGRADED",
        "EXCUSED",
        "UNKNOWN",
        "OUTAGES",
        "RESTORED AFTER",
        "BY AUTOMATION",
    )
    for row in found["services"]:
        missed = row["objective"] is not None and (row["highest"] or 0) < row["objective"]
        rows.add_row(
            Text(row["title"]),
            show.share(row["objective"]) if row["objective"] is not None else "-",
            Text(show.share(row["availability"]), style="bold red" if missed else ""),
            f"{show.share(row['lowest'])} to {show.share(row['highest'])}",
            show.length(row["down_s"]),
            show.length(row["degraded_s"]),
            show.length(row["excused_s"]),
            show.length(row["unknown_s"]),
            str(row["outages"]),
            ", ".join(show.length(seconds) for seconds in row["restorations_s"][:3]) or "-",
            str(row["restored_by_automation"]),
        )
    out.print(rows)
    out.print(Text(found["method"], style="dim"))
    return 0
