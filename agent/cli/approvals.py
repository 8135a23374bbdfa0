"""What people say about changes beside yes and no, and what a board decides, by command."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.cli import show
from agent.cli.agenda import markdown_of
from agent.cli.remote import Document, Remote
from agent.config.durations import parse_duration
from agent.config.yaml_lines import parse_documents
from agent.errors import PermanentError

FILE_BYTES_MAX = 1024 * 1024
COLUMNS = ("change", "binding", "decision", "note")


def owed(remote: Remote, *, retro: bool, reviews: bool, as_json: bool) -> int:
    """Print late approvals and reviews that are owed."""
    found = remote.get("/api/v1/duties")
    kinds = [("retro", retro), ("reviews", reviews)]
    wanted = {name: found[name] for name, is_asked in kinds if is_asked}
    if as_json:
        return show.as_json(wanted)
    out = show.console()
    rows = show.table("CHANGE", "OWED", "DUE (UTC)", "WHAT", "WHY")
    for name, items in wanted.items():
        for item in items:
            duty = item["duty"]
            due = show.moment(duty["due_at"]) + (" OVERDUE" if duty["is_overdue"] else "")
            why = "emergency" if name == "retro" else duty["why"]
            word = "an answer" if name == "retro" else "a review"
            rows.add_row(item["change"], word, due, show.text(item["title"]), show.text(why))
    out.print(rows if any(wanted.values()) else "Nothing is owed.")
    return 0


def say(remote: Remote, identifier: str, verb: str, body: Document, done: str) -> int:
    """Say something about a change; the agent's own words where it is refused."""
    remote.post(f"/api/v1/changes/{identifier}/{verb}", body)
    print(f"{identifier} {done}.")
    return 0


def delegations(remote: Remote, *, as_json: bool) -> int:
    """Print who decides in whose place."""
    found = remote.get("/api/v1/delegations")
    if as_json:
        return show.as_json(found)
    rows = show.table("ID", "WHO", "IN THE PLACE OF", "FROM (UTC)", "UNTIL (UTC)", "FOR", "NOTE")
    for one in found:
        rows.add_row(
            one["id"],
            show.text(one["to"]),
            show.text(one["by"]),
            show.moment(one["starts_at"]),
            show.moment(one["ends_at"]),
            show.text(", ".join(one["scopes"]) or "everything"),
            show.text(one["note"]),
        )
    show.console().print(rows if found else "Everybody decides for themselves.")
    return 0


def delegate(remote: Remote, to: str, length: str, scopes: list[str], note: str) -> int:
    """Let somebody decide in one's place for a time from now on."""
    ends = datetime.now(UTC) + _length(length, "--for")
    body = {"to": to, "ends_at": ends.isoformat(), "scopes": scopes, "note": note}
    made = remote.post("/api/v1/delegations", body)
    until = show.moment(made["ends_at"])
    print(f"{made['id']}: {made['to']} decides in the place of {made['by']} until {until} UTC.")
    return 0


def end_delegation(remote: Remote, identifier: str) -> int:
    """End it now."""
    remote.delete(f"/api/v1/delegations/{identifier}")
    print(f"{identifier} has ended.")
    return 0


def agenda(remote: Remote, within: str, *, as_json: bool, as_markdown: bool) -> int:
    """Print the agenda of a board."""
    hours = int(_length(within, "--within") / timedelta(hours=1)) or 1
    found = remote.get("/api/v1/cab/agenda", hours=hours)
    if as_json:
        return show.as_json(found)
    text = markdown_of(found)
    print(text if as_markdown else text.replace("**", ""))
    return 0


def decide(remote: Remote, file: Path, *, as_json: bool) -> int:
    """Record what a board decided; 1 where something was refused."""
    answers = remote.post("/api/v1/cab/decisions", {"decisions": read_decisions(file)})
    if as_json:
        show.as_json(answers)
    else:
        rows = show.table("CHANGE", "DECISION", "RECORDED", "WHY NOT")
        for one in answers:
            word = "yes" if one["is_recorded"] else "no"
            rows.add_row(one["change"], one["decision"], word, show.text(one["text"]))
        show.console().print(rows)
    return 0 if all(one["is_recorded"] for one in answers) else 1


def read_decisions(file: Path) -> list[Document]:
    """The decisions of a YAML or CSV file: change, binding, decision and note of each.

    Raises PermanentError naming the file, and the item, that is not one.
    """
    if not file.is_file() or file.stat().st_size > FILE_BYTES_MAX:
        raise PermanentError(f"{file}: is no file, or larger than {FILE_BYTES_MAX} bytes")
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".csv":
        items: Document = list(csv.DictReader(io.StringIO(text)))
    else:
        (document, *_) = [*parse_documents(text.encode(), str(file)), None]
        value = document.value if document else None
        items = value.get("decisions") if isinstance(value, dict) else None
    if not isinstance(items, list) or not items:
        raise PermanentError(
            f"{file}: write `decisions:` with a list of change, binding, decision and note, "
            "or a CSV file with these columns"
        )
    return [_decision(file, number, item) for number, item in enumerate(items, start=1)]


def _length(text: str, option: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise PermanentError(f"{option}: {error}") from None


def _decision(file: Path, number: int, item: Document) -> Document:
    given = item if isinstance(item, dict) else {}
    missing = [name for name in ("change", "binding", "decision") if not given.get(name)]
    unknown = sorted(str(name) for name in given if name not in COLUMNS)
    if missing or unknown or given["decision"] not in ("approve", "reject"):
        wrong = f"{', '.join(missing)} missing" if missing else ""
        wrong = wrong or (f"{', '.join(unknown)} unknown" if unknown else "")
        wrong = wrong or "`decision` is approve or reject"
        raise PermanentError(f"{file}: item {number}: {wrong}; nothing was decided")
    return {name: str(given.get(name) or "") for name in COLUMNS}
