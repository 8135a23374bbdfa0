"""Who may decide, by every way in: nobody on their own, no reader, no tool, no link."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.model.entry import ConfigLoaded, RunPrepared
from agent.model.policy import PolicyRule, Verdict
from agent.runtime.codec import digest_of
from agent.runtime.tokens import TokenRecord, mint
from agent.web.api import API_ROUTES
from agent.web.pages import page_routes
from agent.web.server import Listener
from tests.web.conftest import Running, shop_config

WISH = {
    "remediation": "restart",
    "entity": "component:default/db",
    "parameters": {"service": "db"},
    "type": "normal",
}
PEOPLE: Mapping[str, Mapping[str, object]] = {
    "cleo": {},
    "cleo-laptop": {"person": "cleo"},
    "cleopatra": {"person": "cleo"},
    "dora": {},
    "eve": {"roles": ("operator",)},
    "gus": {"scopes": ("owner:nobody",)},
    "robot": {"is_service": True},
}
"""Token names, with what is special about each; all are approvers else."""

OWN = ("cleo", "cleo-laptop", "cleopatra", "robot", "gus", "eve")

Way = Callable[["Board", str], Awaitable[int]]


class Board:
    """An agent with its API and console, and people who hold tokens."""

    def __init__(self, agent: Running, url: str, tokens: Mapping[str, str]) -> None:
        self.agent = agent
        self.url = url
        self.tokens = tokens

    async def ask(
        self, method: str, path: str, who: str, **given: object
    ) -> tuple[int, dict[str, object]]:
        """Status and JSON of an answer; empty for a page."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        async with self.agent.client.request(
            method, self.url + path, headers=headers, allow_redirects=False, **given
        ) as got:
            is_json = got.content_type.endswith("json")
            return got.status, await got.json(content_type=None) if is_json else {}

    async def request(self, who: str, entity: str = "db") -> str:
        """Somebody asks for a change; its id."""
        wish = {**WISH, "entity": f"component:default/{entity}", "parameters": {"service": entity}}
        status, change = await self.ask("POST", "/api/v1/changes", who, json=wish)
        assert (status, change["state"]) == (201, "awaiting_approval")
        return str(change["id"])

    def binding(self, change: str) -> str:
        """What would be approved."""
        return self.agent.loop.state.changes[change].binding

    def approvers(self, change: str) -> list[str]:
        """Who has approved."""
        return [one.by for one in self.agent.loop.state.changes[change].approvals]


@asynccontextmanager
async def at_board(agent: Running) -> AsyncIterator[Board]:
    """The agent with two approvals wanted, so that nothing runs while people talk."""
    config = shop_config()
    assert config.policy is not None
    rule = PolicyRule(
        name="ask", when="true", verdict=Verdict.NEEDS_APPROVAL, roles=("approver",), approvals=2
    )
    emergency = PolicyRule(
        name="emergency", when='change.type == "emergency"', verdict=Verdict.ALLOWED
    )
    policy = replace(config.policy, rules=(emergency, rule), digest="p2")
    await agent.loop.append(ConfigLoaded(config=replace(config, digest="board", policy=policy)))
    tokens = {}
    for name, special in PEOPLE.items():
        record: TokenRecord
        tokens[name], record = mint(name=name, roles=("approver",), at=agent.site.clock.now())
        agent.site.keyring.add(replace(record, **special))  # type: ignore[arg-type]
    listener = Listener(agent.site, (*API_ROUTES, *page_routes()), "127.0.0.1", 0)
    host, port = await listener.start()
    yield Board(agent, f"http://{host}:{port}", tokens)
    await listener.stop()


async def _approve(board: Board, who: str, change: str = "CHG-1") -> int:
    body = {"binding": board.binding(change)}
    return (await board.ask("POST", f"/api/v1/changes/{change}/approve", who, json=body))[0]


async def _in_bulk(board: Board, who: str) -> int:
    one = {"change": "CHG-1", "binding": board.binding("CHG-1"), "decision": "approve"}
    status, answers = await board.ask(
        "POST", "/api/v1/cab/decisions", who, json={"decisions": [one]}
    )
    assert status == 200
    return 200 if answers[0]["is_recorded"] else 409  # type: ignore[index]


