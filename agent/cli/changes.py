"""`watchkeeper changes` and `approve`: what ran or would run, where, why, and a person's word."""

import sys

from rich.console import Console

from agent.cli import show
from agent.cli.remote import Document, Remote


def changes(remote: Remote, identifier: str | None, *, as_json: bool) -> int:
    """Print the newest changes, or one with its story."""
    if identifier is not None:
        detail = remote.get(f"/api/v1/changes/{identifier}")
        return show.as_json(detail) if as_json else _tell(detail)
    found = remote.get("/api/v1/changes", limit=100)["items"]
    if as_json:
        return show.as_json(found)
    out = show.console()
    if not found:
        out.print("No changes.")
        return 0
    rows = show.table("ID", "STATE", "TYPE", "WHAT", "ASKED BY", "INCIDENT", "POLICY SAYS")
    for change in found:
        decision = change["decision"]
        rows.add_row(
            change["id"],
            show.state(change["closure"] or change["state"]),
            change["type"],
            show.text(change["title"]),
            show.text(change["requested_by"]),
            change["incident"] or "-",
            show.text(decision["text"] if decision else "-"),
        )
    out.print(rows)
    return 0


def approve(
    remote: Remote, identifier: str, *, binding: str | None, reject: bool, note: str
) -> int:
    """Give a person's word, bound to what they saw."""
    if reject:
        remote.post(f"/api/v1/changes/{identifier}/reject", {"note": note})
        print(f"{identifier} is rejected.")
        return 0
    if binding is None:
        detail = remote.get(f"/api/v1/changes/{identifier}")
        _tell(detail)
        binding = detail["change"]["binding"]
        if not sys.stdin.isatty():
            print(f"\nTo approve exactly this: --binding {binding}", file=sys.stderr)
            return 2
        if input("\nApprove exactly this? [y/N] ").strip().lower() not in ("y", "yes"):
            print("Nothing was approved.")
            return 1
    remote.post(f"/api/v1/changes/{identifier}/approve", {"binding": binding, "note": note})
    change = remote.get(f"/api/v1/changes/{identifier}")["change"]
    print(f"{identifier} is approved; it is {change['state'].replace('_', ' ')} now.")
    return 0


def _risk(risk: Document) -> str:
    if not risk:
        return "-"
    inputs = [f"{one['name']} {one['value']} +{one['points']}" for one in risk["inputs"]]
    return f"{risk['level'].replace('_', ' ')}, {risk['score']} points: {', '.join(inputs)}"


def _window(change: Document) -> str:
    """When it would run, and within what."""
    window, start = change["window"], change["scheduled_for"] or change["not_before"]
    said = [f"from {show.moment(start)} UTC"] if start else []
    if window:
        said.append(f"in {show.moment(window['start'])} to {show.moment(window['end'])} UTC")
    return ", ".join(said) or "-"


def _tell(detail: Document) -> int:
    change, out = detail["change"], show.console()
    out.print(show.text(f"{change['id']} {change['type']}: {change['title']}", style="bold"))
    decision = change["decision"]
    facts = [
        ("state", (change["closure"] or change["state"]).replace("_", " ")),
        ("remediation", f"{change['remediation']}  {change['digest']}"),
        ("target", f"{change['entity']} on {', '.join(change['hosts'])}"),
        ("parameters", ", ".join(f"{k}={v}" for k, v in change["parameters"].items()) or "-"),
        ("asked by", f"{change['requested_by']} at {show.moment(change['requested_at'])} UTC"),
        ("incident", change["incident"] or "-"),
        ("policy", f"{decision['verdict']}: {decision['text']}" if decision else "-"),
        ("risk", _risk(change["risk"])),
        ("conflicts", "; ".join(one["text"] for one in change["conflicts"]) or "-"),
        ("window", _window(change)),
        ("approved by", ", ".join(f"{a['by']} as {a['role']}" for a in change["approvals"]) or "-"),
        ("binding", change["binding"]),
    ]
    for name, value in facts:
        out.print(show.text(f"  {name:<12} {value}"))
    if detail["preview"]:
        _tell_preview(out, detail["preview"])
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


def _tell_preview(out: Console, preview: Document) -> None:
    out.print(show.text(f"  {'check mode':<12} {preview['state']}: {preview['text']}"))
    for task in preview["tasks"]:
        effect = task["effect"].replace("_", " ")
        out.print(show.text(f"    {task['host']}: {effect}: {task['task']} ({task['module']})"))
        for line in (*task["text"].splitlines(), *task["diff"].splitlines()):
            out.print(show.text(f"      {line}"))
    if preview["omitted"]:
        out.print(show.text(f"    and {preview['omitted']} more"))
    if preview["at"]:
        out.print(show.text(f"    as of {show.moment(preview['at'])} UTC"))
