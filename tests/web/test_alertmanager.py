"""The Alertmanager API v2, held against what its own clients expect."""

import asyncio
from datetime import UTC, datetime, timedelta

from agent.model.entry import TimeElapsed
from agent.runtime.loop import ENTRIES_WAITING_MAX
from tests.web.conftest import Running

NOW = datetime.now(UTC)


def at(offset: timedelta) -> str:
    return (NOW + offset).isoformat()


def silence(**matchers: str) -> dict[str, object]:
    return {
        "matchers": [
            {"name": name, "value": value, "isRegex": False} for name, value in matchers.items()
        ],
        "startsAt": at(timedelta()),
        "endsAt": at(timedelta(hours=1)),
        "createdBy": "mallory",
        "comment": "deploying",
    }


async def test_alert_has_upstreams_shape(agent: Running) -> None:
    """An alert is answered with exactly the fields of upstream's `gettableAlert`."""
    await agent.fire({"alertname": "Down", "service": "db"})
    status, (alert,) = await agent.ask("GET", "/api/v2/alerts")
    assert status == 200
    assert {
        "annotations",
        "endsAt",
        "fingerprint",
        "receivers",
        "startsAt",
        "status",
        "updatedAt",
        "generatorURL",
        "labels",
    } == set(alert)
    assert alert["status"] == {
        "state": "active",
        "silencedBy": [],
        "inhibitedBy": [],
        "mutedBy": [],
    }
    assert alert["receivers"] == [{"name": "oncall"}]
    assert alert["labels"] == {"alertname": "Down", "service": "db"}


async def test_filters_choose(agent: Running) -> None:
    """Matchers in all four operators, bare, quoted and in braces; a bare one takes the rest."""
    await agent.fire(
        {"alertname": "Down", "service": "db"},
        {"alertname": "Slow", "service": "shop"},
        {"alertname": "Slow"},
    )
    chosen = {
        'service="db"': 1,
        "service=db": 1,
        '{service=~"d.|s.*",alertname!="Down"}': 1,
        'service=""': 1,
        'alertname!~"Sl.*"': 1,
        '{"service"="shop"}': 1,
        "service=db,alertname=Down": 0,
        '{service="db",alertname="Down"}': 1,
        "{}": 3,
        'ünicode!="x"': 3,
    }
    for text, expected in chosen.items():
        _, alerts = await agent.ask("GET", "/api/v2/alerts", params={"filter": text})
        assert (text, expected) == (text, len(alerts))


async def test_bad_filters_are_refused(agent: Running) -> None:
    """A filter that cannot be read is refused with 400 and never means 'everything'."""
    for text in ("service=~(", '{a="b"', "a", '{a="b" or c="d"}', 'foo{a="b"}', "=", "a=~[", "🤖"):
        status, problem = await agent.ask("GET", "/api/v2/alerts", params={"filter": text})
        assert (text, 400) == (text, status)
        assert problem["detail"]
    assert (await agent.ask("GET", "/api/v2/alerts", params={"active": "perhaps"}))[0] == 400
    assert (await agent.ask("GET", "/api/v2/alerts", params={"receiver": "("}))[0] == 400


async def test_a_silence_lives(agent: Running) -> None:
    """Made, seen on its alerts, changed in place, ended; by whom the token says, not the body."""
    await agent.fire({"alertname": "Down", "service": "db"})
    status, made = await agent.ask(
        "POST", "/api/v2/silences", role="operator", json=silence(service="db")
    )
    assert status == 200
    identifier = made["silenceID"]
    _, shown = await agent.ask("GET", f"/api/v2/silence/{identifier}")
    assert shown["createdBy"] == "operator-anna"
    assert shown["status"] == {"state": "active"}
    _, (alert,) = await agent.ask("GET", "/api/v2/alerts")
    assert ("suppressed", [identifier]) == (alert["status"]["state"], alert["status"]["silencedBy"])
    assert (await agent.ask("GET", "/api/v2/alerts?silenced=false"))[1] == []
    changed = {**silence(service="db"), "id": identifier, "comment": "longer"}
    _, again = await agent.ask("POST", "/api/v2/silences", role="operator", json=changed)
    assert identifier == again["silenceID"]
    assert (await agent.ask("DELETE", f"/api/v2/silence/{identifier}", role="operator"))[0] == 200
    _, (alert,) = await agent.ask("GET", "/api/v2/alerts")
    assert alert["status"]["state"] == "active"
    status, _ = await agent.ask("DELETE", f"/api/v2/silence/{identifier}", role="operator")
    assert status in (404, 409)


