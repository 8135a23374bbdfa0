"""`watchkeeper audit population`: is anything outside of the record, did anything break it."""

import csv
import sys

from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.cli.spreadsheet import cell

PARTS = ("remainders", "violations", "unknown")


def population(remote: Remote, period: str, zone: str, *, as_json: bool, as_csv: bool) -> int:
    """Print what was found; 1 where there is a remainder or a violation."""
    found = remote.get("/api/v1/audit/population", period=period, zone=zone)
    if as_json:
        show.as_json(found)
    elif as_csv:
        _as_csv(found)
    else:
        _tell(found)
    return 1 if found["remainders"] or found["violations"] else 0


def _tell(found: Document) -> None:
    out = show.console()
    out.print(
        show.text(
            f"{show.moment(found['start'])} to {show.moment(found['end'])} UTC: "
            f"{found['runs']} runs asked for, {found['changes']} changes alive; "
            f"audited since {show.moment(found['audited_since'])}",
            style="bold",
        )
    )
    if not any(found[part] for part in PARTS):
        out.print("Every run has its change, every change its runs; none broke what was decided.")
        return
    rows = show.table("", "WHAT", "OF", "")
    for part in PARTS:
        for each in found[part]:
            rows.add_row(part, each["kind"], each["subject"], show.text(each["text"]))
    out.print(rows)


def _as_csv(found: Document) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["start", "end", "part", "kind", "subject", "text"])
    for part in PARTS:
        for each in found[part]:
            said = (part, each["kind"], each["subject"], each["text"])
            out.writerow([found["start"], found["end"], *map(cell, said)])
