"""`watchkeeper changes --request`, `--cancel`, `--follow`: a person's change and its course."""

import time
from collections.abc import Sequence

from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.errors import PermanentError

POLL_S = 0.5
"""How often the output of a run is asked for."""


def request(
    remote: Remote,
    remediation: str,
    *,
    entity: str | None,
    parameters: Sequence[str],
    type: str | None,
    incident: str | None,
    note: str,
    as_json: bool,
    not_before: str | None = None,
    not_after: str | None = None,
) -> int:
    """Ask for a remediation: the same gate as for a rule's; times are UTC unless they say more."""
    if entity is None:
        raise PermanentError("say on what with --entity, such as component:default/shop")
    made = remote.post(
        "/api/v1/changes",
        {
            "remediation": remediation,
            "entity": entity,
            "parameters": dict(_pair(text) for text in parameters),
            "type": type,
            "incident": incident,
            "note": note,
            "not_before": not_before and show.wanted(not_before, "--not-before"),
            "not_after": not_after and show.wanted(not_after, "--not-after"),
        },
    )
    if as_json:
        return show.as_json(made)
    decision = made["decision"]
    print(f"{made['id']} is {(made['closure'] or made['state']).replace('_', ' ')}.")
    if decision:
        show.console().print(show.text(f"Policy: {decision['verdict']}: {decision['text']}"))
    return 1 if made["closure"] == "refused" else 0


def cancel(remote: Remote, identifier: str, note: str) -> int:
    """Stop a change; a run under way is ended."""
    remote.post(f"/api/v1/changes/{identifier}/cancel", {"note": note})
    change = remote.get(f"/api/v1/changes/{identifier}")["change"]
    ended = change["closure"] is not None
    print(f"{identifier} is cancelled." if ended else f"{identifier}: its run is being ended.")
    return 0


def follow(remote: Remote, identifier: str) -> int:
    """Print what the runs of a change print, until it is closed; 0 where it was a success."""
    seen: dict[str, int] = {}
    said = ""
    while True:
        detail = remote.get(f"/api/v1/changes/{identifier}")
        change = detail["change"]
        word = (change["closure"] or change["state"]).replace("_", " ")
        if word != said:
            said = word
            show.console().print(show.text(f"{identifier}: {word}", "bold"))
        for run in detail["runs"]:
            seen[run["id"]] = _print_output(remote, run, seen.get(run["id"], 0))
        if change["closure"] is not None:
            show.console().print(show.text(change["outcome_text"]))
            return 0 if change["closure"] == "success" else 1
        time.sleep(POLL_S)


def _print_output(remote: Remote, run: Document, after: int) -> int:
    output = remote.get(f"/api/v1/runs/{run['id']}/output", after=after)
    for line in output["lines"]:
        show.console().print(show.text(line["text"]), soft_wrap=True)
    return int(output["after"])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise PermanentError(f"{text!r} is no parameter; write --set name=value")
    return name, value
