"""An error that somebody can mend is told in words, with a code, and never with a traceback."""

import pytest

from tests.cli.conftest import Shell, command

NOBODY = "http://127.0.0.1:9"


async def test_no_agent_is_said_in_one_line() -> None:
    """Where it was looked for, and why it was not found."""
    said = await command("incidents", "--url", NOBODY)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"watchkeeper: no agent answers at {NOBODY}: ")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "role", "told"),
    [
        (("incidents", "INC-9"), None, "INC-9"),
        (("incidents", "INC-9", "--ack"), "operator", "INC-9"),
        (("changes", "CHG-9"), None, "CHG-9"),
        (("changes", "CHG-9", "--follow"), None, "CHG-9"),
        (("changes", "CHG-9", "--cancel"), "operator", "CHG-9"),
        (("approve", "CHG-9", "--reject"), "approver", "CHG-9"),
        (("explain", "alert", "0000"), None, "0000"),
        (("explain", "incident", "INC-9"), None, "INC-9"),
        (("explain", "weather", "x"), None, "'weather' cannot be explained"),
        (("report", "weather"), None, "there is no report 'weather'"),
        (("silence", "--expire", "nosuch"), "operator", "nosuch"),
        (("changes", "--request", "nosuch", "--entity", "x:y/z"), "operator", "nosuch"),
        (("changes", "--request", "restart"), "operator", "--entity"),
        (
            ("changes", "--request", "restart", "--entity", "x", "--set", "y"),
            "operator",
            "name=value",
        ),
        (("incidents", "--ack"), "operator", "INC-7"),
        (("changes", "--cancel"), "operator", "CHG-7"),
    ],
)
async def test_what_is_not_there_is_named(
    shell: Shell, words: tuple[str, ...], role: str | None, told: str
) -> None:
    """The message says what was not found, or what to write."""
    said = await shell(*words, role=role)
    assert said.code in (1, 2)
    assert told in said.err
    assert "Traceback" not in said.err


async def test_who_may_not_is_told_so(shell: Shell) -> None:
    """No token: how to give one. A wrong one, or one with too few rights: that it does not do."""
    await shell.agent.fire({"alertname": "Down", "service": "db"})
    without = await shell("incidents", "INC-1", "--ack")
    assert without.code == 1
    assert "Give one with --token or WATCHKEEPER_TOKEN." in without.err
    wrong = await shell("incidents", "INC-1", "--ack", "--token", "wk_wrong")
    viewer = await shell("incidents", "INC-1", "--ack", role="viewer")
    for said in (wrong, viewer):
        assert said.code == 1
        assert said.err.startswith("watchkeeper: ")
        assert "Traceback" not in said.err
    assert shell.agent.loop.state.incidents["INC-1"].acknowledged_by is None


@pytest.mark.parametrize(
    "name",
    [
        *("serve", "check", "test", "replay", "explain", "report", "sim", "incidents"),
        *("changes", "approve", "silence", "token", "version"),
    ],
)
async def test_every_command_has_help_that_fits(name: str) -> None:
    """In eighty columns, with a sentence that says what it is for."""
    said = await command(name, "--help", COLUMNS="80")
    assert said.code == 0
    assert max(len(line) for line in said.out.splitlines()) <= 80
    assert "…" not in said.out
