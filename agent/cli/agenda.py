"""The agenda of a board as Markdown: to be printed, mailed, or kept beside the minutes."""

import re

from agent.cli import show
from agent.cli.remote import Document

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#])")


def markdown_of(agenda: Document) -> str:
    """The whole agenda; each change with the binding that a decision has to name."""
    lines = [
        f"# Change advisory board, {show.moment(agenda['at'])} UTC",
        "",
        f"Until {show.moment(agenda['until'])} UTC: {len(agenda['waiting'])} to decide, "
        f"{len(agenda['owed']['retro'])} emergencies to answer for, "
        f"{len(agenda['owed']['reviews'])} to review.",
        "",
        "## To decide",
        "",
    ]
    for item in agenda["waiting"]:
        lines += _item(item)
    if not agenda["waiting"]:
        lines += ["Nothing waits for approval.", ""]
    lines += _owed(agenda["owed"])
    lines += ["## Standard changes", ""]
    for use in agenda["standard"]:
        withdrawn = ", **withdrawn**" if use["is_withdrawn"] else ""
        lines.append(
            f"- {_plain(use['name'])} ({_plain(use['owner'])}): {use['uses']} used, "
            f"{use['failures']} failed of late{withdrawn}"
        )
    lines += [
        *([] if agenda["standard"] else ["None are declared."]),
        "",
        "## Forward schedule",
        "",
    ]
    for plan in agenda["schedule"]:
        when = f"{show.moment(plan['when']['start'])} to {show.moment(plan['when']['end'])} UTC"
        state = plan["state"].replace("_", " ")
        lines.append(f"- {when}: {plan['change']} {_plain(plan['title'])} ({state})")
    lines += [] if agenda["schedule"] else ["Nothing is planned."]
    return "\n".join(lines)


def _item(item: Document) -> list[str]:
    risk, window = item["risk"], item["window"]
    inputs = ", ".join(f"{one['name']} {one['value']} +{one['points']}" for one in _inputs(risk))
    said = f"{risk['level'].replace('_', ' ')}, {risk['score']} points: {inputs}" if risk else "?"
    values = ", ".join(f"{name}={value}" for name, value in item["parameters"].items())
    facts = [
        ("where", f"{item['entity']} on {', '.join(item['hosts'])}"),
        ("parameters", values or "none"),
        ("asked by", f"{item['requested_by']}, {show.moment(item['requested_at'])} UTC"),
        ("incident", item["incident"] or "none"),
        ("risk", said),
        ("conflicts", "; ".join(one["text"] for one in item["conflicts"]) or "none"),
        ("window", f"until {show.moment(window['end'])} UTC" if window else "any time"),
        ("preview", item["preview"]),
        ("before", f"{item['successes']} helped, {item['failures']} did not"),
        ("last", "; ".join(f"{one['change']} {one['closure']}" for one in item["last_results"])),
        ("needs", f"{item['approvals_missing']} by {' or '.join(item['roles'])}"),
        ("approved by", ", ".join(one["by"] for one in item["approvals"]) or "nobody"),
    ]
    title = f"### {item['change']} {item['type']}: {_plain(item['title'])}"
    shown = [f"- **{name}**: {_plain(value)}" for name, value in facts if value]
    return [title, "", *shown, f"- **binding**: `{item['binding']}`", ""]


def _owed(owed: Document) -> list[str]:
    lines = ["## Emergencies to answer for", ""]
    for one in owed["retro"]:
        late = ", **overdue**" if one["duty"]["is_overdue"] else ""
        due = show.moment(one["duty"]["due_at"])
        lines.append(f"- {one['change']} {_plain(one['title'])}: due {due} UTC{late}")
    lines += [*([] if owed["retro"] else ["None."]), "", "## To review", ""]
    for one in owed["reviews"]:
        late = ", **overdue**" if one["duty"]["is_overdue"] else ""
        due = show.moment(one["duty"]["due_at"])
        why = _plain(one["duty"]["why"])
        lines.append(f"- {one['change']} {_plain(one['title'])}: it {why}, due {due} UTC{late}")
    return [*lines, *([] if owed["reviews"] else ["None."]), ""]


def _inputs(risk: Document) -> list[Document]:
    return [one for one in risk["inputs"] if one["points"]]


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))
