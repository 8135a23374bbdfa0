"""Claims about previews over HTTP: who shall approve sees what would happen, and only sees."""

from tests.e2e.agent import Agent, eventually
from tests.e2e.company import Company, rule
from tests.e2e.sender import alert

SEEN_S_MAX = 40.0
ASKING = rule(
    "ChangePolicy",
    "policy",
    {"rules": [{"name": "all", "when": "true", "decision": "approve", "roles": ["approver"]}]},
)


async def test_who_approves_sees_what_check_mode_says(company: Company) -> None:
    """While the change waits it is played in check mode: shown with the change, done to nobody."""
    company.found(ASKING)
    async with Agent(company) as agent:
        await agent.post("/api/v2/alerts", [alert()])
        change = await agent.change_in("awaiting_approval")
        path = f"/api/v1/changes/{change['id']}"
        preview = await eventually(
            lambda: agent.get(path),
            lambda detail: detail["preview"]["state"] != "asked",
            limit_s=SEEN_S_MAX,
        )
        waits = await agent.change_in("awaiting_approval")

    seen = preview["preview"]
    assert ("complete", change["digest"]) == (seen["state"], seen["digest"])
    assert [("web", "not_checked", "ansible.builtin.command")] == [
        (task["host"], task["effect"], task["module"]) for task in seen["tasks"]
    ]
    assert seen["tasks"][0]["text"].endswith("mend.sh web")
    assert ([], None) == (company.effects(), waits["run"])
