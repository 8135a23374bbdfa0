"""How unusual samples are: unusual and new, robust, and never louder than the history allows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from agent.reporting.surprise import (
    HOUR_S,
    SURPRISE_MAX,
    TAIL_SAMPLES_MIN,
    Samples,
    Usual,
    gate,
    judge,
    without_season,
)

NONE = np.array([])
finite = st.floats(-1e9, 1e9)
histories = arrays.arrays(np.float64, st.integers(1, 200), elements=finite)


def noise(count: int, *, level: float = 1.0, spread: float = 0.1, seed: int = 0) -> np.ndarray:
    """Values around a level, drawn from a seed."""
    return np.random.default_rng(seed).normal(level, spread, count)


@settings(deadline=None)
@given(histories, finite)
def test_surprise_is_bounded_and_grows_with_the_value(history: np.ndarray, value: float) -> None:
    """Nothing is less than expected or infinitely odd, and a worse value is never less odd."""
    usual = Usual.of(history, 1e-6)
    assert usual is not None
    less, more = usual.surprise(np.array([value, value + 1.0]))

    assert 0.0 <= less <= more <= SURPRISE_MAX


@settings(deadline=None)
@given(st.integers(1, TAIL_SAMPLES_MIN - 1), st.floats(1e3, 1e9))
def test_a_rarely_seen_series_cannot_shout(count: int, value: float) -> None:
    """With little history only ranks count: the oddest value is as odd as the history is long."""
    usual = Usual.of(noise(count), 1e-6)
    assert usual is not None

    assert math.log(count + 1) == pytest.approx(float(usual.surprise(np.array([value]))[0]))


def test_a_constant_series_is_no_hair_trigger() -> None:
    """A change of far less than a hundredth is rounding; a doubling is an anomaly."""
    judged = judge(np.full(500, 5.0), np.full(5, 5.0), np.array([5.0001, 10.0]), 1e-6)
    assert judged is not None
    rounding, doubled = judged.surprise

    assert rounding == pytest.approx(0.0, abs=0.01)
    assert doubled > 50.0


def test_what_was_high_before_the_incident_is_not_news() -> None:
    """Unusual is not enough: a level that stood there before has another reason."""
    history, high = noise(500), np.full(10, 9.0)
    old = judge(history, high, high, 1e-6)
    new = judge(history, np.full(10, 1.0), high, 1e-6)
    assert old is not None
    assert new is not None

    assert old.surprise.max() < 1.0 < 50.0 < new.surprise.max()
    assert (0.0, 8.0) == (old.excess.max(), pytest.approx(new.excess.max(), rel=0.01))


def test_one_old_outage_in_the_history_does_not_blind() -> None:
    """Three bad samples of five hundred: a bad sample today is still worth the gate's opening."""
    history = noise(500)
    history[100:103] = 8.0
    judged = judge(history, noise(5, seed=1), np.array([8.5, 8.5, 8.5]), 1e-6)
    assert judged is not None

    assert judged.surprise.min() > math.log(400 / 4)


def test_gaps_stay_gaps() -> None:
    """NaN and infinity are no samples: they are neither odd nor well."""
    history = np.where(np.arange(200) % 3 == 0, np.nan, noise(200))
    judged = judge(history, np.array([np.nan]), np.array([np.nan, 5.0, np.inf]), 1e-6)
    assert judged is not None

    assert [False, True, False] == list(np.isfinite(judged.surprise))
    assert 1 == judged.samples


@pytest.mark.parametrize(
    ("history", "during"),
    [(NONE, np.ones(3)), (np.ones(3), NONE), (np.ones(3), np.full(3, np.nan))],
)
def test_without_history_or_samples_nothing_is_said(
    history: np.ndarray, during: np.ndarray
) -> None:
    """Silence is not health: there is no judgement at all."""
    assert judge(history, NONE, during, 1e-6) is None


def test_the_gate_opens_later_the_more_is_looked_at() -> None:
    """The oddest of ten thousand samples is odd by accident; the oddest of ten is not."""
    surprise = np.array([6.0])

    assert gate(surprise, 10_000)[0] < 0.05 < 0.95 < gate(surprise, 10)[0]


def weeks(count: int) -> Samples:
    """Hourly samples over so many weeks, ten times as high on working hours, with noise."""
    hours = np.arange(count * 168)
    busy = (hours % 24 >= 8) & (hours % 24 < 18)
    return Samples(hours * float(HOUR_S), np.where(busy, 100.0, 10.0) + noise(hours.size))


def test_a_busy_hour_is_usual_at_its_hour_only() -> None:
    """With weeks of history a value is judged by its hour of the week; with days it is not."""
    history = weeks(5)
    night = Samples(np.array([history.times[-1] + 3 * HOUR_S]), np.array([100.0]))
    plain, seasonal = history, without_season(history, night)
    surprises = []
    for past, now in ((plain, night), seasonal):
        judged = judge(past.known, NONE, now.values, 1e-6)
        assert judged is not None
        surprises.append(float(judged.surprise[0]))

    assert surprises[0] < 2.0 < 20.0 < surprises[1]


def test_a_short_history_has_no_season() -> None:
    """Two weeks are too few forerunners for an hour of the week: nothing is changed."""
    history = weeks(2)

    assert (history, history) == without_season(history, history)
