"""How far rules go, over the API: looked at, taken up, stopped and let go on, by who may."""

from dataclasses import replace

from agent.model.autonomy import Mode
from agent.model.entry import ConfigLoaded
from agent.model.rule import ParameterSource, RemediationRule
from tests.web.conftest import Running

DOWN = {"alertname": "Down", "service": "db", "severity": "critical"}


async def with_a_rule(agent: Running) -> None:
    """From now on a rule suggests to restart what is down."""
    config = agent.site.loop.state.config
    restart = RemediationRule(
        name="restart-it",
        author="ann",
        when='alert.name == "Down"',
        remediation="restart",
        parameters={"service": ParameterSource(label="service")},
        mode=Mode.SUGGEST,
    )
    changed = replace(config, digest="with-a-rule", remediation_rules=(restart,))
    await agent.site.loop.append(ConfigLoaded(config=changed))


async def test_a_rule_shows_its_score_and_what_is_missing(agent: Running) -> None:
    """With what a promotion would sign; of a rule that is none, 404."""
    await with_a_rule(agent)
    _, told = await agent.ask("GET", "/api/v1/autonomy")
    (rule,) = told["rules"]
    assert (rule["name"], rule["mode"], rule["next"]) == ("restart-it", "suggest", None)
    _, detail = await agent.ask("GET", "/api/v1/autonomy/rules/restart-it")
    assert (detail["rule"]["binding"], detail["cases"]) == (rule["binding"], [])
    assert (await agent.ask("GET", "/api/v1/autonomy/rules/none"))[0] == 404


async def test_a_proposal_is_taken_up_under_the_callers_name(agent: Running) -> None:
    """Once; then it is under change already."""
    await with_a_rule(agent)
    await agent.fire(DOWN)
    path, wish = "/api/v1/incidents/INC-1/take", {"case": "CASE-1"}
    status, change = await agent.ask("POST", path, role="operator", json=wish)
    assert (status, change["requested_by"]) == (201, "person:operator-anna")
    assert (await agent.ask("POST", path, role="operator", json=wish))[0] == 409


async def test_an_operator_stops_all_rules_and_another_role_resumes(agent: Running) -> None:
    """A reason is needed for either."""
    stop, resume = "/api/v1/autonomy/stop", "/api/v1/autonomy/resume"
    assert (await agent.ask("POST", stop, role="operator", json={"note": ""}))[0] == 400
    _, told = await agent.ask("POST", stop, role="operator", json={"note": "hands off"})
    assert told["stopped"]["by"] == "operator-anna"
    status, _ = await agent.ask("POST", resume, role="operator", json={"note": "it is over"})
    assert status == 403
    assert (await agent.ask("POST", resume, role="approver", json={}))[0] == 400
    _, told = await agent.ask("POST", resume, role="approver", json={"note": "it is over"})
    assert told["stopped"] is None


async def test_what_is_not_open_cannot_be_reset(agent: Running) -> None:
    """Refused with its reason."""
    path, wish = "/api/v1/breakers/reset", {"breaker": "rule:none"}
    status, problem = await agent.ask("POST", path, role="approver", json=wish)
    assert (status, problem["reason"]) == (409, "not_found")
    assert (await agent.ask("GET", "/api/v1/breakers"))[1] == []
