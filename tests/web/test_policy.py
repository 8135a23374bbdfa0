"""Change policy over HTTP: why, what if, and standard changes."""

from dataclasses import replace
from datetime import date

from agent.core.policy.judge import CHECKS
from agent.core.policy.memory import TemplateUse
from agent.model.entry import ConfigLoaded
from agent.model.standard import StandardChange
from tests.web.conftest import Running

TEMPLATE = StandardChange(
    name="restarts", remediation="restart", owner="ann", expires=date(2100, 1, 1), digest="t" * 64
)
WISH = {"remediation": "restart", "entity": "component:default/db", "parameters": {"service": "db"}}


async def test_what_if_asks_for_nothing_and_says_what_a_request_would_hear(agent: Running) -> None:
    """The same verdict, check by check; what cannot be asked for is a 422."""
    query = "/api/v1/policy/what-if?remediation=restart&entity=component:default/"
    status, told = await agent.ask("GET", query + "db&parameter=service=db", role="viewer")
    assert (status, told["decision"]["verdict"]) == (200, "needs_approval")
    assert [each["check"] for each in told["checks"]] == [check.name for check in CHECKS]
    assert agent.loop.state.changes == {}
    status, made = await agent.ask("POST", "/api/v1/changes", json=WISH, role="operator")
    assert (status, made["decision"]["text"]) == (201, told["decision"]["text"])
    assert made["risk"] == told["risk"]
    status, again = await agent.ask("GET", f"/api/v1/changes/{made['id']}/policy", role="viewer")
    assert (status, again["decision"]["reason"]) == (200, "approval_needed")
    assert (await agent.ask("GET", query + "nowhere", role="viewer"))[0] == 422
    assert (await agent.ask("GET", "/api/v1/changes/CHG-9/policy", role="viewer"))[0] == 404


async def test_a_withdrawn_template_is_reinstated_by_who_may_approve(agent: Running) -> None:
    """Nobody else; and once."""
    config = agent.loop.state.config
    assert config.policy is not None
    policy = replace(config.policy, standard=(TEMPLATE,))
    await agent.loop.append(ConfigLoaded(config=replace(config, policy=policy, digest="with")))
    use = TemplateUse(results=[False, False], withdrawn_at=agent.site.clock.now())
    agent.loop.state.gate.templates["restarts"] = replace(use, withdrawn_for="it did not help")
    _, (told,) = await agent.ask("GET", "/api/v1/standard-changes", role="viewer")
    assert (told["problem"], told["failures"]) == ("is withdrawn: it did not help", 2)
    path = "/api/v1/standard-changes/restarts/reinstate"
    assert (await agent.ask("POST", path, json={}, role="operator"))[0] == 403
    status, back = await agent.ask("POST", path, json={"note": "mended"}, role="approver")
    assert (status, back["problem"], back["failures"]) == (200, None, 0)
    status, refused = await agent.ask("POST", path, json={}, role="approver")
    assert (status, refused["reason"]) == (409, "not_open")
    other = path.replace("restarts", "other")
    assert (await agent.ask("POST", other, json={}, role="approver"))[0] == 404
