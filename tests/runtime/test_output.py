"""Live output on its way to the history: gathered, written, and never a reason to stop."""

import asyncio
from pathlib import Path

from agent.model.remediation import RunLine
from agent.runtime.output import OutputWriter
from agent.runtime.store import Store
from tests.runtime.agents import START, running


def line(number: int, text: str) -> RunLine:
    """One line of a run."""
    return RunLine(run="RUN-1", number=number, at=START, text=text)


async def test_lines_that_cannot_be_kept_do_not_end_the_writer(tmp_path: Path) -> None:
    """Text that is no Unicode is dropped; what comes after it is kept."""
    async with running(tmp_path) as agent, asyncio.TaskGroup() as group:
        store = Store(agent.database)
        output = OutputWriter(store)
        writing = group.create_task(output.run())
        output.put(line(1, "\ud800"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        output.put(line(2, "fine"))
        writing.cancel()
        await asyncio.wait([writing])
        kept = await store.run_output("RUN-1")
    assert [(2, "fine")] == [(each.number, each.text) for each in kept]
