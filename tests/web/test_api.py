"""Our own API: what people ask and say about incidents, changes and the map."""

from agent.web.api import API_ROUTES
from agent.web.routes import Route
from tests.web.conftest import Running

DB = {"alertname": "Down", "service": "db", "severity": "critical"}
SHOP = {"alertname": "Slow", "service": "shop"}


async def act(agent: Running, word: str, **body: object) -> tuple[int, dict[str, object]]:
    given = {"json": body} if body else {}
    return await agent.ask("POST", f"/api/v1/incidents/INC-1/{word}", role="operator", **given)


async def test_an_incident_with_its_story(agent: Running) -> None:
    """Two alerts near on the map are one incident, listed and shown with causes and reasons."""
    await agent.fire(DB, SHOP)
    _, page = await agent.ask("GET", "/api/v1/incidents?state=open")
    assert ([item["id"] for item in page["items"]], page["next"]) == (["INC-1"], None)
    _, detail = await agent.ask("GET", "/api/v1/incidents/INC-1")
    assert detail["incident"]["causes"][0]["entity"] == "component:default/db"
    assert {"Down", "Slow"} == {alert["labels"]["alertname"] for alert in detail["alerts"]}
    assert "incident_opened" in {item["reason"] for item in detail["timeline"]}
    assert (await agent.ask("GET", "/api/v1/incidents/INC-2"))[0] == 404


async def test_an_incident_names_what_fires_and_what_is_over(agent: Running) -> None:
    """Each occurrence once, whether the memory has it or the history."""
    await agent.fire(DB, SHOP)
    over = {"labels": SHOP, "endsAt": "2020-01-01T00:00:00Z"}
    await agent.ask("POST", "/api/v2/alerts", json=[over])
    _, detail = await agent.ask("GET", "/api/v1/incidents/INC-1")
    assert [("Slow", "resolved"), ("Down", None)] == [
        (alert["labels"]["alertname"], alert["ended_by"]) for alert in detail["alerts"]
    ]


async def test_people_act_under_their_own_name(agent: Running) -> None:
    """Acknowledge, assign, comment, confirm, resolve: each is recorded under the token's name."""
    await agent.fire(DB)
    _, incident = await act(agent, "acknowledge")
    assert incident["acknowledged_by"] == "operator-anna"
    assert (await act(agent, "assign", assignee="bob"))[1]["assignee"] == "bob"
    assert (await act(agent, "comment", text="looking"))[0] == 200
    _, incident = await act(agent, "cause", entity="component:default/db")
    assert incident["cause_confirmed_by"] == "operator-anna"
    assert (await act(agent, "cause", entity="component:default/nothing"))[0] == 404
    assert (await act(agent, "merge", into="INC-9"))[0] == 404
    assert (await act(agent, "resolve", note="done"))[1]["state"] == "resolved"
    _, detail = await agent.ask("GET", "/api/v1/incidents/INC-1")
    spoken = {item["reason"] for item in detail["timeline"] if item["actor"] == "operator-anna"}
    assert {"acknowledged", "assigned", "commented"} <= spoken


async def test_what_the_core_refuses_is_409(agent: Running) -> None:
    """A refusal by the core comes back with its named reason, and is no mistake of the client."""
    await agent.fire(DB)
    status, problem = await act(agent, "merge", into="INC-1")
    assert status == 409
    assert problem["reason"]
    assert problem["detail"]


WISH = {"remediation": "restart", "entity": "component:default/db", "parameters": {"service": "db"}}


