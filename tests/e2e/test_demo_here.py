"""Without own hosts the demonstration still shows the main job: recorded alerts, real runs."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from deploy.demo.agent_view import AgentView
from deploy.demo.fallback import play_here, raised_here
from deploy.demo.narrator import Narrator

PLAYED_S_MAX = 180.0


@pytest_asyncio.fixture
async def folder() -> AsyncIterator[Path]:
    """A short path: sockets live below it."""
    made = Path(tempfile.mkdtemp(prefix="demo-"))
    try:
        yield made
    finally:
        await asyncio.to_thread(shutil.rmtree, made)


async def test_each_recorded_failure_restarts_one_real_process(folder: Path) -> None:
    """Two failures, two verified incidents, and each stand-in was restarted exactly once."""
    narrator, began = Narrator(), datetime.now(UTC)
    async with asyncio.timeout(PLAYED_S_MAX), raised_here(folder, narrator) as world:
        await play_here(world, narrator)
        incidents = await asyncio.to_thread(AgentView(world.agent.url).incidents, began)
        restarts = {name: stand_in.restarts() for name, stand_in in world.stand_ins.items()}

    assert {"nginx": 1, "redis": 1} == restarts
    assert [
        ("component:default/nginx-app1", True),
        ("resource:default/redis", True),
    ] == [(incident.cause, incident.automated) for incident in incidents]