async def _by_page(board: Board, who: str) -> int:
    form = {"decision": "approve", "binding": board.binding("CHG-1"), "note": ""}
    return (await board.ask("POST", "/changes/CHG-1/decide", who, data=form))[0]


async def _by_board_page(board: Board, who: str) -> int:
    form = {
        "change": "CHG-1",
        "binding": board.binding("CHG-1"),
        "decision": "approve",
        "note": "",
    }
    status, _ = await board.ask("POST", "/cab/decide", who, data=form)
    assert status == 200
    return 200 if board.approvers("CHG-1") else 409


async def _retro(board: Board, who: str) -> int:
    body = {"decision": "approve"}
    return (await board.ask("POST", "/api/v1/changes/CHG-1/retro", who, json=body))[0]


async def _retro_by_page(board: Board, who: str) -> int:
    return (await board.ask("POST", "/changes/CHG-1/retro", who, data={"decision": "approve"}))[0]


async def _asked(board: Board, *, is_emergency: bool) -> None:
    """A change of cleo's waits, or her emergency has started."""
    if not is_emergency:
        await board.request("cleo")
        return
    await board.agent.fire({"alertname": "Slow", "service": "db"})
    wish = {**WISH, "type": "emergency", "incident": "INC-1"}
    status, _ = await board.ask("POST", "/api/v1/changes", "cleo", json=wish)
    assert status == 201
    (asked,) = board.agent.loop.state.outbox.prepare.values()
    await board.agent.loop.append(
        RunPrepared(effect=asked.id, run=asked.spec.run, digest=asked.spec.digest)
    )


def _retro_of(board: Board) -> str | None:
    """Who has answered for it."""
    duty = board.agent.loop.state.changes["CHG-1"].retro
    return duty.by if duty else None


WAYS: Mapping[str, Way] = {
    "api": _approve,
    "bulk": _in_bulk,
    "console": _by_page,
    "board page": _by_board_page,
    "retro": _retro,
    "retro page": _retro_by_page,
}


async def _delegate(board: Board, giver: str, taker: str) -> str:
    ends = board.agent.site.clock.now() + timedelta(hours=1)
    body = {"to": taker, "ends_at": ends.isoformat()}
    status, made = await board.ask("POST", "/api/v1/delegations", giver, json=body)
    assert status == 201
    return str(made["id"])


@pytest.mark.parametrize("way", WAYS)
async def test_nobody_decides_on_their_own_by_any_way(agent: Running, way: str) -> None:
    """The requester by any token or name, who stands in for them, a tool, a role held elsewhere.

    Somebody else does, so that the claim can fail.
    """
    async with at_board(agent) as board:
        await _asked(board, is_emergency=way.startswith("retro"))
        await _delegate(board, "cleo", "eve")
        refused = [await WAYS[way](board, who) for who in OWN]
        assert refused == [409] * len(OWN)
        assert (board.approvers("CHG-1"), _retro_of(board)) == ([], None)
        assert await WAYS[way](board, "dora") in (200, 303)
        assert [*board.approvers("CHG-1"), _retro_of(board)] in (["dora", None], ["dora"])


async def test_a_delegate_decides_with_what_the_giver_holds_now(agent: Running) -> None:
    """Once the giver's token is gone nothing is lent; the list shows who stands in for whom."""
    async with at_board(agent) as board:
        await board.request("cleo")
        given = await _delegate(board, "dora", "eve")
        _, listed = await board.ask("GET", "/api/v1/delegations", "eve")
        assert [(one["id"], one["by"], one["to"]) for one in listed] == [(given, "dora", "eve")]  # type: ignore[index]
        keyring = board.agent.site.keyring
        record = next(one for one in keyring.records() if one.name == "dora")
        keyring.remove(record.id)
        assert await _approve(board, "eve") == 409
        keyring.add(record)
        assert await _approve(board, "eve") == 200
        assert await _approve(board, "dora") == 200
        assert board.agent.loop.state.changes["CHG-1"].state == "awaiting_approval"
        assert (await board.ask("DELETE", f"/api/v1/delegations/{given}", "eve"))[0] == 409
        assert (await board.ask("DELETE", f"/api/v1/delegations/{given}", "dora"))[0] == 204


