"""People correct what belongs together, through the API and on the page of an incident."""

import re
from html import unescape

from tests.web.conftest import Running
from tests.web.test_pages import Browser, browser

__all__ = ("browser",)

DB = {"alertname": "Down", "service": "db", "severity": "critical"}
SHOP = {"alertname": "Slow", "service": "shop"}


async def fingerprints(agent: Running) -> dict[str, str]:
    """The alerts of the first incident by their names."""
    _, detail = await agent.ask("GET", "/api/v1/incidents/INC-1")
    return {alert["labels"]["alertname"]: alert["fingerprint"] for alert in detail["alerts"]}


async def act(
    agent: Running, word: str, incident: str = "INC-1", **body: object
) -> tuple[int, dict]:  # type: ignore[type-arg]
    """An operator corrects something."""
    path = f"/api/v1/incidents/{incident}/{word}"
    return await agent.ask("POST", path, role="operator", json=body)


async def test_alerts_are_split_off_and_moved_back(agent: Running) -> None:
    """The answer to a split is the new incident; each is recorded under the token's name."""
    await agent.fire(DB, SHOP)
    slow = (await fingerprints(agent))["Slow"]
    status, split = await act(agent, "split", alerts=[slow], note="another thing")
    assert (status, split["id"], split["firing"]) == (200, "INC-2", 1)
    status, left = await act(agent, "move", "INC-2", alerts=[slow], into="INC-1")
    assert (status, left["id"], left["state"]) == (200, "INC-2", "resolved")
    assert set(await fingerprints(agent)) == {"Down", "Slow"}
    _, detail = await agent.ask("GET", "/api/v1/incidents/INC-1")
    told = {(item["reason"], item["actor"]) for item in detail["timeline"]}
    assert ("moved", "operator-anna") in told


async def test_what_is_unrelated_leaves(agent: Running) -> None:
    """A place goes with all its alerts; the answer is the incident without it."""
    await agent.fire(DB, SHOP)
    status, left = await act(agent, "unrelated", entities=["component:default/shop"])
    assert (status, left["id"], left["firing"]) == (200, "INC-1", 1)
    assert list(await fingerprints(agent)) == ["Down"]


async def test_a_correction_that_makes_no_sense_is_refused(agent: Running) -> None:
    """By the core with its reason, by the shape of the body, by the permission."""
    await agent.fire(DB)
    down = (await fingerprints(agent))["Down"]
    status, problem = await act(agent, "split", alerts=[down])
    assert (status, problem["reason"]) == (409, "split")
    assert (await act(agent, "split", alerts=[]))[0] == 400
    assert (await act(agent, "move", alerts=[down], into="INC-9"))[0] == 404
    assert (await act(agent, "split", "INC-9", alerts=[down]))[0] == 404
    body = {"alerts": [down]}
    path = "/api/v1/incidents/INC-1/split"
    assert (await agent.ask("POST", path, role="viewer", json=body))[0] == 403


async def test_the_page_has_a_box_for_every_alert_and_its_forms_work(browser: Browser) -> None:
    """No script is needed: the chosen alerts go to an incident of their own, and the page there."""
    csrf = await browser.sign_in("otto")
    _, text = await browser.get("/incidents/INC-1")
    boxes = re.findall(r'name="alerts" value="([^"]+)"', text)
    places = re.findall(r'name="entities" value="([^"]+)"', text)
    assert len(boxes) > 1
    status, _, to = await browser.post(
        "/incidents/INC-1/split", csrf_token=csrf, alerts=boxes[0], note="another rack", into=""
    )
    assert (status, "?done=split" in to) == (303, True)
    there = to.partition("?")[0]
    _, text = await browser.get(to)
    assert "Split off: this is the new incident." in text
    assert "another rack" in unescape(text)
    status, _, to = await browser.post(
        f"{there}/move", csrf_token=csrf, alerts=boxes[0], into="INC-1", note=""
    )
    assert (status, to) == (303, f"{there}?done=moved")
    status, _, to = await browser.post(
        "/incidents/INC-1/unrelated", csrf_token=csrf, entities=unescape(places[0])
    )
    assert (status, to) == (303, "/incidents/INC-1?done=unrelated")
    status, text, _ = await browser.post("/incidents/INC-1/split", csrf_token=csrf)
    assert status == 409


async def test_an_incident_rests_until_it_is_clear(agent: Running) -> None:
    """Until clear, until a moment at the most, or told as ever: each may follow the other."""
    await agent.fire(DB)
    _, incident = await act(agent, "acknowledge", until="clear")
    assert incident["until_clear"]["by"] == "operator-anna"
    _, incident = await act(agent, "acknowledge", until="2100-01-01T00:00:00Z")
    assert incident["until_clear"]["until"].startswith("2100-01-01")
    _, incident = await act(agent, "acknowledge")
    assert incident["until_clear"] is None
    assert (await act(agent, "acknowledge", until="2020-01-01T00:00:00Z"))[0] == 409
    assert (await act(agent, "acknowledge", until="tomorrow"))[0] == 400


async def test_what_flaps_is_marked_with_its_counts(agent: Running) -> None:
    """Since when, how many changes, and when the last ones were."""
    over = {"labels": DB, "endsAt": "2020-01-01T00:00:00Z"}
    for _ in range(5):
        await agent.fire(DB)
        await agent.ask("POST", "/api/v2/alerts", json=[over])
    _, detail = await agent.ask("GET", "/api/v1/incidents/INC-1")
    (flap,) = detail["flapping"]
    assert flap["name"] == "Down on db"
    assert flap["changes"] >= len(flap["changed_at"]) > 5


async def test_the_page_offers_to_rest_and_to_be_told_again(browser: Browser) -> None:
    """A list and a button; then the page says who, and how long at most."""
    csrf = await browser.sign_in("otto")
    _, _, to = await browser.post("/incidents/INC-1/acknowledge", csrf_token=csrf, until="4h")
    assert to == "/incidents/INC-1?done=resting"
    _, text = await browser.get("/incidents/INC-1")
    assert "Not told again until clear or worse (otto, at most 4 h more)" in unescape(text)
    await browser.post("/incidents/INC-1/acknowledge", csrf_token=csrf)
    _, text = await browser.get("/incidents/INC-1")
    assert "Not told again until clear or worse" not in text
