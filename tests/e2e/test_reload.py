"""Claims about taking over rules while alerts pour in."""

import asyncio

from tests.e2e.agent import Agent, eventually
from tests.e2e.company import Company, rule
from tests.e2e.sender import alert

RELOADS = 5
RELOAD_S_MAX = 10.0
SENDERS = 4


async def _pour(agent: Agent, number: int, posted: list[str], over: asyncio.Event) -> None:
    while not over.is_set():
        name = f"load-{number}-{len(posted)}"
        await agent.post("/api/v2/alerts", [alert(name, "Load")])
        posted.append(name)


async def test_no_alert_is_missed_while_rules_change(company: Company) -> None:
    """Five rule sets come into force one after the other, each between two entries: every alert
    that was posted meanwhile was taken, and is in an incident."""
    company.found()
    posted: list[str] = []
    digests: set[str] = set()
    over = asyncio.Event()
    async with Agent(company) as agent:
        digests.add((await agent.get("/api/v1/config"))["digest"])
        async with asyncio.TaskGroup() as group:
            for number in range(SENDERS):
                group.create_task(_pour(agent, number, posted, over))
            for minutes in range(1, RELOADS + 1):
                spec = {"match": 'alertname="Watchdog"', "within": f"{minutes}m"}
                company.write_rules("own", rule("Heartbeat", "beat", spec))
                status = await eventually(
                    lambda: agent.get("/api/v1/config"),
                    lambda seen: seen["digest"] not in digests,
                    limit_s=RELOAD_S_MAX,
                )
                digests.add(status["digest"])
            over.set()
        kept = await agent.get("/api/v2/alerts")
        groups = await agent.get("/api/v2/alerts/groups")

    assert len(digests) == RELOADS + 1
    assert len(posted) > RELOADS
    assert {each["labels"]["service"] for each in kept} == set(posted)
    assert sum(len(each["alerts"]) for each in groups if "incident" in each["labels"]) == len(
        posted
    )