async def test_nobody_delegates_to_a_tool_or_to_a_stranger(agent: Running) -> None:
    """It has to be somebody who holds a token as a person."""
    async with at_board(agent) as board:
        ends = (board.agent.site.clock.now() + timedelta(hours=1)).isoformat()
        for taker, status in (("robot", 409), ("nobody-known", 404), ("dora", 409)):
            body = {"to": taker, "ends_at": ends}
            assert (await board.ask("POST", "/api/v1/delegations", "dora", json=body))[0] == status


async def test_a_word_is_good_once_and_for_one_change(agent: Running) -> None:
    """Another change's binding, a second time, after a rejection: nothing more comes of it."""
    async with at_board(agent) as board:
        first, second = await board.request("cleo"), await board.request("cleo", "shop")
        body = {"binding": board.binding(first)}
        stray = await board.ask("POST", f"/api/v1/changes/{second}/approve", "dora", json=body)
        assert (stray[0], stray[1]["reason"]) == (409, "approval_void")
        assert [await _approve(board, "dora"), await _approve(board, "dora")] == [200, 200]
        assert board.approvers(first) == ["dora"]
        rejected = await board.ask("POST", f"/api/v1/changes/{first}/reject", "dora", json={})
        assert (rejected[0], rejected[1]["reason"]) == (409, "note_missing")
        no = {"note": "not now"}
        assert (await board.ask("POST", f"/api/v1/changes/{first}/reject", "dora", json=no))[
            0
        ] == 200
        assert await _approve(board, "dora") == 409


async def test_bulk_decisions_stand_each_for_itself(agent: Running) -> None:
    """One that is refused stops no other, and says why."""
    async with at_board(agent) as board:
        own, other = await board.request("dora"), await board.request("cleo", "shop")
        decisions = [
            {"change": own, "binding": board.binding(own), "decision": "approve"},
            {"change": "CHG-99", "binding": "x", "decision": "approve"},
            {"change": other, "binding": "stale", "decision": "reject", "note": "no"},
            {"change": other, "binding": board.binding(other), "decision": "approve"},
        ]
        _, answers = await board.ask(
            "POST", "/api/v1/cab/decisions", "dora", json={"decisions": decisions}
        )
        said = [(one["is_recorded"], one["reason"]) for one in answers]  # type: ignore[index]
        assert said == [
            (False, "self_approval"),
            (False, "not_found"),
            (False, "approval_void"),
            (True, None),
        ]


async def test_an_agenda_shows_what_a_decision_needs(agent: Running) -> None:
    """Of each change that waits in the period; and what is owed, and planned."""
    async with at_board(agent) as board:
        change = await board.request("cleo")
        _, agenda = await board.ask("GET", "/api/v1/cab/agenda?hours=24", "dora")
        (item,) = agenda["waiting"]  # type: ignore[misc]
        assert (item["change"], item["binding"]) == (change, board.binding(change))  # type: ignore[index]
        assert (item["approvals_missing"], item["roles"]) == (2, ["approver"])  # type: ignore[index]
        assert item["risk"]["inputs"] != []  # type: ignore[index]
        assert [one["change"] for one in agenda["schedule"]] == [change]  # type: ignore[attr-defined, index]
        assert agenda["owed"] == {"retro": [], "reviews": []}
        assert (await board.ask("GET", "/api/v1/cab/agenda?hours=never", "dora"))[0] == 400
        assert (await board.ask("GET", "/cab", "dora"))[0] == 200


async def test_no_reading_changes_anything(agent: Running) -> None:
    """Every GET and HEAD of API and console, as taken from the registry: scanners follow links."""
    async with at_board(agent) as board:
        await board.request("cleo")
        await board.agent.fire({"alertname": "Down", "service": "db"})
        safe = [route for route in (*API_ROUTES, *page_routes()) if route.is_safe]
        before = digest_of(agent.loop.state)
        for route in safe:
            path = route.path.replace("{id}", "CHG-1")
            path = path.replace("{", "").replace("}", "")
            for method in ("GET", "HEAD"):
                headers = {"Authorization": f"Bearer {board.tokens['dora']}"}
                async with agent.client.request(
                    method, board.url + path, headers=headers, allow_redirects=False
                ) as got:
                    assert got.status < 500, path
        assert (len(safe) > 50, digest_of(agent.loop.state)) == (True, before)
