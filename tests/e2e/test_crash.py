"""Claims about sudden death of the whole agent between an alert and its closed ticket."""

import asyncio
import signal
from pathlib import Path

import pytest

from agent.core.step import step
from agent.runtime.codec import digest_of
from agent.runtime.crashpoint import CRASH_POINTS
from agent.runtime.recovery import recover
from agent.runtime.snapshot import Snapshots
from tests.e2e.agent import Agent, eventually
from tests.e2e.company import Company, rule
from tests.e2e.desk import Desk
from tests.e2e.sender import Sender

DEATH_S_MAX = 20.0
QUIET_S_MAX = 25.0
PASSES = {
    "loop.before_commit": 4,
    "loop.after_commit": 5,
    "perform.before": 3,
    "perform.after_before_ack": 2,
}
"""Which pass of a point is the one in the middle of things; elsewhere the first is."""
AT_THE_END = ("snapshot.before_replace", "shutdown.before_close")
"""Points that a stop in good order passes."""
TICKETING = rule("Ticketing", "tickets", {"connector": "desk"})


class Story:
    """One company whose service is down until it is mended, by the playbook or by a person."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.is_mended_by_hand = False
        self.sender = Sender(company, self.is_down)

    def is_down(self, service: str) -> bool:
        """The truth about the host."""
        return not self.is_mended_by_hand and f"end {service}" not in self.company.effects()

    async def until_killed(self, point: str) -> int:
        """The first life of the agent, that ends at the point; its exit code."""
        crash = f"{point}:{PASSES.get(point, 1)}"
        async with Agent(self.company, crash=crash) as agent:
            if point in AT_THE_END:
                await self.until_closed(agent)
                return await agent.stop()
            return await agent.ended(limit_s=DEATH_S_MAX)

    async def until_closed(self, agent: Agent) -> dict[str, object]:
        """The change, closed; a person mends the service if the agent lost sight of its run."""

        async def look() -> dict[str, object]:
            change = await agent.change()
            if change["state"] == "unknown":
                self.is_mended_by_hand = True
            return change

        closed = await eventually(look, lambda seen: seen["state"] == "closed", limit_s=QUIET_S_MAX)
        await eventually(agent.incidents, _are_over, limit_s=QUIET_S_MAX)
        return closed


def _are_over(incidents: list[dict[str, object]]) -> bool:
    return bool(incidents) and all(each["state"] == "closed" for each in incidents)


def _digest(data: Path, snapshots: Path) -> str:
    return digest_of(recover(data / "watchkeeper.db", Snapshots(snapshots), step).state)


@pytest.mark.parametrize("point", CRASH_POINTS)
async def test_sudden_death_loses_nothing_and_repeats_nothing(
    point: str, company: Company, desk: Desk
) -> None:
    """Killed at the point and started again: what was answered is there, the playbook was begun
    at most once, there is one ticket and it is closed, nothing lives on, and the memory is what
    the journal says."""
    company.found(TICKETING, connectors=[desk.connection()])
    story = Story(company)
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(story.sender.run())

        died = await story.until_killed(point)
        acknowledged = set(story.sender.acknowledged)
        async with Agent(company) as agent:
            incidents = await agent.incidents()
            change = await story.until_closed(agent)
            await eventually(
                lambda: agent.metric("watchkeeper_effects_waiting"),
                lambda seen: seen == 0,
                limit_s=QUIET_S_MAX,
            )
            stopped = await agent.stop()
        sending.cancel()

    assert (died, stopped) == (-signal.SIGKILL, 0)
    assert not acknowledged or [each["services"] for each in incidents] != []
    assert len([each for each in company.effects() if each == "begin web"]) <= 1
    assert change["closure"] == "success"
    assert [each["status"]["name"] for each in desk.issues] == ["Closed"]
    assert company.processes() == []
    assert _digest(company.data, company.data / "snapshots") == _digest(
        company.data, company.folder / "none"
    )
