"""Figures of problems: each can be worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.problem import Occurrence, Problem, ProblemState
from agent.model.reason import Reason
from agent.reporting.problems import (
    Trend,
    figures,
    mean_time_between_failures,
    trend_of,
    weekly,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def occurrence(days_ago: float, minutes: float = 30, cost: float | None = None) -> Occurrence:
    """An incident so long ago, that lasted so long."""
    at = NOW - timedelta(days=days_ago)
    return Occurrence(
        incident=f"INC-{days_ago}",
        started_at=at,
        ended_at=at + timedelta(minutes=minutes),
        cost=cost,
    )


def problem(
    number: int, *occurrences: Occurrence, resolved_days_ago: float | None = None
) -> Problem:
    """A problem with these."""
    fixed = None if resolved_days_ago is None else NOW - timedelta(days=resolved_days_ago)
    return Problem(
        id=f"PRB-{number}",
        state=ProblemState.OPEN,
        title="It fails",
        opened_at=NOW,
        signature="x",
        cause=None,
        incidents=tuple(one.incident for one in occurrences),
        reason=Reason.RECURRED,
        occurrences=occurrences,
        resolved_at=fixed,
    )


def test_the_dearest_comes_first_with_its_share() -> None:
    """Pareto: rank, share, and what all before it make together."""
    found = figures(
        [
            problem(1, occurrence(3, cost=100.0)),
            problem(2, occurrence(2, cost=500.0), occurrence(1, cost=250.0)),
            problem(3, occurrence(9, minutes=900)),
            problem(4, occurrence(5, cost=150.0)),
        ],
        NOW,
    )
    assert [("PRB-2", 0.75, 0.75), ("PRB-4", 0.15, 0.9), ("PRB-1", 0.1, 1.0), ("PRB-3", 0, 1)] == [
        (one.problem, one.share, one.cumulative) for one in found
    ]
    assert [1, 2, 3, 4] == [one.rank for one in found]
    assert [750.0, 150.0, 100.0, None] == [one.cost for one in found]


def test_without_costs_the_longest_down_comes_first() -> None:
    """And of none there is no share."""
    found = figures([problem(1, occurrence(1, 10)), problem(2, occurrence(1, 30))], NOW)
    assert [("PRB-2", 0.75), ("PRB-1", 0.25)] == [(one.problem, one.share) for one in found]
    assert [0.0] == [one.share for one in figures([problem(1)], NOW)]


def test_mean_time_between_failures_is_time_in_service() -> None:
    """From the end of one to the beginning of the next; overlaps count nothing; two say nothing."""
    day = 24 * 60
    seen = [occurrence(10, day), occurrence(7, day), occurrence(4, day)]
    assert mean_time_between_failures(seen) == timedelta(days=2)
    assert mean_time_between_failures(seen[:2]) is None
    overlapping = [occurrence(10, 3 * day), occurrence(9, day), occurrence(4, day)]
    assert mean_time_between_failures(overlapping) == timedelta(days=1.5)


def test_weeks_are_counted_back_from_now() -> None:
    """The oldest first; what is older or to come is left out."""
    seen = [occurrence(0.5), occurrence(6.9), occurrence(7.1), occurrence(30), occurrence(-1)]
    assert weekly(seen, NOW, 3) == (0, 1, 2)


@pytest.mark.parametrize(
    ("per_week", "trend", "chance"),
    [
        ((0, 0, 0, 0, 0, 0), Trend.STEADY, 1.0),
        ((0, 0, 1, 1, 1, 2), Trend.STEADY, 2 * 6 / 32),
        ((0, 0, 0, 1, 2, 2), Trend.RISING, 2 / 32),
        ((2, 2, 1, 0, 0, 0), Trend.FALLING, 2 / 32),
        ((1, 1, 1, 1, 1, 1), Trend.STEADY, 1.0),
    ],
)
def test_a_trend_is_told_when_chance_is_unlikely(
    per_week: tuple[int, ...], trend: Trend, chance: float
) -> None:
    """Five incidents of which none lies in the older half: once in sixteen by chance."""
    assert (trend, pytest.approx(chance)) == trend_of(per_week)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=12))
def test_a_trend_turned_around_is_the_opposite(per_week: list[int]) -> None:
    """Rising becomes falling, and the chance is the same."""
    forth, back = trend_of(per_week), trend_of(per_week[::-1])
    other = {Trend.RISING: Trend.FALLING, Trend.FALLING: Trend.RISING, Trend.STEADY: Trend.STEADY}
    assert (other[forth[0]], forth[1]) == back


def test_what_came_after_the_fix_is_counted() -> None:
    """None while there is no fix."""
    seen = (occurrence(5), occurrence(2), occurrence(1))
    assert figures([problem(1, *seen, resolved_days_ago=3)], NOW)[0].since_fix == 2
    assert figures([problem(1, *seen)], NOW)[0].since_fix is None
