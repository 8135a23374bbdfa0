"""Commands that need no agent: check, test, replay, version."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent import __version__
from agent.runtime.codec import digest_of
from agent.runtime.snapshot import Snapshots
from agent.runtime.snapshot_file import snapshot_paths
from agent.web.auth import Access
from tests.cli.conftest import command
from tests.web.conftest import running

OURS = Path(__file__).parents[2]
MAP = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: db
  annotations:
    watchkeeper.io/match: service="db"
spec:
  type: service
  lifecycle: production
  owner: dba
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata:
  name: dba
spec:
  type: team
  children: []
"""
SCENARIO = """\
apiVersion: watchkeeper.io/v1
kind: Scenario
metadata:
  name: one-alert
spec:
  about: one alert on one service
  timeline:
    - {at: 0m, fire: {alertname: Down, service: db, severity: critical}}
  expect:
    - {at: 1m, incident: {state: STATE}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config.yaml beside a folder of rules with one map in it."""
    (tmp_path / "rules" / "maps").mkdir(parents=True)
    (tmp_path / "rules" / "maps" / "shop.yaml").write_text(MAP)
    (tmp_path / "config.yaml").write_text("rules: rules\n")
    return tmp_path / "config.yaml"


def scenario(config: Path, state: str) -> Path:
    """A scenario that expects the incident in this state."""
    (config.parent / "rules" / "tests").mkdir(exist_ok=True)
    file = config.parent / "rules" / "tests" / "one.yaml"
    file.write_text(SCENARIO.replace("STATE", state))
    return file


async def test_the_version_is_printed() -> None:
    """And nothing else."""
    assert (await command("version")).out == f"{__version__}\n"


async def test_a_good_rule_set_is_checked_with_code_0(config: Path) -> None:
    """With what was found in it."""
    said = await command("check", "--config", str(config))
    assert said.code == 0, said.out
    found = json.loads((await command("check", "--config", str(config), "--json")).out)
    assert found["findings"] == []


async def test_every_mistake_is_told_with_its_place_and_code_2(config: Path) -> None:
    """All at once, for people and for scripts."""
    maps = config.parent / "rules" / "maps"
    (maps / "shop.yaml").write_text(MAP.replace("kind: Component", "kind: Compnent"))
    (maps / "other.yaml").write_text("kind: [\n")
    said = await command("check", "--config", str(config))
    assert said.code == 2
    assert "shop.yaml:2:" in said.out
    assert "other.yaml:" in said.out
    found = json.loads((await command("check", "--config", str(config), "--json")).out)
    assert len(found["findings"]) >= 2


async def test_a_config_that_cannot_be_read_stops_everything_with_code_2(tmp_path: Path) -> None:
    """The place, and that nothing was started."""
    (tmp_path / "config.yaml").write_text("lissten: 127.0.0.1:1\n")
    for name in ("check", "serve", "test", "replay"):
        said = await command(name, "--config", str(tmp_path / "config.yaml"))
        assert said.code == 2
        assert "config.yaml:1:1:" in said.err
        assert "1 finding; nothing was started." in said.err


async def test_scenarios_that_hold_pass(config: Path) -> None:
    """Found in the rules without being named."""
    scenario(config, "open")
    said = await command("test", "--config", str(config))
    assert said.code == 0, said.out + said.err
    assert "ok" in said.out
    assert said.out.splitlines()[-1] == "1 scenarios, 0 failed"


async def test_a_scenario_that_does_not_hold_says_where_and_what_happened(config: Path) -> None:
    """The line of the expectation, and what the rule set did."""
    file = scenario(config, "resolved")
    said = await command("test", str(file), "--config", str(config))
    assert said.code == 1
    assert "FAILED" in said.out
    assert "one.yaml:10" in said.out
    assert "INC-1" in said.out
    (found,) = json.loads((await command("test", "--config", str(config), "--json")).out)
    assert (found["has_passed"], len(found["failures"])) == (False, 1)


