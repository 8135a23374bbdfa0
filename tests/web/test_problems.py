"""Problems and reviews over HTTP: what the core knows is told, and what people say is written."""

from agent.core.draft import Draft
from agent.core.problems.record import raise_problem
from agent.model.entry import TimeElapsed
from agent.model.reason import Reason
from tests.web.conftest import Running

DB = {"alertname": "Down", "service": "db", "severity": "critical"}


async def with_problem(agent: Running) -> None:
    """The breaker of a remediation opened: a problem without waiting for days."""
    await agent.fire(DB)
    state = agent.loop.state
    draft = Draft(0, agent.site.clock.now())
    raise_problem(
        state,
        draft,
        title="Restarting does not help db",
        signature="breaker|db",
        incident=state.incidents["INC-1"],
        reason=Reason.BREAKER_OPENED,
        incidents=("INC-1",),
    )


async def test_a_problem_is_worked_on(agent: Running) -> None:
    """From the known error to its closing; what cannot be is a 409 with its reason."""
    await with_problem(agent)
    path = "/api/v1/problems/PRB-1/"

    async def say(word: str, **body: str) -> tuple[int, dict[str, object]]:
        return await agent.ask("POST", path + word, json=body, role="operator")

    status, problem = await say("known-error", cause="A leak", workaround="Restart it")
    assert (status, problem["state"]) == (200, "known_error")
    status, problem = await say("fix", change="https://git.example.org/41")
    assert (status, problem["state"]) == (200, "fix_planned")
    status, problem = await say("move", to="resolved")
    assert (status, problem["state"]) == (200, "resolved")
    status, refused = await say("move", to="closed", note="Pools need a limit")
    assert (status, refused["reason"]) == (409, "not_verified")
    status, refused = await say("known-error", cause="x")
    assert (status, refused["reason"]) == (409, "move_refused")
    assert (await agent.ask("POST", "/api/v1/problems/PRB-9/move", json={"to": "open"}))[0] == 401
    missing = await agent.ask(
        "POST", "/api/v1/problems/PRB-9/move", json={"to": "open"}, role="operator"
    )
    assert missing[0] == 404


async def test_problems_are_told_with_their_figures(agent: Running) -> None:
    """In the list and alone, with the story."""
    assert (await agent.ask("GET", "/api/v1/problems"))[1] == []
    await with_problem(agent)
    _, (told,) = await agent.ask("GET", "/api/v1/problems")
    assert (told["problem"]["id"], told["figures"]["rank"]) == ("PRB-1", 1)
    _, detail = await agent.ask("GET", "/api/v1/problems/PRB-1")
    assert detail["figures"] == told["figures"]
    assert (await agent.ask("GET", "/api/v1/problems/PRB-9"))[0] == 404


async def test_a_review_is_told_for_people_and_for_machines(agent: Running) -> None:
    """While it lasts it is a draft; markup from outside is none."""
    await agent.fire({**DB, "alertname": "Down|<b>*"})
    await agent.loop.append(TimeElapsed())
    status, told = await agent.ask("GET", "/api/v1/incidents/INC-1/review")
    assert (status, told["review"]["incident"], told["review"]["is_over"]) == (200, "INC-1", False)
    assert "this review is a draft" in told["markdown"]
    assert r"By Down\|\<b\>\* on db, heard from alertmanager\_v2" in told["markdown"]
    assert (await agent.ask("GET", "/api/v1/incidents/INC-9/review"))[0] == 404
