"""An agent's loop on a folder of a test, with a clock that stands still until it is moved."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from agent.core.step import step
from agent.model.alert import Alert
from agent.model.effect import Effect
from agent.model.entry import AgentStarted, AlertsReceived
from agent.model.labels import fingerprint
from agent.runtime.database import Database
from agent.runtime.loop import JournalError, Loop
from agent.runtime.metrics import LoopMetrics
from agent.runtime.migrate import migrate
from agent.runtime.ownership import check, take_over
from agent.runtime.recovery import Recovered, Step, recover
from agent.runtime.snapshot import Snapshots

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class StillClock:
    """Shows the moment that a test set."""

    def __init__(self) -> None:
        self.at = START
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def move(self, step: timedelta) -> None:
        self.at += step
        self.seconds += step.total_seconds()


def own(path: Path) -> Database:
    """A database that this process has taken over."""
    return Database(path, partial(check, number=take_over(path)))


class Running:
    """A loop at work, and everything around it that a test looks at."""

    def __init__(self, folder: Path, clock: StillClock, how: Step) -> None:
        migrate(folder / "watchkeeper.db")
        owner = take_over(folder / "watchkeeper.db")
        self.snapshots = Snapshots(folder / "snapshots")
        self.recovered: Recovered = recover(folder / "watchkeeper.db", self.snapshots, how)
        self.database = Database(folder / "watchkeeper.db", partial(check, number=owner))
        self.performed: list[Effect] = []
        self.registry = CollectorRegistry()
        self.loop = Loop(
            recovered=self.recovered,
            database=self.database,
            snapshots=self.snapshots,
            clock=clock,
            step=how,
            perform=self.performed.append,
            metrics=LoopMetrics(self.registry),
        )


@asynccontextmanager
async def running(
    folder: Path, clock: StillClock | None = None, how: Step = step
) -> AsyncIterator[Running]:
    """A loop from what the folder holds; stopped in good order at the end, if it still works."""
    agent = Running(folder, clock or StillClock(), how)
    try:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(_run(agent.loop))
            last_alive = agent.recovered.last_alive
            await agent.loop.append(AgentStarted(version="test", last_alive=last_alive))
            yield agent
            agent.loop.stop()
            await task
    finally:
        agent.database.close()


async def _run(loop: Loop) -> None:
    try:
        await loop.run()
    except JournalError:
        return


def alert(number: int, *, at: datetime = START, resolved: bool = False, **more: str) -> Alert:
    """Some alert; the same number is the same alert."""
    labels = {"alertname": "Down", "instance": f"host-{number}", "severity": "critical", **more}
    return Alert(
        fingerprint=fingerprint(labels),
        labels=labels,
        annotations={"summary": "it is down"},
        starts_at=at,
        ends_at=at if resolved else None,
        expires_at=None if resolved else at + timedelta(minutes=5),
    )


def received(*numbers: int, at: datetime = START) -> AlertsReceived:
    """These alerts in one request."""
    return AlertsReceived(source="test", alerts=tuple(alert(number, at=at) for number in numbers))
