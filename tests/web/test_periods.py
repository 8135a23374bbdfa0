"""Periods are of the customer's calendar: real hours, whatever the clocks did."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from agent.web.periods import PeriodError, before, period

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2026-03", 743),
        ("2026-10", 745),
        ("2026-02", 672),
        ("2026-W13", 167),
        ("2026-Q4", 2209),
        ("2026", 8760),
        ("2028", 8784),
        ("30d", 720),
    ],
)
def test_a_period_has_the_hours_that_passed_in_it(text: str, hours: int) -> None:
    """March has 743 and October 745 where summer time begins and ends in them."""
    assert hours == period(text, BERLIN, NOW).length.total_seconds() / 3600


@pytest.mark.parametrize(
    "text", ["", "october", "2026-13", "2026-00", "2026-W54", "0d", "9999d", "9999-12", "26-10"]
)
def test_what_names_no_period_is_refused_with_what_would(text: str) -> None:
    """A wrong word never becomes another month's report."""
    with pytest.raises(PeriodError):
        period(text, BERLIN, NOW)


def test_the_thirteen_months_of_a_chart_end_with_the_one_that_was_asked_for() -> None:
    """Each month begins where the one before it ends."""
    months = before("2026-02", BERLIN, NOW, 13)
    assert ("2025-02", "2026-02") == (months[0][0], months[-1][0])
    assert all(one.end == other.start for (_, one), (_, other) in pairwise(months))
