"""The coming week of an hourly series: a path, an interval that is meant, and a peak of its own.

No rule is best at everything, so each of the three is taken from what serves it: the path is the
median of simple robust rules that stood a back-test, the interval a vote of what was seen, the
peak the median of recent peaks (never the quantile of the mean path, which lies far below it).

Not here: getting the series, and days until something is full (`exhaustion`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]

DAY = 24
WEEK = 7 * DAY
HISTORY_MIN = 2 * DAY
HISTORY = 4 * WEEK
"""Hours that are looked at: older ones tell more of what was than of what comes."""
TREND_DAYS = 14
TREND_GROWS_DAYS = 3
"""A trend is followed for this long and held then: few trends last a week."""
BACK_TESTS = (DAY, 2 * DAY, 3 * DAY)
RULES_KEPT = 8
"""The rest of the thirteen is left out: what failed yesterday fails tomorrow."""
WIDTH = 1.1
WIDTH_A_WEEK = 0.15
"""How much wider the interval is made for what the back-test is too short to show: level shifts."""
VOTE_LOW, VOTE_HIGH = 0.35, 0.65
LOW, HIGH = 0.05, 0.95
PEAK = 0.95
PEAK_DAYS = (2, 3, 4, 5, 7, 10, 14)


@dataclass(frozen=True, slots=True)
class Forecast:
    """One value an hour for `mean`, `low` and `high` (90 % interval), in the series' own unit."""

    mean: Series
    low: Series
    high: Series
    peak: float
    """The 95th percentile that the time ahead is expected to have: what capacity is bought for."""


class TooShort(ValueError):  # noqa: N818 - what it is, said as people say it
    """Less than two days are no ground for a forecast."""


def forecast(history: Series, hours: int = WEEK) -> Forecast:
    """What comes after an hourly history without gaps, oldest first. Raises TooShort."""
    if len(history) < HISTORY_MIN:
        raise TooShort(f"{len(history)} hours of history; at least {HISTORY_MIN} are needed")
    seen = history[-min(HISTORY, len(history) // DAY * DAY) :]
    mean = np.maximum(_path(seen, hours), 0.0)
    low, high = _interval(seen, mean)
    peaks = [np.quantile(seen[-days * DAY :], PEAK) for days in PEAK_DAYS]
    return Forecast(mean, np.maximum(low, 0.0), high, float(np.median(peaks)))


def _path(seen: Series, hours: int) -> Series:
    """Hour by hour the median of the rules that would have fared best of late."""
    rules = _rules(seen, hours)
    if len(seen) >= HISTORY_MIN + max(BACK_TESTS):
        errors = [
            np.abs(_rules(seen[:-back], back) - seen[-back:]).mean(axis=1) for back in BACK_TESTS
        ]
        rules = rules[np.argsort(np.mean(errors, axis=0), kind="stable")[:RULES_KEPT]]
    return np.asarray(np.median(rules, axis=0))


def _rules(seen: Series, hours: int) -> Series:
    """Simple robust rules, a row each: a level, and the shape of a day around it or none."""
    profile = profile_of(seen)
    shape = _repeat(profile, hours)
    days = seen.reshape(-1, DAY)
    levels = np.median(days - profile, axis=1)
    trend = theil_sen(levels[-TREND_DAYS:]) / 2.0
    ahead = np.minimum(np.arange(1, hours + 1) / DAY, TREND_GROWS_DAYS)
    shaped = (
        np.median(seen[-3 * DAY :]),
        np.median(levels[-3:]) + trend * ahead,
        np.median(seen[-DAY:]),
        np.median(levels[-7:]),
        np.median(seen[-8:] - profile[-8:]),
    )
    flat = [np.full(hours, np.median(seen[-count * DAY :])) for count in (1, 3, 7)]
    daily = [_repeat(np.median(days[-count:], axis=0), hours) for count in (3, 5, 7, 14, len(days))]
    return np.array([*(shape + level for level in shaped), *flat, *daily])


def profile_of(seen: Series) -> Series:
    """The shape of a day around its median; additive: a factor explodes where a day is near 0."""
    days = seen.reshape(-1, DAY)
    return np.asarray(np.median(days - np.median(days, axis=1, keepdims=True), axis=0))


def theil_sen(values: Series) -> float:
    """The median of all slopes between two of the values (Theil 1950, Sen 1968); per step."""
    first, second = np.triu_indices(len(values), 1)
    if len(first) == 0:
        return 0.0
    return float(np.median((values[second] - values[first]) / (second - first)))


def _interval(seen: Series, mean: Series) -> tuple[Series, Series]:
    hours = len(mean)
    fortnight = seen[-2 * WEEK :]
    candidates = [
        _flat(seen[-WEEK:], hours),
        _flat(fortnight, hours),
        _each_hour(fortnight, hours),
        _each_hour(seen, hours),
        _around(mean, fortnight - _repeat(profile_of(seen), len(fortnight)) - _levels(fortnight)),
    ]
    if len(seen) >= 2 * WEEK + 3 * DAY:
        candidates.append(_around(mean, _errors_of_last_week(seen)))
    if len(seen) >= 2 * WEEK:
        weeks = seen[-2 * WEEK :].reshape(2, WEEK)
        candidates.append((_repeat(weeks.min(0), hours), _repeat(weeks.max(0), hours)))
    low = np.quantile([low for low, _ in candidates], VOTE_LOW, axis=0)
    high = np.quantile([high for _, high in candidates], VOTE_HIGH, axis=0)
    wider = WIDTH * (1.0 + WIDTH_A_WEEK * np.arange(1, hours + 1) / WEEK)
    return mean - np.maximum(mean - low, 0.0) * wider, mean + np.maximum(high - mean, 0.0) * wider


def _errors_of_last_week(seen: Series) -> Series:
    """How far the first rule would have been off, had it been asked a week ago."""
    before = seen[:-WEEK]
    told = _repeat(profile_of(before), WEEK) + np.median(before[-3 * DAY :])
    return np.asarray(seen[-WEEK:] - told)


def _levels(values: Series) -> Series:
    """For each hour the median of the three days that end with its day."""
    days = np.median(values.reshape(-1, DAY), axis=1)
    smooth = [np.median(days[max(0, day - 2) : day + 1]) for day in range(len(days))]
    return np.repeat(smooth, DAY)


def _flat(values: Series, hours: int) -> tuple[Series, Series]:
    low, high = np.quantile(values, (LOW, HIGH))
    return np.full(hours, low), np.full(hours, high)


def _each_hour(values: Series, hours: int) -> tuple[Series, Series]:
    low, high = np.quantile(values.reshape(-1, DAY), (LOW, HIGH), axis=0)
    return _repeat(low, hours), _repeat(high, hours)


def _around(mean: Series, errors: Series) -> tuple[Series, Series]:
    low, high = np.quantile(errors, (LOW, HIGH))
    return mean + min(low, 0.0), mean + max(high, 0.0)


def _repeat(shape: Series, hours: int) -> Series:
    return np.tile(shape, -(-hours // len(shape)))[:hours]
