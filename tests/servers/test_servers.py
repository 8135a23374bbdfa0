"""The real servers do what other tests rely on."""

from functools import partial
from typing import Any

import aiohttp
from playwright.async_api import async_playwright

from deploy.demo.hosts import Hosts
from tests.servers.ticketing import Redmine
from tests.servers.world import Recorder, StartAlertmanager, StartMonitoring

ALERT_S_MAX = 30.0
CHECKOUT = "curl -s -o /dev/null -w %{{http_code}} 127.0.0.1:{port}/checkout"


def claims(name: str, host: str) -> dict[str, str]:
    return {"alertname": name, "host": host, "cluster": "demo", "severity": "critical"}


def holds(alert: dict[str, Any], labels: dict[str, str]) -> bool:
    actual: dict[str, str] = alert["labels"]
    return labels.items() <= actual.items()


async def test_a_host_is_a_world_of_its_own(hosts: Hosts) -> None:
    """Each host has its own name, and none sees the people's files of the machine."""
    names = [await host.run("hostname; ls /home") for host in hosts.all]

    assert names == ["app1\n", "app2\n", "app3\n"]


async def test_checkout_needs_the_shared_redis(hosts: Hosts) -> None:
    """Stopping redis on app3 makes the checkout of app1 answer 503, starting it 200."""
    app1, app3 = hosts["app1"], hosts["app3"]
    ask = CHECKOUT.format(port=app1.http_port)

    await app3.run("service redis-server stop")
    without = await app1.run(ask)
    await app3.run("service redis-server start")
    with_redis = await app1.run(ask)

    assert (without, with_redis) == ("503", "200")


async def test_a_stopped_nginx_is_noticed_and_its_return_too(
    hosts: Hosts, monitoring: StartMonitoring, recorder: Recorder
) -> None:
    """Prometheus posts ServiceDown to an Alertmanager-like API, and later its end in the past."""
    down = claims("ServiceDown", "app1") | {"service": "nginx"}

    async with monitoring([recorder.address]):
        await hosts["app1"].run("service nginx stop")
        firing = await recorder.first_alert(lambda alert: holds(alert, down), limit_s=ALERT_S_MAX)
        await hosts["app1"].run("service nginx start")
        await recorder.first_alert(
            lambda alert: holds(alert, down) and alert["endsAt"] < firing["endsAt"],
            limit_s=ALERT_S_MAX,
        )

    assert {"/api/v2/alerts"} == {each.path for each in recorder.received}


async def test_a_stopped_redis_hurts_three_hosts(
    hosts: Hosts,
    monitoring: StartMonitoring,
    alertmanager: StartAlertmanager,
    recorder: Recorder,
) -> None:
    """Alertmanager's webhook tells of the dead redis and of both checkouts that need it."""
    expected = [
        claims("ServiceDown", "app3") | {"service": "redis"},
        claims("CheckoutFailing", "app1") | {"service": "checkout"},
        claims("CheckoutFailing", "app2") | {"service": "checkout"},
    ]

    async with (
        alertmanager(f"http://{recorder.address}/hook") as real,
        monitoring([real.address]),
    ):
        await hosts["app3"].run("service redis-server stop")
        alerts = [
            await recorder.first_alert(partial(holds, labels=labels), limit_s=ALERT_S_MAX)
            for labels in expected
        ]

    assert [alert["status"] for alert in alerts] == ["firing"] * 3


async def test_redmine_knows_both_people_and_the_external_id(redmine: Redmine) -> None:
    """A ticket made with one key is found by its external id, and the other person sees it."""
    ticket = {
        "project_id": redmine.project,
        "tracker_id": redmine.trackers["Bug"],
        "priority_id": redmine.priorities["Normal"],
        "subject": "nginx is down on app1",
        "custom_fields": [{"id": redmine.external_id_field, "value": "incident-1"}],
    }
    found = f"/issues.json?status_id=*&cf_{redmine.external_id_field}=incident-1"

    async with aiohttp.ClientSession(redmine.url) as session:
        ours = {"X-Redmine-API-Key": redmine.api_key}
        async with session.post("/issues.json", json={"issue": ticket}, headers=ours) as answer:
            created = await answer.json()
        theirs = {"X-Redmine-API-Key": redmine.human_api_key}
        async with session.get(found, headers=theirs) as answer:
            seen = await answer.json()

    assert [created["issue"]["id"]] == [each["id"] for each in seen["issues"]]
    assert seen["issues"][0]["author"]["name"] == "watchkeeper Test"


async def test_chromium_opens_a_page(chromium: str) -> None:
    """The installed Chromium is driven headless."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto("data:text/html,<title>here</title>")
        title = await page.title()
        await browser.close()

    assert title == "here"
