"""How much is enough: one knob, and what is safer is never less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reporting.capacity.rightsizing import DAY, Metric, request


@given(
    st.lists(st.floats(0.001, 1e6), min_size=3 * DAY, max_size=4 * DAY),
    st.sampled_from(Metric),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_what_is_safer_is_never_less(
    values: list[float], metric: Metric, one: float, other: float
) -> None:
    """Whatever the series, the curve rises with the knob."""
    low, high = sorted((one, other))
    history = np.array(values)
    assert request(history, metric, low) <= request(history, metric, high) * (1 + 1e-9)


def test_a_flat_series_gets_its_margin_and_no_more() -> None:
    """Always ten: between a seventh and four fifths above."""
    flat = np.full(14 * DAY, 10.0)
    assert 11.5 == pytest.approx(request(flat, Metric.CPU, 0))
    assert 18.0 == pytest.approx(request(flat, Metric.MEMORY, 1))


@pytest.mark.parametrize(("hours", "knob"), [(3 * DAY - 1, 0.5), (14 * DAY, 1.1), (14 * DAY, -0.1)])
def test_what_cannot_be_answered_is_refused(hours: int, knob: float) -> None:
    """Too short a history, and a knob beyond its ends."""
    with pytest.raises(ValueError, match=r"hours of history|the knob goes"):
        request(np.full(hours, 1.0), Metric.CPU, knob)
