"""A process of its own that appends and says what was acknowledged, for tests that kill it."""

import asyncio
import sys
from pathlib import Path

from agent.model.entry import IncidentCommented
from agent.runtime.loop import Loop
from tests.runtime.agents import StillClock, received, running

REQUESTS_AT_ONCE = 4


async def _append_for_ever(loop: Loop, first: int) -> None:
    number = first
    while True:
        await loop.append(IncidentCommented(incident="INC-1", text=f"{number}", by="anna"))
        await loop.append(received(number))
        print(number, flush=True)
        number += REQUESTS_AT_ONCE


async def _main(folder: Path) -> None:
    async with running(folder, StillClock()) as agent, asyncio.TaskGroup() as tasks:
        for first in range(REQUESTS_AT_ONCE):
            tasks.create_task(_append_for_ever(agent.loop, first))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
