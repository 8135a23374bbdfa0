"""What drives a series is taken out, and outliers do not decide what drives it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.reporting.residuals import huber, shares


def test_outliers_do_not_bend_the_line() -> None:
    """A tenth of the samples may be anything: slope and level stay what the others say."""
    chance = np.random.default_rng(0)
    driver = chance.uniform(0, 100, 500)
    driven = 3.0 + 2.0 * driver + chance.normal(0, 0.5, 500)
    driven[::10] += 500.0

    assert pytest.approx((3.0, 2.0), abs=0.3) == huber(driver, driven)


def test_a_driver_that_stands_still_explains_nothing() -> None:
    """The line is flat through the median, and gaps do not spoil it."""
    driven = np.array([1.0, 2.0, np.nan, 3.0] * 10)

    assert (2.0, 0.0) == huber(np.full(40, 7.0), driven)
    assert (0.0, 0.0) == huber(np.full(4, np.nan), np.full(4, np.nan))


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=4), st.integers(0, 99))
def test_what_callers_ask_for_is_found_again(true: list[float], seed: int) -> None:
    """Without noise the requests that each caller leads to come back, and none is negative."""
    callers = np.random.default_rng(seed).uniform(10, 100, (200, len(true)))
    found = shares(callers, callers @ np.array(true))
    assert found is not None

    assert (found >= 0).all()
    assert pytest.approx(true, abs=0.02) == list(found)


def test_too_little_history_gives_no_shares() -> None:
    """Five common moments say nothing about two callers."""
    callers = np.full((100, 2), np.nan)
    callers[:5] = 3.0

    assert shares(callers, np.ones(100)) is None
