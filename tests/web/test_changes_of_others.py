"""What tools say of changes comes in once, signed or with a token, and people judge the match."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.web.conftest import SIGNING, Running

DB = {"alertname": "Down", "service": "db", "severity": "critical"}
HOOK = "/api/v1/webhooks/github"


def delivery(state: str, minutes_ago: int) -> bytes:
    """GitHub says how a deployment goes on."""
    at = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
    user = {"login": "anna"}
    return json.dumps(
        {
            "deployment": {
                **{"id": 1, "sha": "f95f852bd8f", "ref": "main", "environment": "production"},
                **{"creator": user, "created_at": at},
            },
            "deployment_status": {"state": state, "created_at": at},
            "repository": {"name": "db", "full_name": "acme/db"},
            "sender": user,
        }
    ).encode()


def signed(body: bytes, secret: str = SIGNING) -> dict[str, str]:
    """The headers of GitHub."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


async def post(agent: Running, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    return await agent.ask("POST", path, data=body, headers=headers)


async def test_a_signature_stands_for_a_token(guarded: Running) -> None:
    """Of the right secret over this very body; anything else is nobody."""
    body = delivery("success", 5)
    assert (await post(guarded, HOOK, body, signed(body)))[0] == 204
    assert (await post(guarded, HOOK, body + b" ", signed(body)))[0] == 401
    assert (await post(guarded, HOOK, body, signed(body, "guess")))[0] == 401
    assert (await post(guarded, HOOK, body, {}))[0] == 401
    assert (await post(guarded, HOOK, body, {"X-Hub-Signature-256": "sha256="}))[0] == 401
    assert list(guarded.loop.state.reported) == ["REP-1"]


async def test_a_secret_that_is_sent_is_compared(guarded: Running) -> None:
    """GitLab signs nothing and sends the secret itself."""
    body = json.dumps({"object_kind": "push"}).encode()
    path = "/api/v1/webhooks/gitlab"
    assert (await post(guarded, path, body, {"X-Gitlab-Token": SIGNING}))[0] == 204
    assert (await post(guarded, path, body, {"X-Gitlab-Token": "guess"}))[0] == 401


async def test_a_source_without_a_signature_wants_a_token(guarded: Running) -> None:
    """Also at PagerDuty's own path."""
    event = {"payload": {"summary": "Secret rotated", "timestamp": "2026-11-22T06:30:00Z"}}
    status, _ = await guarded.ask("POST", "/v2/change/enqueue", json=event)
    assert status == 401
    status, answer = await guarded.ask("POST", "/v2/change/enqueue", json=event, role="sender")
    assert (status, answer["status"]) == (202, "success")
    assert guarded.loop.state.reported["REP-1"].summary == "Secret rotated"


async def test_deliveries_of_one_deployment_are_one_change(agent: Running) -> None:
    """Repeats are not even written down; a payload that is none has its place."""
    for state, ago in (("in_progress", 6), ("success", 5), ("success", 5), ("in_progress", 6)):
        body = delivery(state, ago)
        assert (await post(agent, HOOK, body, signed(body)))[0] == 204
    status, page = await agent.ask("GET", "/api/v1/reported")
    (change,) = page["items"]
    assert (status, change["progress"], change["version"]) == (200, "succeeded", "main@f95f852")
    status, one = await agent.ask("GET", "/api/v1/reported/REP-1")
    assert one == change
    broken = b'{"repository": {"name": 7}}'
    status, problem = await post(agent, HOOK, broken, signed(broken))
    assert (status, problem["errors"][0]["where"]) == (400, "$.repository.name")
    assert (await agent.ask("GET", "/api/v1/reported/REP-9"))[0] == 404


async def test_a_suspect_is_shown_and_judged(agent: Running) -> None:
    """On the incident and in the story of what was changed."""
    body = delivery("success", 5)
    await post(agent, HOOK, body, signed(body))
    await agent.fire(DB)
    _, detail = await agent.ask("GET", "/api/v1/incidents/INC-1")
    assert [s["change"] for s in detail["incident"]["suspects"]] == ["REP-1"]
    path = "/api/v1/incidents/INC-1/suspects/REP-1/"
    status, incident = await agent.ask("POST", path + "confirm", role="operator", json={})
    assert (status, incident["suspects"][0]["judged_by"]) == (200, "operator-anna")
    status, incident = await agent.ask("POST", path + "dismiss", role="operator", json={})
    assert (status, incident["suspects"][0]["is_match"]) == (200, False)
    wrong = "/api/v1/incidents/INC-1/suspects/REP-9/confirm"
    assert (await agent.ask("POST", wrong, role="operator", json={}))[0] == 409
    _, story = await agent.ask("GET", "/api/v1/map/story?ref=component:default/db")
    assert [line["reason"] for line in story] == ["change_reported"]


async def test_what_is_beyond_a_limit_is_refused_whole(agent: Running) -> None:
    """Too many changes in one request, or one that is too long: nothing of it is kept."""
    path = "/api/v1/webhooks/json_changes"
    many = [{"id": str(number), "summary": "Deploy"} for number in range(101)]
    status, problem = await agent.ask("POST", path, json=many)
    assert (status, problem["errors"][0]["where"]) == (400, "$")
    labels = {f"l{number}": "x" * 1900 for number in range(9)}
    long = [{"id": "a", "summary": "Deploy"}, {"id": "b", "summary": "Deploy", "labels": labels}]
    status, problem = await agent.ask("POST", path, json=long)
    assert (status, problem["errors"][0]["where"]) == (400, "$[1]")
    assert agent.loop.state.reported == {}
