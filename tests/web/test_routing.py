"""Which route answers: the table that every request is looked up in."""

from dataclasses import dataclass

import pytest
from aiohttp.test_utils import make_mocked_request

from agent.web.routing import Found, RoutingTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    method: str
    path: str


ALERTS = Address(method="POST", path="/alerts")
LIST = Address(method="GET", path="/alerts")
ONE = Address(method="GET", path="/alerts/{id}")
REMOVE = Address(method="DELETE", path="/alerts/{id}")
GROUPS = Address(method="GET", path="/alerts/groups")
OUTPUT = Address(method="GET", path="/runs/{id}/output/{line}")
TABLE = RoutingTable((ALERTS, LIST, ONE, REMOVE, GROUPS, OUTPUT))


def find(method: str, path: str) -> Found[Address]:
    return TABLE.find(make_mocked_request(method, path))


@pytest.mark.parametrize(
    ("method", "path", "route", "named"),
    [
        ("POST", "/alerts", ALERTS, {}),
        ("GET", "/alerts", LIST, {}),
        ("HEAD", "/alerts", LIST, {}),
        ("GET", "/alerts?filter=a%2Fb", LIST, {}),
        ("GET", "/%61lerts", LIST, {}),
        ("GET", "/alerts/groups", GROUPS, {}),
        ("DELETE", "/alerts/groups", REMOVE, {"id": "groups"}),
        ("GET", "/alerts/a%2Fb", ONE, {"id": "a/b"}),
        ("GET", "/alerts/a%252Fb", ONE, {"id": "a%2Fb"}),
        ("GET", "/alerts/%C3%A9", ONE, {"id": "é"}),
        ("GET", "/runs/RUN-1/output/7", OUTPUT, {"id": "RUN-1", "line": "7"}),
    ],
)
def test_finds_what_answers(method: str, path: str, route: Address, named: dict[str, str]) -> None:
    """Whole paths come before templates; names stand for exactly one decoded segment."""
    found = find(method, path)
    assert (route, route.path, named) == (found.route, found.template, dict(found.named))


@pytest.mark.parametrize(
    "path", ["/", "/alerts/", "/alerts//", "/alerts/a/b", "/Alerts", "/runs//output/7", "/{id}"]
)
def test_nobody_answers_what_is_not_routed(path: str) -> None:
    """A path that no route has is nobody's, and leaves no template for the metrics."""
    found = find("GET", path)
    assert (None, "", ()) == (found.route, found.template, found.allowed)


def test_says_which_methods_a_path_takes() -> None:
    """A known path asked with another method names all methods that it takes."""
    assert ("GET", "HEAD", "POST") == find("PUT", "/alerts").allowed
    assert ("DELETE", "GET", "HEAD") == find("PUT", "/alerts/groups").allowed


@pytest.mark.parametrize("route", [LIST, ONE])
def test_an_address_is_given_once(route: Address) -> None:
    """Two routes with one method and path are a mistake of ours, found at the start."""
    with pytest.raises(ValueError, match="two routes answer GET"):
        RoutingTable((route, route))
