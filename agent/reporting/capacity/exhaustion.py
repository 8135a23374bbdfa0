"""Days until something is full: many possible futures, drawn from how it grew so far.

Simulated are daily steps from the last reading on, drawn in a way that fits the volume: whole
cycles where it cleans itself up regularly, blocks where it grows steadily, single days and rare
jumps where it grows in bursts. A draw of the slope for each path is what makes the interval as wide
as it has to be. The same readings always give the same answer.

Not here: getting the readings, and opening anything because of them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]
Paths = npt.NDArray[np.float64]

HORIZON = 120
PATHS = 400
READINGS_MIN = 14
SOON = 30
CYCLE_LAGS = range(5, 31)
CYCLE_CORRELATION = 0.5
REGULAR_SHARE = 0.25
"""Growth is regular where its median step is more than this of its mean absolute step."""
CHANGE_T = 4.5
"""Welch's t from which a change of slope is believed."""
CHANGE_DAYS = range(5, 70)
CHANGED_PATHS = 0.8
JUMP_DEVIATIONS = 6.0
JUMP_CHANCE = 0.2
SLOPE_REGULAR, SLOPE_BURSTY = 0.3, 0.6
ALARM, ALARM_BURSTY = 0.6, 0.7
"""A volume is called full within 30 days only with this chance; the chance itself is shown too."""


@dataclass(frozen=True, slots=True)
class Exhaustion:
    """When the capacity is reached. Days from the last reading; None: not within the horizon."""

    days: float | None
    earliest: float | None
    latest: float | None
    """`earliest` to `latest` hold nine of ten futures."""
    chance_soon: float
    """The chance that it is full within 30 days."""
    chance: float
    """The chance that it is full within the horizon of 120 days."""


def exhaustion(history: Series, capacity: float) -> Exhaustion:
    """When a volume with these daily readings, oldest first, reaches its capacity.

    Raises ValueError for less than 14 readings.
    """
    if len(history) < READINGS_MIN:
        raise ValueError(f"{len(history)} daily readings; at least {READINGS_MIN} are needed")
    steps = np.diff(history)
    random = np.random.default_rng(0)
    cycle = _cycle(steps)
    is_bursty = cycle is None and not _is_regular(steps)
    if cycle is not None:
        drawn = _cyclic(random, steps, cycle)
    elif is_bursty:
        drawn = _bursty(random, history, steps)
    else:
        drawn = _regular(random, steps)
    return _told(history[-1] + np.cumsum(drawn, axis=1), capacity, is_bursty)


def _told(paths: Paths, capacity: float, is_bursty: bool) -> Exhaustion:
    full = paths >= capacity
    first = np.where(full.any(axis=1), full.argmax(axis=1) + 1.0, np.inf)
    chance_soon = float((first <= SOON).mean())
    days = float(np.quantile(first, 0.5, method="higher"))
    if chance_soon < (ALARM_BURSTY if is_bursty else ALARM):
        days = max(days, SOON + 1.0)
    low = float(np.quantile(first, 0.05, method="lower"))
    high = float(np.quantile(first, 0.95, method="higher"))
    chance = float(np.isfinite(first).mean())
    return Exhaustion(_known(days), _known(low), _known(high), chance_soon, chance)


def _known(day: float) -> float | None:
    return day if np.isfinite(day) else None


def _cycle(steps: Series) -> int | None:
    """The lag in days at which the steps are most like themselves, where that is alike enough."""
    best: tuple[float, int] = (CYCLE_CORRELATION, 0)
    for lag in CYCLE_LAGS:
        if len(steps) < 2 * lag + 3:
            break
        one, other = steps[lag:], steps[:-lag]
        spread = one.std() * other.std()
        if spread > 0:
            likeness = float(((one - one.mean()) * (other - other.mean())).mean() / spread)
            best = max(best, (likeness, lag))
    return best[1] or None


def _is_regular(steps: Series) -> bool:
    changed = _change(steps)
    if _looks_regular(steps):
        return True
    # It may have grown regularly until its slope changed.
    return changed is not None and _looks_regular(steps[:-changed])


