"""A controller of job templates, written from the public API documents of AWX, version 2.

It keeps templates, a project, an inventory and jobs. A job goes one step on each time somebody
looks at it, unless it is held; faults are told beforehand.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "awx-token-3f2e1d0c9b8a"
REVISION = "a1" * 20
NEXT = {"pending": "running", "running": "successful"}
OVER = ("successful", "failed", "error", "canceled")


@dataclass
class Controller:
    """What it holds, and what goes wrong with it next."""

    hosts: dict[str, bool] = field(default_factory=lambda: {"app1": True, "app2": True})
    groups: set[str] = field(default_factory=lambda: {"web"})
    template: dict[str, Any] = field(
        default_factory=lambda: {
            "id": 12,
            "job_type": "run",
            "inventory": 3,
            "project": 4,
            "playbook": "remediations/play/playbook.yml",
            "scm_branch": "",
            "job_tags": "",
            "skip_tags": "",
            "survey_enabled": False,
            "ask_limit_on_launch": True,
            "ask_variables_on_launch": True,
            "ask_job_type_on_launch": True,
            "ask_diff_mode_on_launch": True,
        }
    )
    project: dict[str, Any] = field(
        default_factory=lambda: {"scm_revision": REVISION, "scm_update_on_launch": False}
    )
    jobs: dict[int, dict[str, Any]] = field(default_factory=dict)
    launches: list[dict[str, Any]] = field(default_factory=list)
    is_held: bool = False
    """Whether jobs stay as they are until cancelled."""
    is_stubborn: bool = False
    """Whether jobs go on when they are cancelled."""
    fails: bool = False
    plays: str = REVISION
    """The revision that jobs really play."""
    loses: int = 0
    """So many launches are taken, and never answered."""
    breaks: dict[str, list[int]] = field(default_factory=dict)
    """Statuses to answer next, by the beginning of `METHOD path`."""
    running: asyncio.Event = field(default_factory=asyncio.Event)

    def application(self) -> web.Application:
        """Its routes."""
        made = web.Application(middlewares=[self._door])
        made.router.add_get("/api/v2/job_templates/{id}/", self._template)
        made.router.add_post("/api/v2/job_templates/{id}/launch/", self._launch)
        made.router.add_get("/api/v2/projects/4/", self._project)
        made.router.add_get("/api/v2/inventories/3/hosts/", self._hosts)
        made.router.add_get("/api/v2/inventories/3/groups/", self._groups)
        made.router.add_get("/api/v2/jobs/", self._list)
        made.router.add_get("/api/v2/jobs/{id}/", self._job)
        made.router.add_get("/api/v2/jobs/{id}/job_events/", self._events)
        made.router.add_post("/api/v2/jobs/{id}/cancel/", self._cancel)
        return made

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"detail": "Authentication credentials..."}, status=401)
        for start, statuses in self.breaks.items():
            if statuses and f"{request.method} {request.path}".startswith(start):
                return web.json_response({"detail": "broken"}, status=statuses.pop(0))
        response: web.StreamResponse = await handler(request)
        return response

    async def _template(self, request: web.Request) -> web.Response:
        if int(request.match_info["id"]) != self.template["id"]:
            return web.json_response({"detail": "Not found."}, status=404)
        return web.json_response(self.template)

    async def _project(self, request: web.Request) -> web.Response:
        return web.json_response(self.project)

    async def _hosts(self, request: web.Request) -> web.Response:
        wanted = request.query["name__in"].split(",")
        found = [{"name": n, "enabled": e} for n, e in self.hosts.items() if n in wanted]
        return web.json_response({"count": len(found), "results": found})

    async def _groups(self, request: web.Request) -> web.Response:
        wanted = request.query["name__in"].split(",")
        found = [{"name": name} for name in sorted(self.groups) if name in wanted]
        return web.json_response({"count": len(found), "results": found})

    async def _launch(self, request: web.Request) -> web.StreamResponse:
        wish = await request.json()
        self.launches.append(wish)
        asked = {"limit": "limit", "extra_vars": "variables", "job_type": "job_type"}
        ignored = {k: wish[k] for k, ask in asked.items() if k in wish and not self._asks(ask)}
        number = 100 + len(self.jobs)
        self.jobs[number] = {
            "id": number,
            "unified_job_template": self.template["id"],
            "status": "pending",
            "job_type": wish.get("job_type", "run"),
            "limit": "" if "limit" in ignored else wish.get("limit", ""),
            # AWX keeps variables as text.
            "extra_vars": json.dumps(wish.get("extra_vars", {})),
            "scm_revision": "",
            "events": [],
        }
        if self.loses:
            self.loses -= 1
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"job": number, "ignored_fields": ignored}, status=201)

    def _asks(self, what: str) -> bool:
        return bool(self.template[f"ask_{what}_on_launch"])

    async def _list(self, request: web.Request) -> web.Response:
        wanted = int(request.query["unified_job_template"])
        found = [j for j in self.jobs.values() if j["unified_job_template"] == wanted]
        found = sorted(found, key=lambda job: -job["id"])[: int(request.query["page_size"])]
        return web.json_response({"count": len(found), "results": found})

    async def _job(self, request: web.Request) -> web.Response:
        job = self.jobs.get(int(request.match_info["id"]))
        if job is None:
            return web.json_response({"detail": "Not found."}, status=404)
        told = dict(job)
        if not (self.is_held and job["status"] == "running"):
            self._go_on(job)
        if job["status"] == "running":
            self.running.set()
        return web.json_response(told)

    def _go_on(self, job: dict[str, Any]) -> None:
        if job["status"] in OVER:
            return
        job["status"] = NEXT[job["status"]]
        job["scm_revision"] = self.plays
        if job["status"] != "running":
            job["status"] = "failed" if self.fails else job["status"]
            self._play(job)

    def _play(self, job: dict[str, Any]) -> None:
        hosts = [name for name in job["limit"].split(",") if name] or list(self.hosts)
        for host in hosts:
            result = {"changed": True, "diff": {"before": "old\n", "after": "new\n"}}
            about = {"host": host, "task": "write it", "task_action": "copy", "task_uuid": "1"}
            self._tell(job, "runner_on_ok", f"changed: [{host}]", about | {"res": result})
        kind = "failures" if self.fails else "changed"
        counts = dict.fromkeys(hosts, 1)
        self._tell(job, "playbook_on_stats", "PLAY RECAP", {kind: counts, "processed": counts})

    def _tell(self, job: dict[str, Any], event: str, text: str, about: dict[str, Any]) -> None:
        told = {"counter": len(job["events"]) + 1, "event": event, "stdout": text}
        job["events"].append(told | {"event_data": about})

    async def _events(self, request: web.Request) -> web.Response:
        after, size = int(request.query["counter__gt"]), int(request.query["page_size"])
        job = self.jobs[int(request.match_info["id"])]
        found = [event for event in job["events"] if event["counter"] > after][:size]
        return web.json_response({"count": len(found), "next": None, "results": found})

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self.jobs[int(request.match_info["id"])]
        if job["status"] in OVER:
            return web.json_response({"detail": 'Method "POST" not allowed.'}, status=405)
        if not self.is_stubborn:
            job["status"] = "canceled"
        return web.Response(status=202)


@asynccontextmanager
async def controller() -> AsyncIterator[tuple[Controller, int]]:
    """One on a free port of this machine."""
    made = Controller()
    runner = web.AppRunner(made.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield made, runner.addresses[0][1]
    finally:
        await runner.cleanup()