async def test_our_own_scenarios_hold(tmp_path: Path) -> None:
    """What the project ships with is tried the way users try theirs."""
    (tmp_path / "config.yaml").write_text(
        f"rules: {OURS / 'rules'}\nremediations: {OURS / 'remediations'}\n"
    )
    said = await command("test", "--config", str(tmp_path / "config.yaml"))
    assert said.code == 0, said.out + said.err


async def test_nothing_to_play_is_an_error(config: Path) -> None:
    """No rule set, no scenario, or no such file: a pass would be a lie."""
    file = str(config.parent / "nosuch.yaml")
    for words, told in (
        ((), "--config"),
        (("--config", str(config)), "there are no scenarios in"),
        (("--config", str(config), file), "there is no scenario file"),
    ):
        said = await command("test", *words)
        assert said.code == 1
        assert told in said.err


async def test_a_journal_replayed_is_what_it_was_and_with_other_rules_another(
    config: Path,
) -> None:
    """The same digest without them; other incidents with them. Nothing is written."""
    data = config.parent / "data"
    data.mkdir()
    async with running(data, Access(is_loopback=True)) as agent:
        await agent.fire({"alertname": "Down", "service": "db"})
        await agent.fire({"alertname": "Slow", "service": "shop"})
        digest = digest_of(agent.loop.state)

    same = json.loads((await command("replay", "--data", str(data), "--json")).out)
    assert (same["was"]["digest"], same["would"]) == (digest, None)
    assert [i["cause"] for i in same["was"]["incidents"]] == ["component:default/db"]

    words = ("replay", "--data", str(data), "--rules", str(config.parent / "rules"))
    other = json.loads((await command(*words, "--json")).out)
    assert other["was"]["digest"] == digest
    assert len(other["would"]["incidents"]) == 2
    told = await command(*words, "--since", "2100-01-01")
    assert told.code == 0
    assert "As it was: 0 incidents, 0 changes" in told.out
    assert told.out.splitlines()[-1] == "No difference."


async def test_no_journal_is_said(tmp_path: Path) -> None:
    """Where it was looked for."""
    said = await command("replay", "--data", str(tmp_path / "nothing"))
    assert said.code == 1
    assert f"there is no journal at {tmp_path / 'nothing'}" in said.err


async def test_a_journal_without_its_beginning_is_played_from_a_snapshot(config: Path) -> None:
    """The oldest one that it follows on; without any it is said that it cannot be."""
    data = config.parent / "data"
    data.mkdir()
    async with running(data, Access(is_loopback=True)) as agent:
        await agent.fire({"alertname": "Down", "service": "db"})
        state = agent.loop.state
        Snapshots(data / "snapshots").write(state)
        number = state.last_number
        await agent.fire({"alertname": "Slow", "service": "shop"})
        digest = digest_of(agent.loop.state)
    with closing(sqlite3.connect(data / "watchkeeper.db", isolation_level=None)) as database:
        database.execute("DELETE FROM journal WHERE number <= ?", (number,))
    words = ("replay", "--data", str(data), "--rules", str(config.parent / "rules"))
    told = json.loads((await command(*words, "--json")).out)
    assert told["was"]["digest"] == digest
    assert told["since"] is not None
    failing = await command(*words, "--fail-on-difference")
    assert (failing.code, "differences:" in failing.out) == (1, True)
    for path in snapshot_paths(data / "snapshots"):
        path.unlink()
    said = await command(*words)
    assert said.code == 1
    assert "there is no snapshot from which it could be played" in said.err


async def test_since_is_a_duration_or_a_moment(tmp_path: Path) -> None:
    """What is neither is said, before anything is read."""
    said = await command("replay", "--data", str(tmp_path), "--since", "last week")
    assert said.code == 1
    assert '"last week" is neither a duration (90d) nor a moment' in said.err
