"""The map against the alerts and the monitoring, over HTTP: read by all, written by few."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from agent.config.load import load_settings
from agent.core.drift.memory import Episode
from agent.runtime.clock import SystemClock
from agent.runtime.discover import open_discoverer
from agent.web.api_suggestions import suggestions_of
from agent.web.auth import Access
from agent.web.views.suggestions import suggestions_view
from tests.runtime.edge import serving
from tests.web.conftest import Running, running

START = datetime(2026, 11, 1, tzinfo=UTC)
SHOP, DATABASE, SIGN = (f"component:default/{name}" for name in ("shop", "db", "sign"))


def remember(agent: Running) -> None:
    """Sign and shop fail together, the database alone, and one label set leads nowhere."""
    episodes = agent.loop.state.drift.episodes
    for day in range(30):
        onsets = {SIGN: 0.0, SHOP: 20.0} if day < 6 else {DATABASE: 0.0} if day < 14 else {"x": 0.0}
        at = START + timedelta(days=day)
        episodes.append(Episode(at=at, incidents=(f"INC-{day}",), onsets=onsets))


async def test_what_the_alerts_say_of_the_map(agent: Running) -> None:
    """Each list with its counts, over the API and in the words of the page."""
    await agent.fire({"alertname": "Down", "job": "ghost"})
    remember(agent)
    status, found = await agent.ask("GET", "/api/v1/map/suggestions")

    assert 200 == status
    (missing,), (silent,), (nowhere,) = found["missing"], found["silent"], found["nowhere"]
    assert (SHOP, SIGN, 6) == (missing["upper"], missing["lower"], missing["both"])
    assert (SHOP, DATABASE, 8) == (silent["upper"], silent["lower"], silent["failures"])
    assert (["job=ghost"], 1) == (nowhere["labels"], nowhere["alerts"])
    assert [DATABASE, SHOP] == found["never_heard"]
    suggestions = await suggestions_of(agent.site)
    view = suggestions_view(suggestions, agent.loop.state.config.service_map)
    assert ["shop may rest on sign"] == [row.claim for row in view.missing]
    assert ["shop did not suffer from db"] == [row.claim for row in view.silent]
    assert "db, shop" == view.never


async def test_before_anything_was_compared_the_page_claims_no_agreement(agent: Running) -> None:
    """What nobody knows is not called well: neither alerts nor map have said anything yet."""
    service_map = agent.loop.state.config.service_map
    before = suggestions_view(await suggestions_of(agent.site), service_map)
    remember(agent)
    after = suggestions_view(await suggestions_of(agent.site), service_map)
    assert (False, True) == (before.is_compared, after.is_compared)


PAGE = {
    "items": [
        {"kind": "Component", "metadata": {"name": "cart"}, "spec": {"type": "service"}},
        {"kind": "Component", "metadata": {"name": "cart\n- evil"}, "spec": {"type": "service"}},
    ],
    "pageInfo": {},
}


async def _catalogue(request: web.Request) -> web.StreamResponse:
    assert "/api/catalog/entities/by-query" == request.path
    assert "Bearer s3cret" == request.headers["Authorization"]
    return web.json_response(PAGE)


async def test_a_discovery_is_seen_first_and_then_written(tmp_path: Path) -> None:
    """Seen by whoever may ask for changes, written by an admin, and only what was seen."""
    (tmp_path / "rules" / "maps").mkdir(parents=True)
    async with serving(_catalogue) as port:
        config = tmp_path / "config.yaml"
        config.write_text(
            "connectors: [{name: cat, type: backstage, secret: s3cret, "
            f"url: 'http://127.0.0.1:{port}'}}]\n"
        )
        async with (
            open_discoverer(load_settings(config), SystemClock()) as discoverer,
            running(tmp_path, Access(is_loopback=True), discoverer=discoverer) as agent,
        ):
            path, wish = "/api/v1/map/discoveries", {"source": "cat"}
            assert 401 == (await agent.ask("POST", path, json=wish))[0]
            assert 403 == (await agent.ask("POST", path, role="viewer", json=wish))[0]
            nobody = await agent.ask("POST", path, role="operator", json={"source": "/etc"})
            assert 404 == nobody[0]
            status, seen = await agent.ask("POST", path, role="operator", json=wish)
            assert 200 == status
            assert ["component:default/cart", "component:default/cart---evil"] == [
                line["entity"] for line in seen["lines"]
            ]
            exactly = {**wish, "digest": seen["digest"]}
            writing = f"{path}/write"
            assert 403 == (await agent.ask("POST", writing, role="operator", json=exactly))[0]
            other = {**wish, "digest": "0" * 64}
            assert 409 == (await agent.ask("POST", writing, role="admin", json=other))[0]
            assert not (tmp_path / "rules" / "maps" / "discovered-cat.yaml").exists()
            status, done = await agent.ask("POST", writing, role="admin", json=exactly)
            assert (200, True) == (status, done["written"].endswith("discovered-cat.yaml"))
            assert (await agent.ask("POST", path, role="operator", json=wish))[1]["is_empty"]