async def test_senseless_silences_are_refused(agent: Running) -> None:
    """What would mute everything, is over already, or has no end after its start, is refused."""
    good = silence(service="db")
    bad = (
        {**good, "matchers": []},
        {**good, "matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
        {**good, "matchers": [{"name": "a", "value": "(", "isRegex": True}]},
        {**good, "endsAt": at(timedelta(hours=-1)), "startsAt": at(timedelta(hours=-2))},
        {**good, "endsAt": good["startsAt"]},
        {**good, "approved_by": "root"},
    )
    for body in bad:
        status, _ = await agent.ask("POST", "/api/v2/silences", role="operator", json=body)
        assert (body, 400) == (body, status)
    assert (await agent.ask("GET", "/api/v2/silences"))[1] == []
    unknown = {**good, "id": "00000000-0000-0000-0000-000000000000"}
    assert (await agent.ask("POST", "/api/v2/silences", role="operator", json=unknown))[0] == 404


async def test_groups_are_incidents(agent: Running) -> None:
    """Alerts of one incident are one group, named by it."""
    await agent.fire(
        {"alertname": "Down", "service": "db"}, {"alertname": "Slow", "service": "shop"}
    )
    _, groups = await agent.ask("GET", "/api/v2/alerts/groups")
    assert [(group["labels"], group["receiver"], len(group["alerts"])) for group in groups] == [
        ({"incident": "INC-1"}, {"name": "oncall"}, 2)
    ]


async def test_status_is_what_amtool_wants(agent: Running) -> None:
    """The fields that upstream requires of `alertmanagerStatus` are there."""
    _, status = await agent.ask("GET", "/api/v2/status")
    assert {"cluster", "config", "uptime", "versionInfo"} == set(status)
    assert "receiver: 'oncall'" in status["config"]["original"]
    assert {"branch", "buildDate", "buildUser", "goVersion", "revision", "version"} == set(
        status["versionInfo"]
    )


async def test_a_batch_is_all_or_nothing(agent: Running) -> None:
    """One bad alert refuses its whole request, with index and reason; nothing of it is kept."""
    body = [{"labels": {"alertname": "A"}}, {"labels": {"alertname": "B", "bad name": "x"}}]
    status, problem = await agent.ask("POST", "/api/v2/alerts", json=body)
    assert status == 400
    assert "[1]" in problem["errors"][0]["where"]
    assert problem["errors"][0]["problem"]
    assert (await agent.ask("GET", "/api/v2/alerts"))[1] == []
    assert agent.taken("kept") == 0


async def test_webhook_and_api_give_one_alert(agent: Running) -> None:
    """An alert by webhook has the identity that it has by API."""
    labels = {"alertname": "Down", "service": "db"}
    starts = at(timedelta(minutes=-1))
    payload = {
        "version": "4",
        "status": "firing",
        "receiver": "watch",
        "alerts": [
            {
                "status": "firing",
                "labels": labels,
                "annotations": {},
                "startsAt": starts,
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": "ignored",
            }
        ],
    }
    status, _ = await agent.ask("POST", "/api/v1/webhooks/alertmanager", json=payload)
    assert status == 204
    await agent.ask("POST", "/api/v2/alerts", json=[{"labels": labels, "startsAt": starts}])
    assert len((await agent.ask("GET", "/api/v2/alerts"))[1]) == 1
    assert (agent.taken("kept"), agent.taken("repeated")) == (0, 1)
    assert (await agent.ask("POST", "/api/v1/webhooks/nobody", json={}))[0] == 404
    assert (await agent.ask("POST", "/api/v1/webhooks/alertmanager_v2", json=[]))[0] == 404


async def test_too_much_is_503_with_a_time(stuck: Running) -> None:
    """A full queue of the journal is said with 503 and Retry-After."""
    waiting = [
        asyncio.ensure_future(stuck.loop.append(TimeElapsed())) for _ in range(ENTRIES_WAITING_MAX)
    ]
    await asyncio.sleep(0)
    url = stuck.url + "/api/v2/alerts"
    async with stuck.client.post(url, json=[{"labels": {"alertname": "New"}}]) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert answer.content_type == "application/problem+json"
    for each in waiting:
        each.cancel()


async def test_a_guarded_source_must_show_its_token(agent: Running) -> None:
    """Where a source has a token, nobody speaks for it without one, on loopback neither."""
    path, payload = "/api/v1/webhooks/guarded", {"version": "4", "alerts": []}
    assert (await agent.ask("POST", path, json=payload))[0] == 401
    assert (await agent.ask("POST", path, role="sender", json=payload))[0] == 204
