"""Forms about problems and suspects: what a person says is written, and the page says so."""

import pytest

from agent.model.problem import ProblemState
from tests.web.test_pages import Browser, browser  # noqa: F401 - the fixture


@pytest.fixture
def known(browser: Browser) -> Browser:  # noqa: F811 - the fixture
    """The sample's problem is in the watch, not only in the history."""
    state = browser.sample.loop.state
    state.problems["PRB-1"] = browser.sample.history.problem_now("PRB-1")
    return browser


async def test_a_problem_is_moved_and_known_by_forms(known: Browser) -> None:
    """Each leads back to the page, which says what was done."""
    csrf = await known.sign_in("otto")
    status, _, place = await known.post("/problems/PRB-1/move", csrf_token=csrf, to="investigating")
    assert (status, place) == (303, "/problems/PRB-1?done=problem-moved")
    fields = {"cause": "A leak", "workaround": "Restart it", "remediation": "restart-service"}
    status, _, place = await known.post("/problems/PRB-1/known-error", csrf_token=csrf, **fields)
    assert (status, place) == (303, "/problems/PRB-1?done=known")
    _, text = await known.get(place)
    assert "new incidents of it open with what helps" in text
    status, _, _ = await known.post("/problems/PRB-1/fix", csrf_token=csrf, change=" CHG-901 ")
    problem = known.sample.loop.state.problems["PRB-1"]
    assert problem.fix is not None
    assert (problem.state, problem.fix.change) == (ProblemState.FIX_PLANNED, "CHG-901")
    status, text, _ = await known.post("/problems/PRB-1/move", csrf_token=csrf, to="closed")
    assert (status, "it is fix planned" in text) == (409, True)


async def test_suspects_are_judged_by_forms(known: Browser) -> None:
    """And nobody judges who has not signed in."""
    csrf = await known.sign_in("otto")
    status, _, place = await known.post("/incidents/INC-1/suspect", csrf_token=csrf, change="REP-1")
    assert (status, place) == (303, "/incidents/INC-1?done=suspected")
    _, text = await known.get(place)
    assert "led to this" in text
    await known.post("/incidents/INC-1/unsuspect", csrf_token=csrf, change="REP-1")
    (suspect,) = known.sample.loop.state.incidents["INC-1"].suspects
    assert (suspect.is_match, suspect.judged_by) == (False, "otto")
    known.client.cookie_jar.clear()
    status, _, place = await known.post("/incidents/INC-1/suspect", change="REP-1")
    assert (status, place.startswith("/login")) == (303, True)


async def test_what_is_not_there_is_said(known: Browser) -> None:
    """A problem, an incident, a form that names nothing."""
    assert (await known.get("/problems/PRB-9"))[0] == 404
    assert (await known.get("/incidents/INC-99/review"))[0] == 404
    csrf = await known.sign_in("otto")
    assert (await known.post("/problems/PRB-1/move", csrf_token=csrf, to="heaven"))[0] == 400
