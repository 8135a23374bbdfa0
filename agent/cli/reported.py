"""`watchkeeper reported`: changes that others made, as their tools told us."""

from agent.cli import show
from agent.cli.remote import Document, Remote


def reported(remote: Remote, identifier: str | None, *, as_json: bool) -> int:
    """Print the last ones, or one in full."""
    if identifier is not None:
        found = remote.get(f"/api/v1/reported/{identifier}")
        return show.as_json(found) if as_json else _tell(found)
    items = remote.get("/api/v1/reported", limit=100)["items"]
    if as_json:
        return show.as_json(items)
    out = show.console()
    if not items:
        out.print("No tool has told of a change.")
        return 0
    rows = show.table("ID", "STATE", "BEGAN (UTC)", "WHAT", "VERSION", "WHERE", "BY", "TOLD BY")
    for change in items:
        rows.add_row(
            change["id"],
            show.state(change["progress"]),
            show.moment(change["started_at"]),
            show.text(change["summary"]),
            show.text(change["version"] or "-"),
            show.text(", ".join(change["entities"]) or "nowhere on the map"),
            show.text(change["actor"] or "-"),
            show.text(change["source"]),
        )
    out.print(rows)
    return 0


def tell_suspects(suspects: list[Document]) -> None:
    """Print what may have led to an incident, the likeliest first."""
    out = show.console()
    words = {True: " (confirmed)", False: " (dismissed)", None: ""}
    for suspect in suspects:
        verdict = words[suspect["is_match"]]
        by = f" by {suspect['judged_by']}" if suspect["judged_by"] else ""
        head = f"Suspect {suspect['change']}  {suspect['score']:.2f}  {suspect['title']}"
        out.print(show.text(f"{head}{verdict}{by if verdict else ''}"))
        for text in suspect["evidence"]:
            out.print(show.text(f"     + {text}", style="green"))


def _tell(change: Document) -> int:
    out = show.console()
    out.print(show.text(f"{change['id']} {change['summary']}", style="bold"))
    lines = (
        ("State", change["progress"]),
        ("Began", f"{show.moment(change['started_at'])} UTC"),
        ("Ended", f"{show.moment(change['ended_at'])} UTC" if change["ended_at"] else "-"),
        ("Where", ", ".join(change["entities"]) or "nowhere on the map"),
        ("Environment", change["environment"] or "-"),
        ("Version", change["version"] or "-"),
        ("By", change["actor"] or "-"),
        ("Told by", change["source"]),
        ("Link", change["url"] or "-"),
    )
    for name, value in lines:
        out.print(show.text(f"{name:<12} {value}"))
    return 0
