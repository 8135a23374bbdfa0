"""Claims about tickets in a real Redmine, from the alert to the closed issue and back."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from deploy.demo.programs import LOOPBACK
from tests.e2e.agent import Agent, eventually
from tests.e2e.company import PATIENT, Company, rule
from tests.e2e.sender import alert, moment
from tests.servers.faulty import FaultyProxy, faulty_proxy
from tests.servers.ticketing import Redmine

pytestmark = pytest.mark.asyncio(loop_scope="session")

TICKETING = rule("Ticketing", "tickets", {"connector": "desk"})
POLL_EVERY_S = 1.0
TICKET_S_MAX = 30.0
POLLS_WATCHED = 4

Issue = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works in Redmine."""

    redmine: Redmine
    session: aiohttp.ClientSession

    async def issues(self, incident: str, folder: Path) -> list[Issue]:
        """All issues of an incident of the agent in this folder, in full."""
        field = self.redmine.external_id_field
        found = await self._get(f"/issues.json?status_id=*&cf_{field}=~{incident}@&limit=100")
        return [
            (await self._get(f"/issues/{each['id']}.json?include=journals"))["issue"]
            for each in found["issues"]
            if folder.name in each["subject"]
        ]

    async def write(self, issue: Issue, **changes: Any) -> None:
        """Change an issue as a person does."""
        path = f"/issues/{issue['id']}.json"
        async with self.session.put(path, json={"issue": changes}) as answer:
            assert answer.status == 204, await answer.text()

    async def _get(self, path: str) -> Any:
        async with self.session.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@pytest_asyncio.fixture(loop_scope="session")
async def alex(redmine: Redmine) -> AsyncIterator[Person]:
    """Alex, who works in Redmine and not here."""
    headers = {"X-Redmine-API-Key": redmine.human_api_key}
    async with aiohttp.ClientSession(redmine.url, headers=headers) as session:
        yield Person(redmine, session)


@asynccontextmanager
async def _in_service(
    redmine: Redmine, company: Company, *more: dict[str, Any]
) -> AsyncIterator[FaultyProxy]:
    """A company with that Redmine, behind a proxy that can be cut, and more of its documents."""
    port = urlsplit(redmine.url).port
    assert port is not None
    async with faulty_proxy(port, lose=b"POST /issues.json", times=0) as proxy:
        connection = {
            "name": "desk",
            "type": "redmine",
            "url": f"http://{LOOPBACK}:{proxy.port}",
            "secret": redmine.api_key,
            "poll_every": f"{POLL_EVERY_S:.0f}s",
            "requests_per_second": 100,
            "timeout": "5s",
            "options": {
                "project": redmine.project,
                "external_id_field": redmine.external_id_field,
                "statuses": {
                    "open": ["New"],
                    "in_progress": ["In Progress"],
                    "resolved": ["Resolved", "Closed"],
                },
            },
        }
        company.found(TICKETING, *more, connectors=[connection], services=(company.folder.name,))
        yield proxy


async def _fire(agent: Agent, *, ends: bool = False) -> None:
    """Say that the service of the company, which has the name of its folder, is slow, or not."""
    more = {"endsAt": moment(datetime.now(UTC))} if ends else {}
    await agent.post("/api/v2/alerts", [alert(agent.company.folder.name, "Slow", **more)])


async def _agreed(agent: Agent) -> None:
    """Our own first write is over: a word that falls into the middle of it would be overwritten."""
    await eventually(lambda: _linked(agent), bool, limit_s=TICKET_S_MAX)


async def _linked(agent: Agent) -> list[object]:
    found = await agent.get("/api/v1/incidents/INC-1")
    return list(found["incident"]["tickets"])


async def _one(alex: Person, company: Company) -> Issue:
    """The one issue, once it is there."""
    issues = await eventually(
        lambda: alex.issues("INC-1", company.folder), bool, limit_s=TICKET_S_MAX
    )
    assert len(issues) == 1
    return issues[0]


async def _until(alex: Person, company: Company, status: str) -> Issue:
    """The issue, once it has this status."""
    issues = await eventually(
        lambda: alex.issues("INC-1", company.folder),
        lambda seen: [each["status"]["name"] for each in seen] == [status],
        limit_s=TICKET_S_MAX,
    )
    return issues[0]


async def _texts(agent: Agent) -> list[str]:
    """What the incident's story says that people said."""
    story = (await agent.get("/api/v1/incidents/INC-1"))["timeline"]
    return [each["text"] for each in story if each["reason"] == "commented"]


async def _state(agent: Agent) -> str:
    return str((await agent.get("/api/v1/incidents/INC-1"))["incident"]["state"])


