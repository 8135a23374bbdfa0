"""The end of a run's output, as far as a page shows it."""

from collections import deque

from agent.model.remediation import RunLine
from agent.web.site import History
from agent.web.views.changes import OUTPUT_LINES_MAX

QUERIES_MAX = 20
"""The store gives the oldest lines first and a bounded number at once; past this many queries the
page shows what it has."""


async def last_lines(store: History, run: str) -> list[RunLine]:
    """The newest lines of a run, oldest of them first."""
    kept: deque[RunLine] = deque(maxlen=OUTPUT_LINES_MAX)
    for _ in range(QUERIES_MAX):
        lines = await store.run_output(run, after=kept[-1].number if kept else 0)
        if not lines:
            break
        kept.extend(lines)
    return list(kept)