async def test_a_change_is_approved_as_it_was_seen(agent: Running) -> None:
    """Asked for, judged, and approved only by another person, by role, with the binding shown."""
    status, change = await agent.ask("POST", "/api/v1/changes", role="operator", json=WISH)
    assert (status, change["state"]) == (201, "awaiting_approval")
    assert change["decision"]["reason"] == "approval_needed"
    assert change["requested_by"] == "person:operator-anna"
    assert (change["hosts"], "secret" in str(change)) == (["db"], False)
    path = f"/api/v1/changes/{change['id']}/approve"
    seen = {"binding": change["binding"], "note": "go"}
    status, problem = await agent.ask("POST", path, role="operator", json=seen)
    assert (status, problem["reason"]) == (409, "self_approval")
    stale = {"binding": "another"}
    status, problem = await agent.ask("POST", path, role="approver", json=stale)
    assert (status, problem["reason"]) == (409, "approval_void")
    status, problem = await agent.ask("POST", path, role="admin", json=seen)
    assert (status, problem["reason"]) == (409, "role_missing")
    status, approved = await agent.ask("POST", path, role="approver", json=seen)
    assert status == 200
    assert [approval["by"] for approval in approved["approvals"]] == ["approver-anna"]
    _, detail = await agent.ask("GET", f"/api/v1/changes/{change['id']}")
    assert "approved" in {item["reason"] for item in detail["timeline"]}
    _, page = await agent.ask("GET", "/api/v1/changes")
    assert [item["id"] for item in page["items"]] == [change["id"]]


async def test_a_change_is_rejected_or_cancelled(agent: Running) -> None:
    """A person can say no, or stop what was asked for; afterwards neither is possible."""
    for word, role in (("reject", "approver"), ("cancel", "operator")):
        _, change = await agent.ask("POST", "/api/v1/changes", role="operator", json=WISH)
        path = f"/api/v1/changes/{change['id']}/{word}"
        status, ended = await agent.ask("POST", path, role=role, json={"note": "no"})
        assert (status, ended["state"]) == (200, "closed")
        assert (await agent.ask("POST", path, role=role, json={"note": "no"}))[0] == 409


async def test_parameters_are_checked(agent: Running) -> None:
    """What the remediation does not declare, or not like this, makes no change."""
    for parameters in ({"service": "rm -rf"}, {"service": 1}, {"other": "db"}, {}):
        body = {**WISH, "parameters": parameters}
        status, problem = await agent.ask("POST", "/api/v1/changes", role="operator", json=body)
        assert (parameters, status) == (parameters, 409)
        assert problem["reason"] == "parameter_refused"
    body = {**WISH, "parameters": {"service": ["db"]}}
    assert (await agent.ask("POST", "/api/v1/changes", role="operator", json=body))[0] == 400


async def test_unknown_things_are_404(agent: Running) -> None:
    """Every route that names a thing answers 404 for one that never was."""
    for path in ("changes/CHG-9", "runs/RUN-9", "runs/RUN-9/output", "problems/PRB-9"):
        assert (await agent.ask("GET", f"/api/v1/{path}"))[0] == 404
    for word, body in (("approve", {"binding": "x"}), ("reject", {}), ("cancel", {})):
        status, _ = await agent.ask(
            "POST", f"/api/v1/changes/CHG-9/{word}", role="approver", json=body
        )
        assert (word, 404) == (word, status)
    wish = {"remediation": "nothing", "entity": "component:default/db"}
    assert (await agent.ask("POST", "/api/v1/changes", role="operator", json=wish))[0] == 404


async def test_an_alert_is_explained(agent: Running) -> None:
    """Where it was placed and by which matcher, why its incident, why no silence mutes it."""
    await agent.fire(DB)
    (fingerprint,) = agent.loop.state.alerts
    silence = {
        "matchers": [{"name": "service", "value": "shop", "isRegex": False}],
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "2100-01-01T00:00:00Z",
        "comment": "",
    }
    await agent.ask("POST", "/api/v2/silences", role="operator", json=silence)
    _, why = await agent.ask("GET", f"/api/v1/explain/alerts/{fingerprint}")
    assert (why["entity"], why["placed_by"]) == ("component:default/db", ['service="db"'])
    assert (why["incident"], why["joined_by"]) == ("INC-1", "incident_opened")
    (verdict,) = why["silences"]
    assert (
        verdict["mutes"],
        verdict["because"],
    ) == (False, "service=\"shop\" does not hold: the alert says 'db'")
    _, why = await agent.ask("GET", "/api/v1/explain/incidents/INC-1")
    assert why["causes"][0]["entity"] == "component:default/db"


