"""Which tools answer: said once when one goes away, once when it is back.

What asks a tool again and again (`poll:NAME`, `watch:NAME`) has a standing of its own: a query that
is at fault says nothing against the tool. Not here: what follows from an absence.
"""

from agent.runtime.log import logger
from agent.runtime.metrics import EffectMetrics

log = logger("standing")


class Standing:
    """What the last call to each tool came to."""

    def __init__(self, metrics: EffectMetrics) -> None:
        self._metrics = metrics
        self._away: dict[str, str] = {}

    def problem(self, tool: str) -> str | None:
        """Why it does not answer at present; None while it does."""
        return self._away.get(tool)

    def answered(self, tool: str) -> None:
        """It did what was asked, or refused it in its own words."""
        self._metrics.connectors.labels(tool).set(1)
        if self._away.pop(tool, None) is not None:
            log.info("tool_is_back", tool=tool)

    def failed(self, tool: str, problem: str) -> None:
        """It did not answer as it should."""
        self._metrics.connectors.labels(tool).set(0)
        if tool not in self._away:
            log.warning("tool_went_away", tool=tool, problem=problem)
        self._away[tool] = problem
