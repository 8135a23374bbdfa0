"""Who is let in. Taken from the router: a new route is shut until somebody pins it open."""

from http import HTTPStatus

import aiohttp

from agent.web.api import API_ROUTES
from agent.web.permission import ROLES, Permission
from agent.web.routing import RoutingTable
from tests.web.conftest import Running

OPEN_TO_EVERYBODY = {
    ("GET", "/-/healthy"),
    ("HEAD", "/-/healthy"),
    ("GET", "/-/ready"),
    ("HEAD", "/-/ready"),
    ("POST", "/api/v1/session"),
}
"""Probes, and the door itself, which wants a token in its body."""


def path_of(template: str) -> str:
    return template.replace("{", "").replace("}", "")


def routed() -> set[tuple[str, str]]:
    """Everything that is answered, asked of the table that requests are looked up in."""
    return set(RoutingTable(API_ROUTES).served())


async def test_every_route_wants_credentials(guarded: Running) -> None:
    """Off loopback, whoever shows no token gets 401 everywhere but from the pinned few."""
    for method, template in sorted(routed() - OPEN_TO_EVERYBODY):
        status, _ = await guarded.ask(method, path_of(template))
        assert (method, template, 401) == (method, template, status)
    assert (await guarded.ask("POST", "/api/v1/session", json={"token": "wk_no"}))[0] == 401
    assert (await guarded.ask("GET", "/-/healthy"))[0] == 200


async def test_loopback_changes_nothing_without_a_token(agent: Running) -> None:
    """On loopback reading and intake are open; whatever else changes things is not."""
    for route in API_ROUTES:
        is_open = route.permission in (None, Permission.READ, Permission.INTAKE)
        status, _ = await agent.ask(route.method, path_of(route.path))
        assert (route.path, is_open) == (route.path, status != 401)


async def test_roles_reach_what_they_permit(guarded: Running) -> None:
    """Each role is refused with 403 exactly what its permissions do not name."""
    for role in guarded.tokens:
        for route in API_ROUTES:
            if (route.method, route.path) == ("DELETE", "/api/v1/tokens/{id}"):
                continue
            may = route.permission is None or route.permission in ROLES[role]
            status, _ = await guarded.ask(route.method, path_of(route.path), role=role)
            assert (role, route.path, may) == (role, route.path, status != 403)


async def test_a_wrong_token_is_never_nobody(agent: Running) -> None:
    """A token that is unknown is refused even where none is needed."""
    for given in (
        "Bearer wk_unknown",
        "Basic !!!",
        "Basic d2s6",
        "Digest x",
        "Bearer ",
        "B" * 5000,
    ):
        status, _ = await agent.ask("GET", "/api/v2/status", headers={"Authorization": given})
        assert (given, 401) == (given, status)


async def test_basic_password_is_a_token(guarded: Running) -> None:
    """Tools that only know basic authentication send the token as the password."""
    auth = aiohttp.encode_basic_auth("anybody", guarded.tokens["viewer"])
    status, who = await guarded.ask("GET", "/api/v1/session", headers={"Authorization": auth})
    assert (status, who["name"]) == (200, "viewer-anna")


async def test_proxies_and_strange_names_are_not_loopback(agent: Running) -> None:
    """Behind a proxy, or under a name that is not ours, everybody needs a token."""
    for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Host": "evil.example"}, {"Via": "1.1 x"}):
        status, _ = await agent.ask("GET", "/api/v2/status", headers=headers)
        assert (headers, 401) == (headers, status)


async def test_other_sites_cannot_make_a_browser_ask(agent: Running) -> None:
    """What a foreign page sends is refused on every route that changes anything, token or not."""
    foreign = (
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    )
    for route in API_ROUTES:
        for headers in foreign:
            if route.is_safe:
                continue
            status, _ = await agent.ask(
                route.method, path_of(route.path), role="admin", headers=headers
            )
            assert (route.path, 403) == (route.path, status)


async def test_a_session_needs_its_page(guarded: Running) -> None:
    """A cookie reads, but changes nothing without the session's own token; logging out ends it."""
    body = {"token": guarded.tokens["operator"]}
    async with guarded.client.post(guarded.url + "/api/v1/session", json=body) as opened:
        assert opened.status == 204
        (cookie,) = opened.cookies.values()
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)
    jar = {"Cookie": f"{cookie.key}={cookie.value}"}
    _, who = await guarded.ask("GET", "/api/v1/session", headers=jar)
    assert who["name"] == "operator-anna"
    body = {"matchers": []}
    status, _ = await guarded.ask("POST", "/api/v2/silences", headers=jar, json=body)
    assert status == 403
    with_page = {**jar, "X-CSRF-Token": who["csrf"]}
    status, _ = await guarded.ask("POST", "/api/v2/silences", headers=with_page, json=body)
    assert status == 400
    assert (await guarded.ask("DELETE", "/api/v1/session", headers=with_page))[0] == 204
    assert (await guarded.ask("GET", "/api/v1/session", headers=jar))[0] == 401


async def test_tokens_come_and_go(guarded: Running) -> None:
    """A token made by the API works until it is removed; only its digest is kept."""
    wish = {"name": "bob", "roles": ["viewer", "dba"]}
    status, made = await guarded.ask("POST", "/api/v1/tokens", role="admin", json=wish)
    assert status == HTTPStatus.CREATED
    bob = {"Authorization": f"Bearer {made['token']}"}
    assert (await guarded.ask("GET", "/api/v1/incidents", headers=bob))[0] == 200
    assert [record.name for record in await guarded.store.tokens()] == ["bob"]
    assert made["token"] not in str(await guarded.store.tokens())
    path = f"/api/v1/tokens/{made['record']['id']}"
    assert (await guarded.ask("DELETE", path, role="admin"))[0] == 204
    assert (await guarded.ask("GET", "/api/v1/incidents", headers=bob))[0] == 401
    assert await guarded.store.tokens() == ()


async def test_nobody_sets_what_is_ours(agent: Running) -> None:
    """Fields that a writable schema does not name are refused: actor, state, id, times."""
    await agent.fire({"alertname": "Down", "service": "db"})
    for stolen in ("by", "approved_by", "state", "id", "created_at", "roles"):
        status, problem = await agent.ask(
            "POST",
            "/api/v1/incidents/INC-1/comment",
            role="operator",
            json={"text": "x", stolen: "root"},
        )
        assert (400, f"$.{stolen}") == (status, problem["errors"][0]["where"])
