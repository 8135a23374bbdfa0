"""`watchkeeper problem`: what keeps coming back, one of them in full, and what a person does."""

from dataclasses import dataclass

from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.errors import PermanentError


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemWork:
    """What a person wants done to one problem; None: not this."""

    move: str | None = None
    known_error: str | None = None
    workaround: str = ""
    remediation: str | None = None
    fix: str | None = None
    note: str = ""

    def actions(self) -> list[tuple[str, Document]]:
        """The words of the API with their bodies, in the order in which they make sense."""
        wanted: list[tuple[bool, str, Document]] = [
            (
                self.known_error is not None,
                "known-error",
                {
                    "cause": self.known_error,
                    "workaround": self.workaround,
                    "remediation": self.remediation,
                },
            ),
            (self.fix is not None, "fix", {"change": self.fix, "note": self.note}),
            (self.move is not None, "move", {"to": self.move, "note": self.note}),
        ]
        return [(word, body) for is_wanted, word, body in wanted if is_wanted]


def problems(remote: Remote, identifier: str | None, work: ProblemWork, *, as_json: bool) -> int:
    """Print problems, or one; with work to do, do it first."""
    actions = work.actions()
    if identifier is None:
        if actions:
            raise PermanentError("say which problem, such as PRB-7")
        return _list(remote, as_json=as_json)
    if not actions and (work.workaround or work.remediation):
        raise PermanentError("a workaround belongs to a known error: add --known-error CAUSE")
    for word, body in actions:
        remote.post(f"/api/v1/problems/{identifier}/{word}", body)
    detail = remote.get(f"/api/v1/problems/{identifier}")
    return show.as_json(detail) if as_json else _tell(detail)


def _list(remote: Remote, *, as_json: bool) -> int:
    found = remote.get("/api/v1/problems")
    if as_json:
        return show.as_json(found)
    out = show.console()
    if not found:
        out.print("No problems are known.")
        return 0
    rows = show.table("ID", "STATE", "WHAT", "INCIDENTS", "TREND", "DOWN", "COST", "OF ALL")
    for told in found:
        problem, figures = told["problem"], told["figures"]
        rows.add_row(
            problem["id"],
            show.state(problem["state"]),
            show.text(problem["title"]),
            str(figures["incidents"]),
            figures["trend"],
            show.length(figures["downtime_s"]),
            _money(figures["cost"]),
            f"{figures['share']:.0%}",
        )
    out.print(rows)
    return 0


def _tell(detail: Document) -> int:
    problem, figures, out = detail["problem"], detail["figures"], show.console()
    out.print(show.text(f"{problem['id']}: {problem['title']}", style="bold"))
    weeks = " ".join(map(str, figures["per_week"]))
    mean = show.length(figures["mean_time_between_failures_s"])
    lines = [
        ("State", problem["state"].replace("_", " ")),
        ("Has it", problem["assignee"] or "-"),
        ("Incidents", f"{figures['incidents']}: {', '.join(problem['incidents'][-8:])}"),
        ("Per week", f"{weeks} (oldest first): {figures['trend']}"),
        ("Between", f"{mean} in service between two"),
        ("Down", f"{show.length(figures['downtime_s'])}, cost {_money(figures['cost'])}"),
        ("Rank", f"{figures['rank']}: {figures['share']:.0%} of all"),
    ]
    if figures["since_fix"] is not None:
        held = " (verified)" if problem["verified_at"] else ""
        lines.append(("Since fix", f"{figures['since_fix']} incidents{held}"))
    lines += list(_known(problem))
    for name, value in lines:
        out.print(show.text(f"{name:<12} {value}"))
    out.print()
    story = show.table("TIME (UTC)", "WHO", "WHY", "WHAT")
    for item in detail["timeline"]:
        reason = item["reason"].replace("_", " ")
        story.add_row(
            show.moment(item["at"]), show.text(item["actor"]), reason, show.text(item["text"])
        )
    out.print(story)
    return 0


def _known(problem: Document) -> list[tuple[str, str]]:
    lines = []
    known, proposal, fix = problem["known_error"], problem["proposal"], problem["fix"]
    if known:
        lines.append(("Known error", f"{known['cause']} (said by {known['by']})"))
        helps = known["workaround"] or known["remediation"] or "nothing is known to help"
        lines.append(("Workaround", helps))
    elif proposal["cause"]:
        often = f"on top in {proposal['times']} of {proposal['of']}"
        why = "; ".join(proposal["evidence"])
        lines.append(("Proposed", f"{proposal['cause']}, {often}" + (f": {why}" if why else "")))
    if record := proposal["workaround"]:
        of = f"verified {record['verified']} of {record['tried']} times"
        lines.append(("Helped", f"{record['remediation']}, {of}"))
    if fix:
        lines.append(("Fix", f"{fix['change']} (by {fix['by']}) {fix['note']}".rstrip()))
    if problem["review"]:
        lines.append(("Review", problem["review"]))
    return lines


def _money(cost: float | None) -> str:
    return "unknown" if cost is None else f"{cost:,.0f}"
