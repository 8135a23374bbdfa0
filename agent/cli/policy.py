"""`watchkeeper policy` and `standard`: why a change may run or not, and pre-authorised changes."""

from collections.abc import Mapping

from agent.cli import show
from agent.cli.remote import Document, Remote


def explain(remote: Remote, identifier: str, *, as_json: bool) -> int:
    """Print every check of a change."""
    found = remote.get(f"/api/v1/changes/{identifier}/policy")
    return show.as_json(found) if as_json else _tell(found)


def what_if(
    remote: Remote, wanted: Mapping[str, str | None], parameters: list[str], *, as_json: bool
) -> int:
    """Print what policy would say to a request."""
    found = remote.get("/api/v1/policy/what-if", **wanted, parameter=parameters or None)
    return show.as_json(found) if as_json else _tell(found)


def standard(remote: Remote, *, as_json: bool) -> int:
    """Print all templates."""
    found = remote.get("/api/v1/standard-changes")
    if as_json:
        return show.as_json(found)
    out = show.console()
    if not found:
        out.print("No template is in force: every change is a normal one, or an emergency.")
        return 0
    rows = show.table("NAME", "REMEDIATION", "OWNER", "EXPIRES", "LEFT", "HELPED", "STANDS")
    for each in found:
        left = each["uses_left"]
        rows.add_row(
            show.text(each["name"]),
            show.text(each["remediation"]),
            show.text(each["owner"]),
            each["expires"],
            "any" if left is None else str(left),
            f"{each['successes']} of {each['successes'] + each['failures']}",
            show.text(each["problem"] or "in force"),
        )
    out.print(rows)
    return 0


def reinstate(remote: Remote, name: str, *, note: str) -> int:
    """Put a withdrawn template into force again."""
    remote.post(f"/api/v1/standard-changes/{name}/reinstate", {"note": note})
    print(f"{name} is in force again.")
    return 0


def _tell(found: Document) -> int:
    decision, out = found["decision"], show.console()
    out.print(show.text(f"{decision['verdict']}: {decision['text']}", style="bold"))
    if decision["until"]:
        out.print(show.text(f"  asked again at {show.moment(decision['until'])} UTC"))
    kind = f"  as a {found['type']} change"
    out.print(show.text(kind + (f": {found['type_text']}" if found["type_text"] else "")))
    if found["rules"]:
        out.print()
        rules = show.table("POLICY RULE", "OUTCOME")
        for each in found["rules"]:
            rules.add_row(show.text(each["rule"]), show.text(each["outcome"]))
        out.print(rules)
    if found["checks"]:
        out.print()
        checks = show.table("CHECK", "ANSWER", "WHY")
        for each in found["checks"]:
            against = each["against"]
            word = "passed" if against is None else against["verdict"].replace("_", " ")
            checks.add_row(
                each["check"],
                show.text(f"{word} (decides)" if each["decides"] else word),
                show.text(against["text"] if against else each["promise"]),
            )
        out.print(checks)
    _tell_risk(found)
    return 0


def _tell_risk(found: Document) -> None:
    out, risk = show.console(), found["risk"]
    if risk:
        out.print()
        inputs = show.table("RISK", "FOUND", "POINTS")
        for each in risk["inputs"]:
            inputs.add_row(each["name"], show.text(each["value"]), str(each["points"]))
        inputs.add_row("in all", risk["level"].replace("_", " "), str(risk["score"]))
        out.print(inputs)
    for each in found["conflicts"]:
        out.print(show.text(f"  {each['kind'].replace('_', ' ')}: {each['text']}"))
