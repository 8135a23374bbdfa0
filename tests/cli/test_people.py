"""What people at a terminal do with incidents, changes and silences."""

import json
from datetime import UTC, datetime

import pytest

from agent.model.entry import RunFinished, RunPrepared, RunStarted
from agent.model.remediation import Outcome, RunLine, RunResult
from tests.cli.conftest import Shell

DOWN = {"alertname": "Down", "service": "db", "severity": "critical"}
REQUEST = (
    *("changes", "--request", "restart", "--entity", "component:default/db"),
    *("--set", "service=db", "--note", "it hangs"),
)


async def test_incidents_are_listed_and_told(shell: Shell) -> None:
    """None, one in the list, one in full, and the same for scripts."""
    assert (await shell("incidents")).out == "No open incidents.\n"
    assert (await shell("incidents", "--all")).out == "No incidents.\n"
    await shell.agent.fire(DOWN)
    listed = await shell("incidents")
    assert "db disturbs shop" in listed.out
    assert [i["id"] for i in json.loads((await shell("incidents", "--json")).out)] == ["INC-1"]
    told = await shell("incidents", "INC-1")
    assert "1. component:default/db" in told.out
    assert "+ alerts itself" in told.out
    assert "incident opened" in told.out


async def test_an_incident_is_taken_in_hand(shell: Shell) -> None:
    """Everything at once, in an order that makes sense, by the name of the token."""
    await shell.agent.fire(DOWN, {"alertname": "Odd", "host": "x1"})
    words = ("--ack", "--assign", "bob", "--comment", "on it", "--cause", "component:default/db")
    told = await shell("incidents", "INC-1", *words, role="operator")
    assert told.code == 0, told.err
    incident = shell.agent.loop.state.incidents["INC-1"]
    assert (incident.acknowledged_by, incident.assignee) == ("operator-anna", "bob")
    assert incident.cause_confirmed_by == "operator-anna"
    assert "on it" in told.out

    merged = await shell("incidents", "INC-2", "--merge-into", "INC-1", role="operator")
    assert merged.out.startswith("INC-1 ")
    resolved = await shell(
        *(
            "incidents",
            "INC-1",
            "--resolve",
            "--note",
            "swapped the disk",
            "--assign",
            "",
            "--json",
        ),
        role="operator",
    )
    incident_now = json.loads(resolved.out)["incident"]
    assert (incident_now["state"], incident_now["assignee"]) == ("resolved", None)


async def test_an_incident_rests_until_it_is_clear(shell: Shell) -> None:
    """At most as long as is said; the story and the incident tell it."""
    await shell.agent.fire(DOWN)
    words = ("incidents", "INC-1", "--until")
    assert (await shell(*words, "clear", role="operator")).code == 2
    told = await shell(*words, "2h", "--ack", role="operator")
    assert (told.code, "Not told again until clear, at the latest" in told.out) == (0, True)
    assert (await shell(*words, "soon", "--ack", role="operator")).code == 1


async def test_what_belongs_together_is_corrected(shell: Shell) -> None:
    """Split, moved back, sent away; each prints the incident that it is about then."""
    await shell.agent.fire(DOWN, {"alertname": "Slow", "service": "shop"})
    alerts = shell.agent.loop.state.alerts
    slow = next(name for name, active in alerts.items() if active.alert.name == "Slow")
    split = await shell("incidents", "INC-1", "--split", slow, "--note", "no", role="operator")
    assert (split.code, split.out.startswith("INC-2 ")) == (0, True)
    words = ("incidents", "INC-2", "--move", slow)
    assert (await shell(*words, role="operator")).code == 2
    moved = await shell(*words, "--into", "INC-1", role="operator")
    assert (moved.code, alerts[slow].incident) == (0, "INC-1")
    away = ("--unrelated", "component:default/shop")
    gone = await shell("incidents", "INC-1", *away, role="operator")
    assert (gone.code, alerts[slow].incident) == (0, "INC-3")
    twice = await shell("incidents", "INC-1", *away, role="operator")
    assert (twice.code, "has no alert in INC-1" in twice.err) == (1, True)


