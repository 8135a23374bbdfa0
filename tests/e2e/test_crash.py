"""Claims about sudden death of the whole agent between an alert and its closed ticket.

A story for each crash point: a service is down, its alert is posted again and again, the agent
dies at the point and is started again, and everything comes to its end. A few stories are told at
the same time, since most of one is waiting.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from agent.core.step import step
from agent.runtime.codec import digest_of
from agent.runtime.crashpoint import CRASH_POINTS
from agent.runtime.recovery import recover
from agent.runtime.snapshot import Snapshots
from tests.e2e.agent import Agent, eventually
from tests.e2e.company import Company, rule
from tests.e2e.desk import open_desk
from tests.e2e.sender import Sender

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORIES_AT_ONCE = 3
DEATH_S_MAX = 40.0
QUIET_S_MAX = 40.0
PASSES = {
    "loop.before_commit": 4,
    "loop.after_commit": 5,
    "perform.before": 3,
    "perform.after_before_ack": 2,
}
"""Which pass of a point is the one in the middle of things; elsewhere the first is."""
AT_THE_END = ("snapshot.before_replace", "shutdown.before_close")
"""Points that a stop in good order passes."""
NEVER_BEGUN = ("run.before_launch",)
LOST = ("run.before_launch", "run.after_launch", "run.before_finished")
"""Points at which a run is lost sight of for certain; its signal then says what it did."""
TICKETING = rule("Ticketing", "tickets", {"connector": "desk"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a story."""

    died: int
    """Exit code of the first life."""
    acknowledged: frozenset[str]
    """Services whose alert was answered in the first life."""
    remembered: frozenset[str]
    """Services that the second life knew of before anybody told it."""
    stopped: int
    """Exit code of the second life."""
    effects: tuple[str, ...]
    """What was done at the host."""
    closure: object
    reasons: tuple[str, ...]
    """The story of the change."""
    tickets: tuple[str, ...]
    """The status of every ticket at the tool."""
    left: tuple[str, ...]
    """Processes that outlived it all."""
    memory: str
    """Digest of what the second life remembered at its end."""
    replayed: str
    """Digest of what its journal says from the first entry on."""


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
            sending = asyncio.create_task(self.sender.run())
            try:
                if point in AT_THE_END:
                    await self.until_closed(agent)
                    return await agent.stop()
                return await agent.ended(limit_s=DEATH_S_MAX)
            finally:
                sending.cancel()

    async def until_quiet(self, agent: Agent) -> dict[str, object]:
        """The change, closed, with nothing left to do."""
        sending = asyncio.create_task(self.sender.run())
        try:
            change = await self.until_closed(agent)
            waiting = "watchkeeper_effects_waiting"
            await eventually(
                lambda: agent.metric(waiting), lambda left: left == 0, limit_s=QUIET_S_MAX
            )
            return change
        finally:
            sending.cancel()

    async def until_closed(self, agent: Agent) -> dict[str, object]:
        """The change, closed; a person mends the service if the agent lost sight of its run."""

        async def look() -> dict[str, object]:
            change = await agent.change()
            self.is_mended_by_hand = self.is_mended_by_hand or change["state"] == "unknown"
            return change

        closed = await eventually(look, lambda seen: seen["state"] == "closed", limit_s=QUIET_S_MAX)
        await eventually(agent.incidents, _are_over, limit_s=QUIET_S_MAX)
        return closed


def _are_over(incidents: list[dict[str, object]]) -> bool:
    return bool(incidents) and all(each["state"] == "closed" for each in incidents)


def _digest(company: Company, snapshots: Path) -> str:
    found = recover(company.data / "watchkeeper.db", Snapshots(snapshots), step)
    return digest_of(found.state)


async def _known(agent: Agent) -> frozenset[str]:
    """Services that an incident's alerts tell of."""
    details = [
        await agent.get(f"/api/v1/incidents/{each['id']}") for each in await agent.incidents()
    ]
    alerts = [each for detail in details for each in detail["alerts"]]
    return frozenset(each["labels"]["service"] for each in alerts)


async def _tell(point: str, folder: Path, room: asyncio.Semaphore) -> Told:
    async with room, open_desk() as desk:
        company = Company(folder=folder)
        company.found(TICKETING, connectors=[desk.connection()])
        story = Story(company)
        died = await story.until_killed(point)
        acknowledged = frozenset(story.sender.acknowledged)
        async with Agent(company) as agent:
            remembered = await _known(agent)
            change = await story.until_quiet(agent)
            detail = await agent.get(f"/api/v1/changes/{change['id']}")
            stopped = await agent.stop()
        return Told(
            died=died,
            acknowledged=acknowledged,
            remembered=remembered,
            stopped=stopped,
            effects=tuple(company.effects()),
            closure=change["closure"],
            reasons=tuple(each["reason"] for each in detail["timeline"]),
            tickets=tuple(each["status"]["name"] for each in desk.issues),
            left=tuple(company.processes()),
            memory=_digest(company, company.data / "snapshots"),
            replayed=_digest(company, folder / "none"),
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stories(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Mapping[str, asyncio.Task[Told]]]:
    """The stories of all points that are asked about, being told."""
    items = [each for each in request.session.items if isinstance(each, pytest.Function)]
    wanted = {each.callspec.params["point"] for each in items if each.path == Path(__file__)}
    room = asyncio.Semaphore(STORIES_AT_ONCE)
    telling = {
        point: asyncio.create_task(_tell(point, tmp_path_factory.mktemp("story"), room))
        for point in CRASH_POINTS
        if point in wanted
    }
    yield telling
    for task in telling.values():
        task.cancel()
    await asyncio.gather(*telling.values(), return_exceptions=True)


@pytest.mark.parametrize("point", CRASH_POINTS)
async def test_sudden_death_loses_nothing_and_repeats_nothing(
    point: str, stories: Mapping[str, asyncio.Task[Told]]
) -> None:
    """Killed at the point and started again: what was answered is there, the playbook was begun
    at most once, there is one ticket and it is closed, nothing lives on, and the memory is what
    the journal says."""
    told = await stories[point]

    assert (told.died, told.stopped) == (-signal.SIGKILL, 0)
    assert told.acknowledged <= told.remembered
    assert told.effects.count("begin web") <= (point not in NEVER_BEGUN)
    assert told.closure == "success"
    assert told.tickets == ("Closed",)
    assert told.left == ()
    assert told.memory == told.replayed
    assert point not in LOST or {"run_lost", "reconciled"} <= set(told.reasons)
