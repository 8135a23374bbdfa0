"""How a replay is told: to people as tables, to scripts as one document."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from agent.cli import show
from agent.model.change import Change
from agent.sim.shadow.assume import Assume
from agent.sim.shadow.difference import Difference
from agent.sim.shadow.play import Shadow
from agent.sim.shadow.story import Story

SHOWN_MAX = 200
_LABEL = re.compile(r"alert\.labels\.(\w+)|\"([^\"]+)\" in alert\.labels")
WORDS = {"only_was": "only was", "only_would": "only would be", "changed": "changed"}
SIGNS = {"only_was": "-", "only_would": "+", "changed": "~"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that a replay found out."""

    begins: datetime | None
    entries: int
    seconds: float
    digest: str
    was: Story
    shadow: Shadow | None
    differences: tuple[Difference, ...]
    rules: str


def tell(told: Told) -> None:
    """For people."""
    out = show.console()
    since = f"{told.begins:%Y-%m-%d %H:%M:%S} UTC" if told.begins else "never"
    pace = f"{told.entries / told.seconds:.0f} a second" if told.seconds else "at once"
    out.print(show.text(f"Told from {since} on; {told.entries} entries played, {pace}.", "dim"))
    _tell_story("As it was", told.was, f"state {told.digest[:12]}")
    if told.shadow is None:
        return
    out.print()
    _tell_story(f"With {told.rules}", told.shadow.story, "nothing was performed")
    for line in assumptions(told.shadow):
        out.print(show.text(f"  {line}", "dim"), soft_wrap=True)
    out.print()
    _tell_differences(told.differences)
    for line in hints(told.shadow):
        out.print(show.text(f"hint: {line}"), soft_wrap=True)


def assumptions(shadow: Shadow) -> Iterator[str]:
    """What nobody can know, and what was taken for it."""
    yield "Alerts came and went as they did, whatever this rule set would have done to them."
    yield "A run that truly was for the same target at about that time ended as it did."
    if shadow.assumed:
        said = {
            Assume.NOTHING: "are told as begun and taken back",
            Assume.SUCCESS: "are taken to have helped, and the alert to have cleared",
            Assume.FAILURE: "are taken to have failed",
        }[shadow.assume]
        count, names = len(shadow.assumed), ", ".join(shadow.assumed[:5])
        yield f"{count} changes whose runs never were {said} ({names}); --assume says otherwise."
    for kind, count in sorted(shadow.passed_over.items()):
        yield f"{count} {kind} were passed over: what they are about is not there."


def hints(shadow: Shadow) -> Iterator[str]:
    """Rules that look as if they could never act; no alert of this time says otherwise."""
    asked = {change.requested_by for change in shadow.story.changes.values()}
    for rule in shadow.config.remediation_rules:
        if f"rule:{rule.name}" in asked:
            continue
        named = [a or b for text in (rule.when, *rule.also) for a, b in _LABEL.findall(text)]
        absent = sorted({name for name in named if name not in shadow.labels_seen})
        yield f"rule {rule.name} asked for nothing" + (
            f"; no alert had the label {', '.join(absent)}" if absent else ""
        )


def document(told: Told) -> Mapping[str, Any]:
    """For scripts."""
    shadow = told.shadow
    return {
        "since": told.begins.isoformat() if told.begins else None,
        "entries": told.entries,
        "was": {**_document(told.was), "digest": told.digest},
        "would": shadow and _document(shadow.story),
        "assume": shadow and shadow.assume,
        "assumptions": list(assumptions(shadow)) if shadow else [],
        "assumed": shadow.assumed if shadow else [],
        "passed_over": dict(sorted(shadow.passed_over.items())) if shadow else {},
        "differences": [asdict(each) for each in told.differences],
        "hints": list(hints(shadow)) if shadow else [],
    }


