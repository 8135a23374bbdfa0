"""How unusual samples are, judged by the history of their own series. Robust; NaN is a gap.

Not here: which series there are, and what their surprise is evidence of (`signals`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

TAIL_SAMPLES_MIN = 30
"""With less history only ranks count: a rarely seen series can never shout."""
TAIL_QUANTILE = 0.95
SPREAD_FLOOR = 0.01
"""Of the median: below this a deviation means nothing, whatever the history says."""
ROUNDING = 0.01
"""Of the least deviation that counts: what a sum of floats may be off."""
SURPRISE_MAX = 1_000.0
MAD_TO_SIGMA = 1.4826
HOUR_S = 3600
WEEK_HOURS = 168
SEASON_WEEKS_MIN = 3
"""With fewer whole weeks an hour of the week has too few forerunners."""
SEASON_SAMPLES_MIN = 6
SEASON_GAIN = 0.9
"""A season is taken out only where the spread shrinks to less than this share."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Values at moments (seconds since 1970), oldest first; a gap is a missing sample or NaN."""

    times: Values
    values: Values

    def __post_init__(self) -> None:
        assert self.times.shape == self.values.shape, "each value has its moment"

    @classmethod
    def of(cls, times: Sequence[float], values: Sequence[float]) -> "Samples":
        """From plain numbers."""
        return cls(np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64))

    @property
    def known(self) -> Values:
        """The values without the gaps."""
        return self.values[np.isfinite(self.values)]

    def at(self, times: Values) -> Values:
        """The values at these moments; NaN where there is none."""
        if not self.times.size:
            return np.full(times.shape, np.nan)
        place = np.minimum(np.searchsorted(self.times, times), self.times.size - 1)
        return np.where(self.times[place] == times, self.values[place], np.nan)

    def within(self, start: float, end: float) -> "Samples":
        """Those from `start` until before `end`."""
        first, last = np.searchsorted(self.times, (start, end))
        return Samples(self.times[first:last], self.values[first:last])


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for a series in which more is worse."""

    median: float
    ordered: Values
    slope: float
    """Mean excess over the 95 % quantile: how fast its tail thins out."""
    least: float
    """A deviation no larger than this says nothing."""

    @classmethod
    def of(cls, history: Values, floor: float) -> "Usual | None":
        """From the known values of its history; None where there are none.

        `floor`: a deviation that cannot matter in the series' own unit, such as one request.
        """
        if not history.size:
            return None
        ordered = np.sort(history)
        median = _quantile(ordered, 0.5)
        spread = MAD_TO_SIGMA * _quantile(np.sort(np.abs(ordered - median)), 0.5)
        least = max(SPREAD_FLOOR * abs(median), floor)
        edge = _quantile(ordered, TAIL_QUANTILE)
        beyond = ordered[ordered > edge] - edge
        mean = float(beyond.mean()) if beyond.size else 0.0
        return cls(median, ordered, max(mean, SPREAD_FLOOR * spread, least), least)

    def surprise(self, values: Values) -> Values:
        """-ln of the chance of a value as large or larger; NaN stays NaN."""
        count = self.ordered.size
        larger = np.where(values > self.median, values - ROUNDING * self.least, values)
        as_large = count - np.searchsorted(self.ordered, larger, side="left")
        surprise = -np.log((as_large + 1.0) / (count + 1.0))
        if count >= TAIL_SAMPLES_MIN:
            beyond = np.maximum(0.0, values - self.ordered[-1])
            surprise = surprise + beyond / self.slope
        return np.where(np.isfinite(values), np.minimum(surprise, SURPRISE_MAX), np.nan)


def _quantile(ordered: Values, share: float) -> float:
    """By linear interpolation, of values in order; numpy's own sorts them again."""
    place = share * (ordered.size - 1)
    low = int(place)
    high = min(low + 1, ordered.size - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


@dataclass(frozen=True, slots=True)
class Judged:
    """The samples of an incident beside what was usual and what was just before."""

    usual: float
    worst: float
    surprise: Values
    """Of each sample; NaN where there was none."""
    excess: Values
    """Over the larger of what is usual and what was just before; at least 0."""

    @property
    def samples(self) -> int:
        """How many samples were examined."""
        return int(np.count_nonzero(np.isfinite(self.surprise)))


def judge(history: Values, before: Values, during: Values, floor: float) -> Judged | None:
    """Judge the samples of an incident; more is worse. None where history or incident is empty.

    An anomaly must be unusual and new: the smaller of the surprise of the value and of its rise
    over the median of what was just `before`. NaN anywhere is a gap.
    """
    usual = Usual.of(history[np.isfinite(history)], floor)
    known = during[np.isfinite(during)]
    if usual is None or not known.size:
        return None
    known_before = before[np.isfinite(before)]
    start = float(np.median(known_before)) if known_before.size else usual.median
    surprise = np.minimum(usual.surprise(during), usual.surprise(usual.median + during - start))
    excess = np.maximum(0.0, during - max(usual.median, start))
    return Judged(usual.median, float(known.max()), surprise, excess)


def gate(surprise: Values, examined: int) -> Values:
    """The chance that each sample is no accident: a soft correction for how many were examined."""
    against: Values = np.clip(np.log(max(1, examined)) - surprise, -500.0, 500.0)
    return np.asarray(1.0 / (1.0 + np.exp(against)), dtype=np.float64)


def without_season(history: Samples, recent: Samples) -> tuple[Samples, Samples]:
    """Both without the rhythm of the week, moved to the overall median.

    By hour of week, each hour with its two neighbours, by medians. As they are where the history
    is shorter than three weeks, or where the rhythm explains little.
    """
    known = np.isfinite(history.values)
    times, values = history.times[known], history.values[known]
    if not times.size or times[-1] - times[0] < SEASON_WEEKS_MIN * WEEK_HOURS * HOUR_S:
        return history, recent
    hours = _hour_of_week(times)
    median = float(np.median(values))
    season = np.zeros(WEEK_HOURS)
    for hour in range(WEEK_HOURS):
        near = values[np.isin(hours, [(hour + step) % WEEK_HOURS for step in (-1, 0, 1)])]
        if near.size >= SEASON_SAMPLES_MIN:
            season[hour] = float(np.median(near)) - median
    left = values - season[hours]
    if _spread(left) > SEASON_GAIN * _spread(values):
        return history, recent
    return _shifted(history, season), _shifted(recent, season)


def _shifted(samples: Samples, season: Values) -> Samples:
    return Samples(samples.times, samples.values - season[_hour_of_week(samples.times)])


def _hour_of_week(times: Values) -> NDArray[np.int64]:
    return (times // HOUR_S).astype(np.int64) % WEEK_HOURS


def _spread(values: Values) -> float:
    return float(np.median(np.abs(values - np.median(values))))
