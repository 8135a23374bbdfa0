"""`watchkeeper report changes`: how changes fared, per service and over all."""

import csv
import sys
from collections.abc import Mapping

from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.cli.spreadsheet import cell

SPREADS = ("lead_time", "recovery")


def report_changes(
    remote: Remote, wish: Mapping[str, str | None], *, as_json: bool, as_csv: bool
) -> int:
    """Print the figures of a period."""
    found = remote.get("/api/v1/reports/changes", **wish)
    if as_json:
        return show.as_json(found)
    if as_csv:
        return _as_csv(found)
    out = show.console()
    heading = f"Changes {show.moment(found['start'])} to {show.moment(found['end'])} UTC"
    out.print(show.text(heading, style="bold"))
    rows = show.table(
        "SERVICE", "BY", "DEPLOYED", "A WEEK", "LEAD TIME", "FAILED", "RECOVERY", "REWORK"
    )
    for row in found["services"]:
        rows.add_row(
            show.text(row["entity"] or "not on the map"),
            row["origin"],
            str(row["deployments"]),
            f"{row['per_week']:.1f}",
            _spread(row["lead_time"]),
            _rate(row["fail_rate"], row["unknown"]),
            _spread(row["recovery"]),
            _rate(row["rework_rate"], row["rework_unknown"]),
        )
    out.print(rows)
    for line in _over_all(found["all"]):
        out.print(show.text(line))
    out.print(show.text(found["method"], style="dim"))
    return 0


def _over_all(all_: Document) -> list[str]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in all_["by_type"].items())
    waited = all_["oldest_approval_s"]
    oldest = f", the oldest for {_time(waited)}" if waited else ""
    unauthorised = "unknown" if all_["unauthorised"] is None else all_["unauthorised"]
    return [
        f"{all_['requested']} requested: {kinds}; emergencies {_share(all_['emergency_share'])}; "
        f"unauthorised {unauthorised}",
        f"{all_['executed']} executed and over, success {_share(all_['success_rate'])}; "
        f"time to approval {_spread(all_['approval_time'])}",
        f"{all_['awaiting_approval']} wait for approval{oldest}; "
        f"late approvals {all_['retro_open']} open, {all_['retro_overdue']} overdue; "
        f"reviews {all_['reviews_open']} open, {all_['reviews_overdue']} overdue",
    ]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.1f} %"


def _rate(value: float | None, unknown: int) -> str:
    return _share(value) + (f" ({unknown} unknown)" if unknown else "")


def _spread(spread: Document) -> str:
    if spread["median_s"] is None:
        return f"- (of {spread['count']})"
    return f"{_time(spread['median_s'])}, p90 {_time(spread['p90_s'])}"


def _time(seconds: float) -> str:
    return show.length(seconds)


def _as_csv(found: Document) -> int:
    """One line a service and origin."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    rows = [_flat(row) for row in found["services"]]
    names = list(rows[0]) if rows else []
    out.writerow(["start", "end", *names])
    for row in rows:
        out.writerow([found["start"], found["end"], *(cell(value) for value in row.values())])
    return 0


def _flat(row: Document) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in row.items():
        if name in SPREADS:
            flat.update({f"{name}_{part}": each for part, each in value.items()})
        else:
            flat[name] = value
    return flat
