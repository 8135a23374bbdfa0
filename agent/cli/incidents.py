"""`watchkeeper incidents`: the list, and one with its story."""

from rich.text import Text

from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.cli.reported import tell_suspects


def incidents(remote: Remote, identifier: str | None, *, all_states: bool, as_json: bool) -> int:
    """Print incidents; open ones first as the API gives them."""
    if identifier is not None:
        detail = remote.get(f"/api/v1/incidents/{identifier}")
        return show.as_json(detail) if as_json else tell_incident(detail)
    page = remote.get("/api/v1/incidents", limit=100)
    found = page["items"] if all_states else [i for i in page["items"] if i["state"] == "open"]
    if as_json:
        return show.as_json(found)
    out = show.console()
    if not found:
        out.print("No open incidents." if not all_states else "No incidents.")
        return 0
    rows = show.table("ID", "P", "STATE", "SINCE", "TITLE", "CAUSE", "OWNER", "ALERTS")
    for incident in found:
        causes = incident["causes"]
        rows.add_row(
            incident["id"],
            f"P{incident['priority']}",
            show.state(incident["state"]),
            show.age(incident["started_at"]),
            show.text(incident["title"]),
            show.text(causes[0]["entity"] if causes else "-"),
            show.text(incident["assignee"] or incident["owner"] or "-"),
            f"{incident['firing']}/{incident['alerts']}",
        )
    out.print(rows)
    return 0


def tell_incident(detail: Document) -> int:
    """Print one incident with its causes and its story."""
    incident, out = detail["incident"], show.console()
    out.print(
        show.text(f"{incident['id']} P{incident['priority']}: {incident['title']}", style="bold")
    )
    out.print(show.text(incident["summary"]))
    line = Text.assemble("State ", show.state(incident["state"]))
    line.append(f", since {show.moment(incident['started_at'])} UTC")
    line.append(f", owner {incident['owner'] or '-'}, assignee {incident['assignee'] or '-'}")
    out.print(line)
    for ticket in incident["tickets"]:
        out.print(show.text(f"Ticket {ticket['connector']} {ticket['ref']}: {ticket['url']}"))
    tell_resting(incident["until_clear"], detail["flapping"])
    tell_causes(incident["causes"])
    tell_suspects(incident["suspects"])
    out.print()
    story = show.table("TIME (UTC)", "WHO", "WHY", "WHAT")
    for item in detail["timeline"]:
        story.add_row(
            show.moment(item["at"]),
            show.text(item["actor"]),
            item["reason"].replace("_", " "),
            show.text(item["text"]),
        )
    out.print(story)
    return 0


def tell_resting(resting: Document, flapping: list[Document]) -> None:
    """Print why nobody is told again, and what flaps."""
    out = show.console()
    if resting:
        end = f", at the latest {show.moment(resting['until'])} UTC" if resting["until"] else ""
        out.print(show.text(f"Not told again until clear{end}, or worse ({resting['by']})"))
    for flap in flapping:
        last = show.moment(flap["changed_at"][-1])
        out.print(
            show.text(
                f"Flapping since {show.moment(flap['since'])} UTC: {flap['name']}, "
                f"{flap['changes']} changes, the last {last} ({flap['alert']})"
            )
        )


def tell_causes(causes: list[Document]) -> None:
    """Print candidates with what speaks for and against them."""
    out = show.console()
    for number, cause in enumerate(causes, 1):
        silent = "" if cause["alerting"] else "  (no alert of its own)"
        out.print(show.text(f"{number}. {cause['entity']}  {cause['score']:.2f}{silent}"))
        for piece in cause["evidence"]:
            mark, style = ("+", "green") if piece["speaks_for"] else ("-", "yellow")
            out.print(show.text(f"     {mark} {piece['text']}", style=style))
