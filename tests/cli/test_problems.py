"""What people at a terminal do with problems, reviews and changes of others."""

import json

from tests.cli.conftest import Shell
from tests.web.test_problems import with_problem

SAID = {"id": "d-1", "summary": "Deploy of db", "entity": "component:default/db", "actor": "anna"}


async def test_a_problem_is_told_and_worked_on(shell: Shell) -> None:
    """None, the list, one in full, and what a person says of it."""
    assert (await shell("problem")).out == "No problems are known.\n"
    await with_problem(shell.agent)
    assert "Restarting does not help db" in (await shell("problem")).out
    words = ("--known-error", "A leak", "--workaround", "Restart it", "--remediation", "restart")
    told = await shell("problem", "PRB-1", *words, "--fix", "CHG-9", role="operator")
    assert (told.code, told.err) == (0, "")
    assert "fix planned" in told.out
    assert "A leak (said by operator-anna)" in told.out
    assert json.loads((await shell("problem", "PRB-1", "--json")).out)["problem"]["fix"]
    refused = await shell("problem", "PRB-1", "--move", "closed", role="operator")
    assert (refused.code, "it is fix planned" in refused.err) == (1, True)
    assert (await shell("problem", "--move", "closed")).code == 1
    assert (await shell("problem", "PRB-1", "--workaround", "x")).code == 1


async def test_a_review_is_printed(shell: Shell) -> None:
    """As Markdown, or as data."""
    await shell.agent.fire({"alertname": "Down", "service": "db", "severity": "critical"})
    told = await shell("review", "INC-1")
    assert told.out.startswith("# Review of INC-1: db disturbs shop\n")
    assert json.loads((await shell("review", "INC-1", "--json")).out)["incident"] == "INC-1"


async def test_a_change_of_others_is_told_and_judged(shell: Shell) -> None:
    """In the list, alone, and as a suspect of the incident that followed."""
    assert (await shell("reported")).out == "No tool has told of a change.\n"
    await shell.agent.ask("POST", "/api/v1/webhooks/json_changes", json=SAID)
    await shell.agent.fire({"alertname": "Down", "service": "db", "severity": "critical"})
    assert "Deploy of db" in (await shell("reported")).out
    assert "anna" in (await shell("reported", "REP-1")).out
    judged = await shell("incidents", "INC-1", "--confirm-suspect", "REP-1", role="operator")
    assert "Deploy of db (confirmed) by operator-anna" in judged.out
    judged = await shell("incidents", "INC-1", "--dismiss-suspect", "REP-1", role="operator")
    assert "Deploy of db (dismissed) by operator-anna" in judged.out