async def test_a_remediation_is_asked_for_approved_and_followed(shell: Shell) -> None:
    """From the request to the end of its run, with what it prints."""
    asked = await shell(*REQUEST, role="operator")
    assert asked.out == (
        "CHG-1 is awaiting approval.\nPolicy: needs_approval: needs 1 approval by approver\n"
    )
    assert "CHG-1" in (await shell("changes")).out
    binding = shell.agent.loop.state.changes["CHG-1"].binding
    approved = await shell("approve", "CHG-1", "--binding", binding, role="approver")
    assert (approved.code, approved.out) == (0, "CHG-1 is approved; it is starting now.\n")

    loop = shell.agent.loop
    await loop.append(RunPrepared(effect="x", run="RUN-1", digest="d1"))
    await loop.append(RunStarted(effect="x", run="RUN-1"))
    line = RunLine(
        run="RUN-1", number=1, at=datetime.now(UTC), text="TASK \x1b]0;evil\x07 [restart]"
    )
    await shell.agent.store.add_output([line])
    refused = RunResult(outcome=Outcome.UNREACHABLE, summary="no route")
    await loop.append(RunFinished(effect="x", run="RUN-1", result=refused))

    followed = await shell("changes", "CHG-1", "--follow")
    assert followed.code == 1
    assert followed.out.splitlines() == [
        "CHG-1: failed",
        "TASK \\x1b]0;evil\\x07 [restart]",
        "the target could not be reached",
    ]


async def test_a_change_is_cancelled(shell: Shell) -> None:
    """With the reason in its story."""
    await shell(*REQUEST, role="operator")
    ended = await shell("changes", "CHG-1", "--cancel", "--note", "no need", role="operator")
    assert (ended.code, ended.out) == (0, "CHG-1 is cancelled.\n")
    assert "no need" in (await shell("changes", "CHG-1")).out


async def test_the_binding_is_shown_before_anybody_approves(shell: Shell) -> None:
    """Nobody at the terminal: how to say it. Somebody: asked, and their answer counts."""
    await shell(*REQUEST, role="operator")
    binding = shell.agent.loop.state.changes["CHG-1"].binding
    shown = await shell("approve", "CHG-1", role="approver")
    assert shown.code == 2
    assert f"--binding {binding}" in shown.err
    assert "restart  d1" in shown.out

    declined = await shell("approve", "CHG-1", role="approver", types="n\n")
    assert (declined.code, declined.out.splitlines()[-1][-21:]) == (1, "Nothing was approved.")
    assert shell.agent.loop.state.changes["CHG-1"].approvals == ()
    agreed = await shell("approve", "CHG-1", role="approver", types="y\n")
    assert agreed.code == 0
    assert shell.agent.loop.state.changes["CHG-1"].state == "starting"


async def test_another_binding_is_refused_and_a_rejection_ends_it(shell: Shell) -> None:
    """What would run is not what was seen."""
    await shell(*REQUEST, role="operator")
    wrong = await shell("approve", "CHG-1", "--binding", "another", role="approver")
    assert wrong.code == 1
    assert "what would run is not what was approved" in wrong.err
    rejected = await shell("approve", "CHG-1", "--reject", "--note", "no", role="approver")
    assert (rejected.code, rejected.out) == (0, "CHG-1 is rejected.\n")


async def test_a_silence_is_shown_asked_about_listed_and_ended(shell: Shell) -> None:
    """Whoever silences sees first whom it hides."""
    assert (await shell("silence")).out == "Nothing is silenced.\n"
    await shell.agent.fire(DOWN)
    words = ("silence", "service=db", "--comment", "disk swap", "--for", "1h30m")
    unasked = await shell(*words, role="operator")
    assert unasked.code == 2
    assert "This would mute 1 firing alerts (0 are muted already) of INC-1." in unasked.out
    assert "1 of unowned" in unasked.out
    assert 'alertname="Down"' in unasked.out
    declined = await shell(*words, role="operator", types="\n")
    assert declined.code == 1
    assert shell.agent.loop.state.silences == {}

    agreed = await shell(*words, role="operator", types="y\n")
    assert agreed.code == 0, agreed.err
    (silence,) = shell.agent.loop.state.silences.values()
    listed = await shell("silence")
    assert 'service="db"' in listed.out
    assert "disk swap" in listed.out
    ended = await shell("silence", "--expire", silence.id, role="operator")
    assert ended.out == f"Silence {silence.id} has ended.\n"


