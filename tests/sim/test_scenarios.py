"""The scenarios that are shipped hold against the rules that are shipped."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from agent.cli.junit import write_junit
from agent.config.load import Loaded, load_config
from agent.config.schema_settings import Settings
from agent.errors import ConfigError
from agent.model.autonomy import Mode
from agent.model.autonomy_entries import ProposalTaken
from agent.sim.scenario import ScenarioResult, run_scenarios
from agent.sim.scenario_people import said_by_people
from agent.sim.scenario_schema import Happens
from tests.core.play import CONFIG, RULE, Play

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


PEOPLE = """\
apiVersion: watchkeeper.io/v1
kind: Scenario
metadata: {name: people}
spec:
  about: a person asks, a freeze begins, nothing is begun; then the person takes it back
  timeline:
    - {at: 0s, freeze: {for: 1h}}
    - at: 1m
      request:
        remediation: restart-service
        entity: component:default/nginx-web1
        by: ann
        parameters: {service: nginx}
    - {at: 5m, approve: {remediation: restart-service, by: mira}}
    - {at: 5m, approve: {remediation: restart-service, by: jonas}}
    - {at: 10m, cancel: {remediation: restart-service, by: ann}}
  expect:
    - {at: 6m, change: {reason: frozen, verdict: deferred}}
    - {at: 10m, change: {closure: cancelled}}
    - {at: 10m, said: {reason: cancelled, text: ann}}
    - {at: 10m, said: {reason: never_so}}
    - never: {effect: {launch: restart-service}}
"""


def test_people_ask_take_back_and_freeze(tmp_path: Path) -> None:
    """As they do in life; and what nobody said is told as missing, with what was."""
    file = tmp_path / "people.yaml"
    file.write_text(PEOPLE, encoding="utf-8")
    (result,) = play("rules", file)
    (failure,) = result.failures
    assert "nothing was said with reason never_so; there was " in failure


def test_rules_that_held_are_named_and_those_that_did_not(tmp_path: Path) -> None:
    """So that a rule without a scenario is seen."""
    (result, *_) = play("rules", ROOT / "rules/tests/restart.yaml")
    assert "remediation rule restart-nginx" in result.held
    assert "inhibit rule host-explains-services" not in result.held
    assert set(result.held) < set(result.rules)


def test_results_are_written_for_build_servers(tmp_path: Path) -> None:
    """A suite a file, a case a scenario, and what was not as expected."""
    good = ScenarioResult(name="a", about="", file="f.yaml", failures=(), timeline=())
    bad = replace(good, name="b", failures=("f.yaml:3: no\x00", "more"), timeline=("0:00 line",))
    write_junit(tmp_path / "out.xml", [good, bad])
    root = ET.parse(tmp_path / "out.xml").getroot()
    assert root.attrib == {"tests": "2", "failures": "1", "errors": "0"}
    (suite,) = root
    assert [case.attrib["name"] for case in suite] == ["a", "b"]
    (failure,) = suite.iter("failure")
    assert failure.attrib["message"] == "f.yaml:3: no\N{REPLACEMENT CHARACTER}"
    assert "0:00 line" in str(failure.text)


def test_a_person_takes_up_the_oldest_that_a_rule_suggests() -> None:
    """And says nothing where there is nothing to take up."""
    played = Play(config=replace(CONFIG, remediation_rules=(replace(RULE, mode=Mode.SUGGEST),)))
    loaded = Loaded(config=CONFIG, calendars=())
    happens = Happens.model_validate({"at": "0s", "takeUp": {"rule": RULE.name, "by": "mira"}})
    assert said_by_people(played.state, loaded, happens, played.now) == []
    played.fire("ServiceDown", service="web1", host="app1")
    (case,) = [proposal.case for proposal in played.incident().proposals]
    assert said_by_people(played.state, loaded, happens, played.now) == [
        ProposalTaken(incident="INC-1", case=case, by="mira")
    ]