def _looks_regular(steps: Series) -> bool:
    size = np.abs(steps).mean()
    return bool(size > 0 and np.median(steps) > REGULAR_SHARE * size)


def _change(steps: Series) -> int | None:
    """How many days ago the slope changed: the largest Welch t over all splits, if it is large."""
    median = np.median(steps)
    spread = 1.4826 * np.median(np.abs(steps - median))
    if spread == 0:
        return None
    clipped = np.clip(steps, median - 4 * spread, median + 4 * spread)
    best: tuple[float, int] = (CHANGE_T, 0)
    for days in CHANGE_DAYS:
        if len(clipped) - days < 5:
            break
        before, after = clipped[:-days], clipped[-days:]
        error = np.sqrt(before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after))
        if error > 0:
            best = max(best, (float(abs(after.mean() - before.mean()) / error), days))
    return best[1] or None


def _cyclic(random: np.random.Generator, steps: Series, lag: int) -> Paths:
    """Whole cycles at the phase at which the readings end, recent ones more often."""
    cycles = len(steps) // lag
    whole = steps[-cycles * lag :].reshape(cycles, lag)
    chances = np.linspace(0.7, 1.3, cycles)
    picked = random.choice(cycles, (PATHS, -(-HORIZON // lag)), p=chances / chances.sum())
    drawn = whole[picked].reshape(PATHS, -1)[:, :HORIZON]
    drift = whole.mean()
    return np.asarray(drawn + drift * (_slopes(random, SLOPE_REGULAR) - 1.0))


def _regular(random: np.random.Generator, steps: Series) -> Paths:
    thinned = _thinned(random, steps)
    shares = ((89, 14, 0.6), (45, 14, 0.2), (21, 7, 0.2))
    drawn = np.concatenate(
        [
            _blocks(random, thinned[-days:], block, round(PATHS * share))
            for days, block, share in shares
        ]
    )
    changed = _change(steps)
    if changed is not None:
        count = round(PATHS * CHANGED_PATHS)
        since = thinned[-changed:]
        drawn[:count] = _blocks(random, since, min(7, len(since)), count)
    return np.asarray(drawn * _slopes(random, SLOPE_REGULAR))


def _bursty(random: np.random.Generator, history: Series, steps: Series) -> Paths:
    half = PATHS // 2
    drawn = np.concatenate(
        [
            _blocks(random, steps[-89:], 1, half),
            _blocks(random, steps[-60:], min(14, len(steps)), PATHS - half),
        ]
    )
    drawn = drawn * _slopes(random, SLOPE_BURSTY)
    # Three months rarely show the largest jump.
    size = 0.5 * max(float(np.ptp(history)), 0.005 * float(history[-1]))
    jumps = np.flatnonzero(random.random(PATHS) < 0.6)
    days = random.integers(0, HORIZON, len(jumps))
    drawn[jumps, days] += size * random.lognormal(-1.0, 1.0, len(jumps))
    return np.asarray(drawn)


def _thinned(random: np.random.Generator, steps: Series) -> Series:
    """Jumps upwards that happened once need not happen again in every path."""
    median = np.median(steps)
    spread = 1.4826 * np.median(np.abs(steps - median))
    if spread == 0:
        return steps
    jumps = np.flatnonzero(steps > median + JUMP_DEVIATIONS * spread)
    kept = min(1.0, JUMP_CHANCE * len(jumps))
    thinned = steps.copy()
    for jump in jumps:
        if random.random() >= kept:
            thinned[jump] = median
    return thinned


def _blocks(random: np.random.Generator, steps: Series, block: int, paths: int) -> Paths:
    """Paths made of blocks of consecutive steps; recent ones are drawn more often."""
    block = min(block, len(steps))
    starts = len(steps) - block + 1
    chances = np.linspace(0.7, 1.3, starts)
    begun = random.choice(starts, (paths, -(-HORIZON // block)), p=chances / chances.sum())
    days = (begun[:, :, None] + np.arange(block)).reshape(paths, -1)[:, :HORIZON]
    return np.asarray(steps[days])


def _slopes(random: np.random.Generator, spread: float) -> Paths:
    return np.exp(random.normal(0.0, spread, PATHS))[:, None]
