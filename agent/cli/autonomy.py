"""`watchkeeper autonomy` and `breaker`: how far rules go, what they have shown, where it stops."""

import sys

from agent.cli import show as shown
from agent.cli.remote import Document, Remote

ROOT = "/api/v1/autonomy"


def show(remote: Remote, rule: str | None, *, as_json: bool) -> int:
    """Print how far all rules go, or one with its score and its cases."""
    if rule is not None:
        detail = remote.get(f"{ROOT}/rules/{rule}")
        return shown.as_json(detail) if as_json else _tell(detail)
    told = remote.get(ROOT)
    if as_json:
        return shown.as_json(told)
    out = shown.console()
    if stopped := told["stopped"]:
        out.print(
            shown.text(f"All rules are stopped by {stopped['by']}: {stopped['why']}", style="bold")
        )
    rows = shown.table("RULE", "MODE", "DECLARED", "UP TO", "HELPED", "GONE BY ITSELF", "NEXT STEP")
    for one in told["rules"]:
        rows.add_row(
            shown.text(one["name"]),
            one["mode"],
            one["declared"],
            one["maximum"],
            _share(one["score"]["precision"]),
            _share(one["score"]["cleared"]),
            shown.text(_step(one)),
        )
    out.print(rows)
    return 0


def promote(remote: Remote, rule: str, *, to: str, binding: str | None, note: str) -> int:
    """Sign a step up, bound to what was seen."""
    if binding is None:
        detail = remote.get(f"{ROOT}/rules/{rule}")
        _tell(detail)
        binding = detail["rule"]["binding"]
        if not sys.stdin.isatty():
            print(f"\nTo sign exactly this: --binding {binding}", file=sys.stderr)
            return 2
        if input(f"\nLet exactly this go to {to}? [y/N] ").strip().lower() not in ("y", "yes"):
            print("Nothing was signed.")
            return 1
    body = {"to": to, "binding": binding, "note": note}
    print(f"{rule} is in {remote.post(f'{ROOT}/rules/{rule}/promote', body)['mode']} now.")
    return 0


def demote(remote: Remote, rule: str, *, to: str, note: str) -> int:
    """Let a rule go no further."""
    told = remote.post(f"{ROOT}/rules/{rule}/demote", {"to": to, "note": note})
    print(f"{rule} is in {told['mode']} now.")
    return 0


def take(remote: Remote, incident: str, case: str, *, note: str) -> int:
    """Take up a proposal."""
    change = remote.post(f"/api/v1/incidents/{incident}/take", {"case": case, "note": note})
    print(f"{change['id']} asks for it; it is {change['state'].replace('_', ' ')} now.")
    return 0


def stop(remote: Remote, *, note: str, cancel: bool) -> int:
    """Stop all rules."""
    remote.post(f"{ROOT}/stop", {"note": note, "cancel": cancel})
    print("No rule starts anything from now on.")
    return 0


def resume(remote: Remote, *, note: str) -> int:
    """Let rules go on."""
    remote.post(f"{ROOT}/resume", {"note": note})
    print("Rules go as far as they may again.")
    return 0


def breakers(remote: Remote, *, as_json: bool) -> int:
    """Print where automation has stopped."""
    found = remote.get("/api/v1/breakers")
    if as_json:
        return shown.as_json(found)
    out = shown.console()
    if not found:
        out.print("No breaker is open.")
        return 0
    rows = shown.table("BREAKER", "SINCE (UTC)", "WHY")
    for one in found:
        since = shown.moment(one["since"]) if one["since"] else "-"
        rows.add_row(shown.text(one["name"]), since, shown.text(one["why"]))
    out.print(rows)
    return 0


def reset(remote: Remote, breaker: str, *, note: str) -> int:
    """Let automation try again."""
    remote.post("/api/v1/breakers/reset", {"breaker": breaker, "note": note})
    print(f"{breaker} is reset.")
    return 0


def _tell(detail: Document) -> int:
    rule, out = detail["rule"], shown.console()
    score, percent = rule["score"], f"{rule['confidence']:.0%}"
    out.print(shown.text(f"{rule['name']}: {rule['mode']}", style="bold"))
    uplift = score["uplift"]
    facts = [
        ("declared", f"{rule['declared']}, up to {rule['maximum']}"),
        ("lowered by", rule["why"] or "-"),
        ("signed by", rule["signed_by"] or "-"),
        ("written by", rule["author"]),
        ("helped", f"{_share(score['precision'])} of its runs ({percent} bounds, one-sided)"),
        ("by itself", f"{_share(score['cleared'])} of the do-nothing cases"),
        (
            "uplift",
            f"{uplift['estimate']:+.1%} ({uplift['low']:+.1%} to {uplift['high']:+.1%})"
            if uplift
            else "nothing to compare yet",
        ),
        ("followed", f"{rule['following']} cases of which the outcome is not known yet"),
        ("next step", _step(rule)),
        ("binding", rule["binding"]),
    ]
    for name, value in facts:
        out.print(shown.text(f"  {name:<12} {value}"))
    out.print()
    rows = shown.table("CASE", "SINCE (UTC)", "MODE", "INCIDENT", "CHANGE", "ON", "OUTCOME")
    for case in detail["cases"]:
        rows.add_row(
            case["id"],
            shown.moment(case["at"]),
            case["mode"],
            case["incident"],
            case["change"] or "-",
            shown.text(case["entity"]),
            case["outcome"].replace("_", " "),
        )
    out.print(rows)
    return 0


def _share(share: Document) -> str:
    if share["of"] == 0:
        return "no case"
    return f"{share['hits']} of {share['of']} ({share['low']:.1%} to {share['high']:.1%})"


def _step(rule: Document) -> str:
    if rule["next"] is None:
        return "as far as its file lets it"
    if rule["missing"]:
        return f"{rule['next']}: missing {'; '.join(rule['missing'])}"
    return f"{rule['next']}: earned, waits for a signature"
