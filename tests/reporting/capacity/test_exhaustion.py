"""Days until something is full: right where growth is plain, and open where it is not."""

import numpy as np
import pytest

from agent.reporting.capacity.exhaustion import HORIZON, exhaustion


def test_steady_growth_reaches_the_capacity_when_it_must() -> None:
    """One a day, forty to go: about forty days, and an interval around them."""
    history = 100.0 + np.arange(90.0)
    told = exhaustion(history, history[-1] + 40)
    assert told.days is not None
    assert told.earliest is not None
    assert told.latest is not None
    assert told.days == pytest.approx(40, abs=6)
    assert told.earliest < told.days < told.latest


def test_what_does_not_grow_is_not_called_full() -> None:
    """No day is printed where fewer than half of the futures fill up."""
    told = exhaustion(np.full(90, 100.0), 150.0)
    assert (told.days, told.chance) == (None, 0.0)


def test_what_cleans_itself_up_is_drawn_in_whole_cycles() -> None:
    """Ten up for nine days, then all of it gone: it never gets to three times its height."""
    cycle = np.concatenate([np.arange(9) * 10.0, [0.0]])
    told = exhaustion(100 + np.tile(cycle, 9), 340.0)
    assert told.days is None


def test_the_same_readings_give_the_same_answer() -> None:
    """A report that is run again says the same."""
    random = np.random.default_rng(5)
    history = 50 + np.cumsum(random.gamma(2, 1, 90))
    assert exhaustion(history, 400.0) == exhaustion(history, 400.0)


def test_what_is_full_is_full_tomorrow_and_too_little_is_refused() -> None:
    """At the capacity already: day one, for certain."""
    told = exhaustion(100.0 + np.arange(90.0), 150.0)
    assert (told.days, told.chance_soon) == (1.0, 1.0)
    with pytest.raises(ValueError, match="at least 14"):
        exhaustion(np.arange(13.0), 100.0)
    assert HORIZON == 120
