"""A forecast follows what is regular, means its interval, and refuses what tells nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.reporting.capacity.forecast import DAY, WEEK, TooShort, forecast

SHAPE = 50 + 20 * np.sin(np.arange(DAY) / DAY * 2 * np.pi)


def test_a_day_that_repeats_is_continued() -> None:
    """Four weeks of one and the same day: the next week is that day seven times."""
    told = forecast(np.tile(SHAPE, 28))
    assert np.tile(SHAPE, 7) == pytest.approx(told.mean)
    assert np.quantile(SHAPE, 0.95) == pytest.approx(told.peak, rel=0.01)


def test_what_moved_to_another_level_stays_there() -> None:
    """Three days at twice the level weigh more than the weeks before them."""
    history = np.concatenate([np.tile(SHAPE, 25), np.tile(SHAPE + 100, 3)])
    told = forecast(history)
    assert np.abs(told.mean - np.tile(SHAPE + 100, 7)).mean() < 5


def test_two_days_are_the_least() -> None:
    """Less is no ground: no line is drawn through one morning."""
    with pytest.raises(TooShort):
        forecast(np.ones(2 * DAY - 1))
    assert len(forecast(np.ones(2 * DAY)).mean) == WEEK


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1e9), min_size=2 * DAY, max_size=6 * DAY),
    st.integers(1, 200),
)
def test_the_path_lies_in_its_interval_and_nothing_is_below_nothing(
    values: list[float], hours: int
) -> None:
    """Whatever the series: ordered, as long as asked for, finite, never negative."""
    told = forecast(np.array(values), hours)
    assert hours == len(told.mean) == len(told.low) == len(told.high)
    assert np.isfinite(told.high).all()
    assert ((told.low >= 0) & (told.low <= told.mean) & (told.mean <= told.high)).all()
