"""Whether a query holds, and how old the samples are that say so.

Prometheus stamps an answer with the moment of the question, although the samples behind it may be
minutes old. A verification must not be satisfied by what was measured before the run, so the ages
of the samples are asked for, too. Not here: what an answer leads to.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import promql_parser

from agent.connector import MetricsSource, QueryResult
from agent.errors import AgentError, PermanentError
from agent.runtime.client import Client
from agent.runtime.standing import Standing

SELECTORS_MAX = 8
TOOL = "prometheus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a query came to; `holds` is None where nobody knows."""

    holds: bool | None
    detail: str
    measured_at: datetime
    """Of the oldest sample behind it; of the answer where no sample is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prober:
    """Asks one metrics source."""

    source: MetricsSource
    client: Client
    standing: Standing

    async def query(self, text: str) -> QueryResult:
        """The query's value now. Raises what the client raises."""
        try:
            result = await self.client.drive(self.source.query(text))
        except PermanentError:
            # a query that is at fault says nothing against the tool
            self.standing.answered(TOOL)
            raise
        except AgentError as error:
            self.standing.failed(TOOL, str(error))
            raise
        self.standing.answered(TOOL)
        return result

    async def ask(self, text: str, now: datetime) -> Answer:
        """Whether the query gives something and all of it is other than zero."""
        result = await self.query(text)
        values = [series.samples[-1].value for series in result.series if series.samples]
        stamps = [series.samples[-1].at for series in result.series if series.samples]
        if result.warnings:
            detail = f"only a part answered: {'; '.join(result.warnings)[:300]}"
            return Answer(holds=None, detail=detail, measured_at=now)
        if not values:
            return Answer(holds=False, detail="no series", measured_at=now)
        shown = ", ".join(f"{value:g}" for value in values[:5])
        detail = f"{len(values)} series: {shown}"
        if any(map(math.isnan, values)):
            return Answer(holds=None, detail=detail, measured_at=min(stamps))
        measured_at = await self._measured_at(text, min(stamps))
        return Answer(holds=all(values), detail=detail, measured_at=measured_at)

    async def _measured_at(self, text: str, otherwise: datetime) -> datetime:
        oldest = otherwise
        for selector in selectors(text)[:SELECTORS_MAX]:
            for series in (await self.query(f"min(timestamp({selector}))")).series:
                oldest = min(oldest, datetime.fromtimestamp(series.samples[-1].value, UTC))
        return oldest


def selectors(text: str) -> list[str]:
    """The distinct series selectors of a query, as PromQL; none where it cannot be read."""
    try:
        return list(dict.fromkeys(_selectors(promql_parser.parse(text))))
    except ValueError:
        return []


def _selectors(node: object) -> Iterator[str]:
    if isinstance(node, promql_parser.VectorSelector):
        yield node.prettify()
    elif isinstance(node, promql_parser.MatrixSelector):
        yield node.vector_selector.prettify()
    elif isinstance(node, promql_parser.Call):
        for argument in node.args:
            yield from _selectors(argument)
    else:
        for part in ("lhs", "rhs", "expr"):
            if (below := getattr(node, part, None)) is not None:
                yield from _selectors(below)
