"""Figures of problems: how often, how long, how dear, rising or falling, and which one first.

Told from the occurrences that a problem remembers (the newest hundred), so every figure can be
traced to incidents. What to do about them is not said here.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.model.problem import Occurrence, Problem

WEEK = timedelta(days=7)
WEEKS = 12
"""How far back incidents a week and the trend look."""
SURE = 0.1
"""A trend is told when chance alone would bring as much in fewer cases than this."""
FAILURES_MIN = 3
"""Below this many, a mean time says nothing."""


class Trend(StrEnum):
    """Whether incidents come more often than before."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    """Neither can be told from chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFigures:
    """One problem in figures, and its place among all."""

    problem: str
    incidents: int
    """So many are remembered."""
    per_week: tuple[int, ...]
    """Incidents that began in each of the last weeks, the oldest week first."""
    trend: Trend
    chance: float
    """How often chance alone would bring a difference between the halves as large as this."""
    mean_time_between_failures: timedelta | None
    """From the end of one incident to the beginning of the next; None below three incidents."""
    downtime: timedelta
    cost: float | None
    """None where the map names no cost for anybody it hit."""
    since_fix: int | None
    """Incidents since it was resolved; None while it is not."""
    rank: int
    """1 is the dearest; without costs, the longest down."""
    share: float
    """Of all downtime cost, or downtime, 0 to 1."""
    cumulative: float
    """Share of this and everything that ranks before it."""


def figures(problems: Iterable[Problem], now: datetime) -> tuple[ProblemFigures, ...]:
    """All of them in Pareto's order: what is worth mending first stands first."""
    known = list(problems)
    by_cost = any(_cost(one) is not None for one in known)

    def weight(problem: Problem) -> float:
        return (_cost(problem) or 0.0) if by_cost else _downtime(problem).total_seconds()

    def order(problem: Problem) -> tuple[float, float, str]:
        return -weight(problem), -_downtime(problem).total_seconds(), problem.id

    total = sum(map(weight, known))
    found: list[ProblemFigures] = []
    before = 0.0
    for rank, problem in enumerate(sorted(known, key=order), 1):
        share = weight(problem) / total if total else 0.0
        before += share
        found.append(_figures(problem, now, rank=rank, share=share, cumulative=min(before, 1.0)))
    return tuple(found)


def trend_of(per_week: Sequence[int]) -> tuple[Trend, float]:
    """Whether the newer half of the weeks has more incidents than the older one, or fewer.

    The exact conditional test of two Poisson rates (Przyborowski and Wilenski 1940): under equal
    rates each incident falls into either half like a coin. Two-sided; answers with the chance.
    """
    half = len(per_week) // 2
    older, newer = sum(per_week[:half]), sum(per_week[len(per_week) - half :])
    count = older + newer
    tail = sum(math.comb(count, k) for k in range(min(older, newer) + 1)) / 2**count
    chance = min(1.0, 2 * tail)
    if chance >= SURE:
        return Trend.STEADY, chance
    return (Trend.RISING if newer > older else Trend.FALLING), chance


def weekly(occurrences: Sequence[Occurrence], now: datetime, weeks: int = WEEKS) -> tuple[int, ...]:
    """Incidents that began in each of the last weeks, the oldest week first."""
    counts = [0] * weeks
    for one in occurrences:
        ago = (now - one.started_at) // WEEK
        if 0 <= ago < weeks:
            counts[weeks - 1 - ago] += 1
    return tuple(counts)


def mean_time_between_failures(occurrences: Sequence[Occurrence]) -> timedelta | None:
    """The mean time in service between two incidents (ITIL 4)."""
    ordered = sorted(occurrences, key=lambda one: one.started_at)
    if len(ordered) < FAILURES_MIN:
        return None
    up = timedelta()
    over = ordered[0].ended_at
    for one in ordered[1:]:
        up += max(one.started_at - over, timedelta())
        over = max(over, one.ended_at)
    return up / (len(ordered) - 1)


def _figures(
    problem: Problem, now: datetime, *, rank: int, share: float, cumulative: float
) -> ProblemFigures:
    per_week = weekly(problem.occurrences, now)
    trend, chance = trend_of(per_week)
    fixed = problem.resolved_at
    since = sum(one.started_at > fixed for one in problem.occurrences) if fixed else None
    return ProblemFigures(
        problem=problem.id,
        incidents=len(problem.incidents),
        per_week=per_week,
        trend=trend,
        chance=round(chance, 4),
        mean_time_between_failures=mean_time_between_failures(problem.occurrences),
        downtime=_downtime(problem),
        cost=_cost(problem),
        since_fix=since,
        rank=rank,
        share=round(share, 4),
        cumulative=round(cumulative, 4),
    )


def _downtime(problem: Problem) -> timedelta:
    return sum((one.downtime for one in problem.occurrences), timedelta())


def _cost(problem: Problem) -> float | None:
    costs = [one.cost for one in problem.occurrences if one.cost is not None]
    return sum(costs) if costs else None
