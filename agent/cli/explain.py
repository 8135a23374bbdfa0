"""`watchkeeper explain`: why an incident has its cause, why an alert is where it is."""

from agent.cli import show
from agent.cli.incidents import tell_causes, tell_resting
from agent.cli.remote import Document, Remote
from agent.cli.reported import tell_suspects
from agent.errors import PermanentError


def explain(
    remote: Remote, what: str, identifier: str, *, not_with: str | None = None, as_json: bool
) -> int:
    """Print the explanation of an incident or an alert."""
    if what not in ("incident", "alert"):
        raise PermanentError(f"{what!r} cannot be explained; write `incident` or `alert`")
    if not_with is not None and what != "alert":
        raise PermanentError("--not-with is about an alert: write `explain alert FINGERPRINT`")
    found = remote.get(f"/api/v1/explain/{what}s/{identifier}", not_with=not_with)
    if as_json:
        return show.as_json(found)
    return _incident(found) if what == "incident" else _alert(found)


def _incident(found: Document) -> int:
    out = show.console()
    out.print(show.text(f"{found['incident']}: probable causes", style="bold"))
    tell_causes(found["causes"])
    if found["cause_confirmed_by"]:
        out.print(show.text(f"The first is confirmed by {found['cause_confirmed_by']}."))
    for covered in found["coverage"]:
        if covered["fails_to_explain"]:
            names = ", ".join(covered["fails_to_explain"])
            out.print(show.text(f"{covered['entity']} does not explain {names}"))
    tell_suspects(found["suspects"])
    if found["pattern"]:
        out.print(show.text(f"Pattern     {found['pattern']}"))
    tell_resting(found["until_clear"], found["flapping"])
    out.print(show.text("Alerts that fire, and why they are in it", style="bold"))
    for one in found["joined"]:
        where = f" on {one['entity']}" if one["entity"] else ""
        out.print(show.text(f"  {one['name']}{where}: {one['text']} ({one['alert']})"))
    out.print()
    _timeline(found["decisions"])
    return 0


def _alert(found: Document) -> int:
    out = show.console()
    alert = found["alert"]
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(alert["labels"].items()))
    out.print(show.text(f"{alert['fingerprint']} {{{labels}}}", style="bold"))
    where = found["entity"] or "nowhere: no entity of the map matches its labels"
    by = f" by {', '.join(found['placed_by'])}" if found["placed_by"] else ""
    out.print(show.text(f"Placed at   {where}{by}"))
    how = f" ({found['joined_by'].replace('_', ' ')})" if found["joined_by"] else ""
    out.print(show.text(f"Incident    {found['incident'] or 'none'}{how}"))
    out.print(show.text(f"Muted by    {', '.join(found['suppressed_by']) or 'nothing'}"))
    for silence in found["silences"]:
        word = "mutes it" if silence["mutes"] else "does not mute it"
        out.print(show.text(f"  silence {silence['silence']} {word}: {silence['because']}"))
    if found["flapping"]:
        tell_resting(None, [found["flapping"]])
    if found["not_with"]:
        _not_with(found["not_with"])
    _timeline(found["timeline"])
    return 0


def _not_with(found: Document) -> None:
    out = show.console()
    word = "It is in" if found["is_together"] else "Why not in"
    out.print(show.text(f"{word} {found['incident']}", style="bold"))
    for check in found["checks"]:
        mark, style = ("+", "green") if check["holds"] else ("-", "yellow")
        words = f"  {mark} {check['question'].replace('_', ' ')}: {check['text']}"
        out.print(show.text(words, style=style))
    if found["decided_by"]:
        out.print(show.text(f"Decided by  {found['decided_by']['question']}"))


def _timeline(items: list[Document]) -> None:
    story = show.table("TIME (UTC)", "WHY", "WHAT")
    for item in items:
        story.add_row(
            show.moment(item["at"]), item["reason"].replace("_", " "), show.text(item["text"])
        )
    show.console().print(story)
