"""The scenarios that are shipped hold against the rules that are shipped."""

from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from agent.config.load import Loaded, load_config
from agent.config.schema_settings import Settings
from agent.errors import ConfigError
from agent.sim.scenario import ScenarioResult, run_scenarios

ROOT = Path(__file__).parents[2]
BAD = """\
apiVersion: watchkeeper.io/v1
kind: Scenario
metadata: {name: bad}
spec:
  about: a slip of the pen
  timeline:
    - {at: 1m, fyre: {alertname: X}}
  expect:
    - {at: soon, incident: {state: open}}
"""


def load(rules: Path, at: datetime) -> Loaded:
    """A shipped rule set around a moment."""
    settings = Settings(rules=rules, remediations=ROOT / "remediations")
    return load_config(settings, at)


def play(folder: str, *files: Path) -> list[ScenarioResult]:
    """Play scenarios against a shipped rule set."""
    return run_scenarios(partial(load, ROOT / folder), files)


@pytest.mark.parametrize("folder", ["rules", "deploy/demo/rules"])
def test_shipped_rules_do_what_their_scenarios_say(folder: str) -> None:
    """Every expectation holds."""
    files = sorted((ROOT / folder / "tests").glob("*.yaml"))
    results = play(folder, *files)
    assert results, "there are scenarios"
    assert [] == [failure for result in results for failure in result.failures]


def test_a_failure_says_where_and_what_there_is_instead(tmp_path: Path) -> None:
    """Whoever reads it knows which line was meant, and sees what happened."""
    file = tmp_path / "wrong.yaml"
    text = (ROOT / "rules/tests/restart.yaml").read_text(encoding="utf-8").split("---")[0]
    file.write_text(text.replace("cause: nginx-web1", "cause: nginx-web2"), encoding="utf-8")
    (result,) = play("rules", file)
    (failure,) = result.failures
    assert failure.startswith(f"{file}:14: no incident is state open, cause nginx-web2; there is ")
    assert "cause component:default/nginx-web1" in failure


def test_a_mistake_in_a_scenario_is_found_with_its_place(tmp_path: Path) -> None:
    """All mistakes at once, as in every other file of an operator."""
    file = tmp_path / "bad.yaml"
    file.write_text(BAD, encoding="utf-8")
    with pytest.raises(ConfigError) as found:
        play("rules", file)
    assert [(finding.line, finding.column) for finding in found.value.findings] == [
        (7, 16),
        (9, 12),
    ]