def _tell_story(title: str, story: Story, note: str) -> None:
    out = show.console()
    out.print(
        show.text(
            f"{title}: {len(story.incidents)} incidents, {len(story.changes)} changes, "
            f"{len(story.runs)} runs, {len(story.wishes)} wishes of rules that only watch or "
            f"suggest, {len(story.problems)} problems; {note}",
            style="bold",
        )
    )
    for judged, count in sorted(story.judged.items()):
        out.print(show.text(f"  {count} x {judged}"))
    if story.incidents:
        rows = show.table("INCIDENT", "P", "OPENED (UTC)", "TITLE", "CAUSE")
        for incident in list(story.incidents.values())[:SHOWN_MAX]:
            rows.add_row(
                incident.id,
                f"P{incident.priority}",
                f"{incident.opened_at:%Y-%m-%d %H:%M:%S}",
                show.text(incident.title),
                show.text(incident.cause or "-"),
            )
        out.print(rows)
        _tell_rest(len(story.incidents), "incidents")
    if story.changes:
        rows = show.table("CHANGE", "ENTRY", "WHAT", "ASKED BY", "POLICY SAYS", "ENDED")
        for change in list(story.changes.values())[:SHOWN_MAX]:
            rows.add_row(
                change.id,
                str(story.asked_at[change.id]),
                show.text(change.title),
                show.text(change.requested_by),
                show.text(_judged(change)),
                change.closure or change.state,
            )
        out.print(rows)
        _tell_rest(len(story.changes), "changes")


def _tell_rest(count: int, what: str) -> None:
    if count > SHOWN_MAX:
        show.console().print(f"  ... and {count - SHOWN_MAX} more {what}; --json has them all")


def _tell_differences(found: tuple[Difference, ...]) -> None:
    out = show.console()
    if not found:
        out.print(show.text("No difference.", "bold green"))
        return
    out.print(show.text(f"{len(found)} differences:", "bold"))
    for each in found[:SHOWN_MAX]:
        ids = each.was if each.was == each.would else f"{each.was or '-'} / {each.would or '-'}"
        head = f"{SIGNS[each.side]} {WORDS[each.side]}: {each.kind} {ids}: {each.title}"
        out.print(show.text(head), soft_wrap=True)
        evidence = {
            "reason": each.reason,
            "incident": each.incident,
            "alert": each.alert,
            "entry": each.entry,
        }
        known = [f"{name} {value}" for name, value in evidence.items() if value is not None]
        if each.texts:
            out.print(show.text(f"    {'; '.join(each.texts)}"), soft_wrap=True)
        out.print(show.text(f"    {', '.join(known)}", "dim"), soft_wrap=True)
    _tell_rest(len(found), "differences")


def _judged(change: Change) -> str:
    decision = change.decision
    return f"{decision.verdict}: {decision.text}" if decision else "-"


def _document(story: Story) -> dict[str, Any]:
    return {
        "entries": story.entries,
        "incidents": [
            {"id": i.id, "title": i.title, "priority": int(i.priority), "cause": i.cause}
            for i in story.incidents.values()
        ],
        "changes": [
            {
                "id": c.id,
                "title": c.title,
                "remediation": c.remediation,
                "entity": c.entity,
                "requested_by": c.requested_by,
                "verdict": c.decision.verdict if c.decision else None,
                "reason": c.decision.reason if c.decision else None,
                "closure": c.closure,
                "incident": c.incident,
                "alert": c.trigger,
                "entry": story.asked_at[c.id],
            }
            for c in story.changes.values()
        ],
        "runs": [
            {
                "at": run.at.isoformat(),
                "change": run.change,
                "remediation": run.remediation,
                "entity": run.entity,
                "phase": run.phase,
                "entry": run.entry,
            }
            for run in story.runs
        ],
        "wishes": [
            {"incident": w.incident, "reason": w.reason, "text": w.text, "entry": w.entry}
            for w in story.wishes
        ],
        "judged": dict(sorted(story.judged.items())),
        "problems": [p.title for p in story.problems.values()],
    }
