"""A ticketing tool that speaks as much of Redmine's API as our connector asks for.

It stands in where the agent dies on purpose, a dozen times over; the real Redmine has tests of its
own. Nothing here is lenient: there is no key against repeats, and what is created twice is there
twice.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from deploy.demo.programs import LOOPBACK

FIELD = 1
OURS = {"id": 7, "name": "watchkeeper"}
STATUSES = {1: "New", 2: "In Progress", 5: "Closed"}
OPTIONS = {
    "project": "ops",
    "external_id_field": FIELD,
    "statuses": {"open": ["New"], "in_progress": ["In Progress"], "resolved": ["Closed"]},
}

Issue = dict[str, Any]


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _named(status: int) -> dict[str, Any]:
    return {"id": status, "name": STATUSES[status], "is_closed": status == 5}


@dataclass(slots=True)
class Desk:
    """What the tool holds; `port` is where it listens."""

    port: int = 0
    issues: list[Issue] = field(default_factory=list)

    def connection(self, name: str = "desk") -> dict[str, Any]:
        """What config.yaml says about it."""
        return {
            "name": name,
            "type": "redmine",
            "url": f"http://{LOOPBACK}:{self.port}",
            "secret": "a-key-of-the-desk",
            "options": OPTIONS,
            "poll_every": "500ms",
            "requests_per_second": 200,
        }

    def application(self) -> web.Application:
        """The tool."""
        made = web.Application()
        made.add_routes(
            [
                web.get("/users/current.json", self._user),
                web.get("/issue_statuses.json", self._statuses),
                web.get("/issues.json", self._list),
                web.post("/issues.json", self._create),
                web.get(r"/issues/{number:\d+}.json", self._one),
                web.put(r"/issues/{number:\d+}.json", self._change),
            ]
        )
        return made

    async def _user(self, request: web.Request) -> web.Response:
        return web.json_response({"user": OURS})

    async def _statuses(self, request: web.Request) -> web.Response:
        return web.json_response({"issue_statuses": [_named(each) for each in STATUSES]})

    async def _list(self, request: web.Request) -> web.Response:
        wanted = request.query.get(f"cf_{FIELD}", "*")
        since = request.query.get("updated_on", "").removeprefix(">=")
        found = [
            each
            for each in self.issues
            if (wanted == "*" or each["custom_fields"][0]["value"] in wanted.split("|"))
            and each["updated_on"] >= since
        ]
        return web.json_response({"issues": found})

    async def _create(self, request: web.Request) -> web.Response:
        given = json.loads(await request.read())["issue"]
        issue = {
            "id": len(self.issues) + 1,
            "status": _named(1),
            "priority": {"id": 1, "name": "Normal"},
            "updated_on": _now(),
            "journals": [],
            **{name: given[name] for name in ("subject", "description", "custom_fields")},
        }
        self.issues.append(issue)
        return web.json_response({"issue": issue}, status=201)

    async def _one(self, request: web.Request) -> web.Response:
        return web.json_response({"issue": self._found(request)})

    async def _change(self, request: web.Request) -> web.Response:
        issue = self._found(request)
        given = json.loads(await request.read())["issue"]
        details = []
        if (status := given.get("status_id")) is not None:
            issue["status"] = _named(status)
            details = [{"property": "attr", "name": "status_id", "new_value": str(status)}]
        issue |= {name: given[name] for name in ("subject", "description") if name in given}
        issue["updated_on"] = _now()
        journal = {"id": 100 + sum(len(each["journals"]) for each in self.issues), "user": OURS}
        journal |= {"notes": given.get("notes"), "created_on": _now(), "details": details}
        issue["journals"].append(journal)
        return web.Response(status=204)

    def _found(self, request: web.Request) -> Issue:
        return self.issues[int(request.match_info["number"]) - 1]


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    """A tool that listens on a free loopback port."""
    desk = Desk()
    runner = web.AppRunner(desk.application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        desk.port = runner.addresses[0][1]
        yield desk
    finally:
        await runner.cleanup()