async def test_both_sides_say_the_same(redmine: Redmine, alex: Person, company: Company) -> None:
    """A comment there is told here and one here is told there, once each; closing here closes
    there; over several polls nothing comes back as an echo."""
    async with _in_service(redmine, company), Agent(company) as agent:
        await _fire(agent)
        issue = await _one(alex, company)
        await alex.write(issue, notes="Looking at it.")
        await eventually(lambda: _texts(agent), bool, limit_s=TICKET_S_MAX)
        await agent.post("/api/v1/incidents/INC-1/comment", {"text": "The disk is full."})
        await _fire(agent, ends=True)
        issue = await _until(alex, company, "Resolved")
        entries = await agent.entries()
        await _polls(agent, POLLS_WATCHED)
        texts, grown = await _texts(agent), await agent.entries() - entries
        (after,) = await alex.issues("INC-1", company.folder)

    notes = [each["notes"] for each in after["journals"] if each["notes"]]
    assert texts == ["Looking at it.", "The disk is full."]
    assert [note.count("The disk is full.") for note in notes] == [0, 1]
    assert len(after["journals"]) == len(issue["journals"])
    assert grown <= 2


async def _polls(agent: Agent, count: int) -> None:
    """Wait for as many requests of the connector as so many polls make at least."""
    before = await agent.metric("watchkeeper_connector_requests_total")
    await eventually(
        lambda: agent.metric("watchkeeper_connector_requests_total"),
        lambda now: now >= before + count,
        limit_s=TICKET_S_MAX,
    )


async def test_closing_there_resolves_here(
    redmine: Redmine, alex: Person, company: Company
) -> None:
    """A person closes the issue: the incident is resolved, and says by whom."""
    async with _in_service(redmine, company, PATIENT), Agent(company) as agent:
        await _fire(agent)
        issue = await _one(alex, company)
        await _agreed(agent)
        await alex.write(issue, status_id=redmine.statuses["Closed"])
        await eventually(lambda: _state(agent), lambda state: state != "open", limit_s=TICKET_S_MAX)
        story = (await agent.get("/api/v1/incidents/INC-1"))["timeline"]
        await _polls(agent, POLLS_WATCHED)
        (after,) = await alex.issues("INC-1", company.folder)

    told = [each["text"] for each in story if each["reason"] == "resolved_by_ticket"]
    assert len(told) == 1
    assert "alex" in told[0]
    assert after["status"]["name"] == "Closed"


async def test_closing_there_while_it_fires_lasts_for_the_quiet_time(
    redmine: Redmine, alex: Person, company: Company
) -> None:
    """Closed over an alert that goes on firing: after the quiet time both sides are open again."""
    async with _in_service(redmine, company), Agent(company) as agent:
        await _fire(agent)
        issue = await _one(alex, company)
        await _agreed(agent)
        await alex.write(issue, status_id=redmine.statuses["Closed"])
        await eventually(lambda: _reopened(agent), bool, limit_s=TICKET_S_MAX)
        after = await _until(alex, company, "New")

    assert after["id"] == issue["id"]


async def _reopened(agent: Agent) -> int:
    return int((await agent.get("/api/v1/incidents/INC-1"))["incident"]["reopened"])


async def test_redmine_away_during_an_incident(
    redmine: Redmine, alex: Person, company: Company
) -> None:
    """It answers nothing when the incident begins, then loses the answer to the create: once it
    is back there is one ticket, and it tells how things stand."""
    async with _in_service(redmine, company) as proxy, Agent(company) as agent:
        proxy.lose, proxy.times = b"", 3
        await _fire(agent)
        await eventually(_lost(proxy), lambda lost: lost == 3, limit_s=TICKET_S_MAX)
        proxy.lose, proxy.times = b"POST /issues.json", 4
        await eventually(_lost(proxy), lambda lost: lost == 4, limit_s=TICKET_S_MAX)
        await _one(alex, company)
        await _fire(agent, ends=True)
        await _until(alex, company, "Resolved")
        issues = await alex.issues("INC-1", company.folder)

    assert len(issues) == 1


def _lost(proxy: FaultyProxy) -> Any:
    async def look() -> int:
        return proxy.lost

    return look


async def test_killed_between_create_and_answer(
    redmine: Redmine, alex: Person, company: Company
) -> None:
    """The agent dies with a ticket that only Redmine knows of; the next one finds it."""
    async with _in_service(redmine, company):
        async with Agent(company, crash="ticket.after_create:1") as agent:
            await _fire(agent)
            died = await agent.ended(limit_s=TICKET_S_MAX)
        async with Agent(company) as agent:
            incident = await eventually(
                lambda: agent.get("/api/v1/incidents/INC-1"),
                lambda seen: seen["incident"]["tickets"],
                limit_s=TICKET_S_MAX,
            )
            await asyncio.sleep(POLL_EVERY_S)
            issues = await alex.issues("INC-1", company.folder)

    (link,) = incident["incident"]["tickets"]
    assert died == -signal.SIGKILL
    assert [str(each["id"]) for each in issues] == [link["ref"]]