async def test_a_silence_over_more_than_one_owner_needs_to_be_meant(shell: Shell) -> None:
    """Even a person at a terminal has to say so in so many words."""
    await shell.agent.fire(DOWN, {**DOWN, "service": "shop"})
    words = ("silence", "alertname=Down", "--comment", "storm")
    refused = await shell(*words, role="operator", types="y\n")
    assert refused.code == 2
    assert "more than one owner" in refused.err
    assert shell.agent.loop.state.silences == {}
    meant = await shell(*words, "--yes", "--json", role="operator")
    assert list(shell.agent.loop.state.silences) == [json.loads(meant.out)["silenceID"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("service", "--comment", "x"), '"service" is no matcher; write it like host="app1"'),
        (("service=db",), "say why with --comment: whoever finds the silence will ask"),
        (("service=db", "--comment", "x", "--for", "soon"), '"soon" is no duration'),
    ],
)
async def test_a_silence_that_is_not_clear_is_not_made(
    shell: Shell, words: tuple[str, ...], told: str
) -> None:
    """The way out stands in the message."""
    said = await shell("silence", *words, role="operator")
    assert said.code == 1
    assert told in said.err


async def test_an_alert_and_an_incident_are_explained(shell: Shell) -> None:
    """Place, incident, what mutes it and what does not; causes with their evidence."""
    await shell.agent.fire({**DOWN, "note": "\x1b[31mred"})
    (fingerprint,) = shell.agent.loop.state.alerts
    await shell("silence", "service=web", "--comment", "x", "--yes", role="operator")
    alert = await shell("explain", "alert", fingerprint)
    assert 'Placed at   component:default/db by service="db"' in alert.out
    assert "does not mute it" in alert.out
    assert "\x1b" not in alert.out
    await shell.agent.fire({"alertname": "Odd", "host": "x1"})
    apart = await shell("explain", "alert", fingerprint, "--not-with", "INC-2")
    assert "Why not in INC-2" in apart.out
    assert "Decided by  distance" in apart.out
    assert (await shell("explain", "incident", "INC-1", "--not-with", "INC-2")).code == 1
    incident = await shell("explain", "incident", "INC-1")
    assert "+ alerts itself" in incident.out
    assert "Down on component:default/db: incident opened" in incident.out
    assert json.loads((await shell("explain", "incident", "INC-1", "--json")).out)["causes"]


async def test_availability_is_reported(shell: Shell) -> None:
    """For people and for scripts, with what was promised and what is not known."""
    await shell.agent.fire(DOWN)
    said = await shell("report", "availability")
    assert said.code == 0, said.err
    assert "Availability " in said.out
    found = json.loads((await shell("report", "availability", "--json")).out)
    assert {"services", "method", "watched_since"} <= set(found)
    sheet = (await shell("report", "availability", "--period", "30d", "--csv")).out.splitlines()
    assert sheet[0].startswith("start,end,entity,objective,availability")
    assert len(found["services"]) + 1 == len(sheet)


async def test_a_token_is_made_and_works(shell: Shell) -> None:
    """Shown once; whoever holds it may what its role may."""
    made = await shell("token", "bob", "--role", "operator", role="admin")
    assert made.code == 0, made.err
    await shell.agent.fire(DOWN)
    said = await shell("incidents", "INC-1", "--ack", "--token", made.out.strip())
    assert said.code == 0, said.err
    assert shell.agent.loop.state.incidents["INC-1"].acknowledged_by == "bob"