async def test_an_alert_is_compared_with_what_it_is_not_with(agent: Running) -> None:
    """With an incident or another alert: each question, and the one that decides."""
    await agent.fire(DB, {"alertname": "Odd", "host": "x1"})
    names = {a.alert.name: name for name, a in agent.loop.state.alerts.items()}
    path = f"/api/v1/explain/alerts/{names['Down']}"
    _, why = await agent.ask("GET", path)
    assert why["not_with"] is None
    for other in ("INC-2", names["Odd"]):
        _, why = await agent.ask("GET", f"{path}?not_with={other}")
        assert why["not_with"]["incident"] == "INC-2"
        assert why["not_with"]["decided_by"]["question"] == "distance"
    assert (await agent.ask("GET", f"{path}?not_with=INC-9"))[0] == 404
    _, why = await agent.ask("GET", "/api/v1/explain/incidents/INC-1")
    assert [one["alert"] for one in why["joined"]] == [names["Down"]]
    assert why["coverage"][0]["fails_to_explain"] == []


async def test_a_silence_is_previewed(agent: Running) -> None:
    """Before a silence is made, it is counted whom it would silence."""
    await agent.fire(DB, SHOP, {"alertname": "Stray"})
    path = "/api/v1/silences/preview"
    _, preview = await agent.ask("GET", path, params={"filter": 'alertname=~".+"'})
    assert (
        preview["alerts"],
        preview["owners"],
    ) == (3, {"group:web": 1, "unowned": 1, "unplaced": 1})
    _, preview = await agent.ask("GET", path, params={"filter": "alertname=Down,service=db"})
    assert (preview["alerts"], preview["names"]) == (1, ["Down"])
    assert (await agent.ask("GET", path))[0] == 400


async def test_the_map_shows_health(agent: Running) -> None:
    """Entities have their health, and a neighbourhood shows both directions."""
    await agent.fire(DB)
    _, page = await agent.ask("GET", "/api/v1/map/entities?limit=1")
    assert (
        page["items"][0]["ref"],
        page["next"],
    ) == ("component:default/db", "component:default/db")
    _, around = await agent.ask("GET", "/api/v1/map/neighbourhood?ref=component:default/db")
    assert (around["entity"]["health"], around["entity"]["cost_per_hour"]) == ("down", 12_000)
    assert [entity["ref"] for entity in around["above"]] == ["component:default/shop"]
    assert (await agent.ask("GET", "/api/v1/map/neighbourhood?ref=x"))[0] == 404


async def test_the_agent_tells_of_itself(agent: Running) -> None:
    """Configuration by digest, metrics by route, readiness."""
    await agent.fire(DB)
    _, status = await agent.ask("GET", "/api/v1/config")
    assert (status["digest"], status["policy_digest"], status["alerts"]) == ("shop", "p1", 1)
    _, metrics = await agent.ask("GET", "/metrics")
    assert 'watchkeeper_intake_alerts_total{outcome="kept",source="alertmanager_v2"} 1.0' in metrics
    assert 'route="/api/v2/alerts",status="200"' in metrics
    assert await agent.ask("GET", "/-/ready") == (200, "OK")


async def test_everything_is_documented(agent: Running) -> None:
    """Each route stands in the OpenAPI document with words, and no name there stands for two."""
    _, document = await agent.ask("GET", "/api/openapi.json")
    assert document["openapi"] == "3.1.1"
    names = set()
    for route in API_ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        assert operation["summary"]
        assert operation["description"]
        assert bool(operation.get("requestBody")) == takes_body(route)
        names.add(operation["operationId"])
    assert len(API_ROUTES) == len(names)
    assert {"Incident", "ChangeView", "Problem"} <= set(document["components"]["schemas"])


def takes_body(route: Route) -> bool:
    return route.body is not None or route.takes_bytes


async def test_large_answers_come_in_slices(agent: Running) -> None:
    """Thousands of alerts are answered whole, as one list."""
    for start in range(0, 3000, 1000):
        await agent.fire(*({"alertname": "A", "n": str(n)} for n in range(start, start + 1000)))
    _, alerts = await agent.ask("GET", "/api/v2/alerts")
    assert len({alert["fingerprint"] for alert in alerts}) == 3000
    async with agent.client.head(agent.url + "/api/v2/alerts") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
