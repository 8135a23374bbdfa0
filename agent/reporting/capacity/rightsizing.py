"""How much is enough: one knob from thrifty to safe, for what a series used of late.

A size is no number but a trade of waste against risk, so the answer is a curve: anchors along the
knob, each a quantile of recent use with a relative margin, joined in log space. Relative margins
beat margins in standard deviations.

Not here: prices, and the back-test that shows what a point of the curve would have cost.
"""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]

DAY = 24
HISTORY_MIN = 3 * DAY
DEFAULT_KNOB = 0.6


class Metric(StrEnum):
    """What is sized: too little CPU slows down, too little memory kills."""

    CPU = "cpu"
    MEMORY = "memory"


def request(history: Series, metric: Metric, knob: float = DEFAULT_KNOB) -> float:
    """The size for an hourly history, oldest first, in its own unit; knob 0 thrifty, 1 safe.

    Raises ValueError for less than three days, or a knob outside 0..1.
    """
    if len(history) < HISTORY_MIN:
        raise ValueError(f"{len(history)} hours of history; at least {HISTORY_MIN} are needed")
    if not 0.0 <= knob <= 1.0:
        raise ValueError(f"the knob goes from 0 to 1, not to {knob}")
    anchors = np.array([anchor(history) for anchor in ANCHORS[metric]])
    # What is safer on the knob is never less.
    logs = np.log(np.maximum(np.maximum.accumulate(anchors), 1e-12))
    return float(np.exp(np.interp(knob * (len(logs) - 1), np.arange(len(logs)), logs)))


def _quantile(values: Series, share: float, half_life: float | None) -> float:
    """A quantile in which a value that is `half_life` steps older counts half; None: all alike."""
    if half_life is None:
        return float(np.quantile(values, share))
    weights = 0.5 ** (np.arange(len(values))[::-1] / half_life)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(reached, share)), len(values) - 1)])


Anchor = Callable[[Series], float]


def _of_days(share: float, half_life: float, margin: float) -> Anchor:
    """A quantile of the daily maxima, recent days counting more."""

    def anchor(history: Series) -> float:
        whole = history[-(len(history) // DAY * DAY) :]
        return _quantile(whole.reshape(-1, DAY).max(axis=1), share, half_life) * margin

    return anchor


def _of_hours(share: float, half_life: float | None, margin: float) -> Anchor:
    """A quantile of the hours."""
    return lambda history: _quantile(history, share, half_life) * margin


def _of_highest(days: int | None, margin: float) -> Anchor:
    """The highest hour of the last days; None: of all."""
    return lambda history: float(history[-days * DAY if days else 0 :].max()) * margin


ANCHORS: dict[Metric, tuple[Anchor, ...]] = {
    Metric.CPU: (
        _of_days(0.3, 4, 1.15),
        _of_days(0.5, 2, 1.10),
        _of_days(0.3, 4, 1.30),
        _of_days(0.5, 4, 1.30),
        _of_days(0.5, 4, 1.45),
        _of_days(0.7, 4, 1.35),
        _of_hours(0.98, None, 1.40),
        _of_hours(0.99, None, 1.40),
        _of_highest(None, 1.15),
        _of_highest(None, 1.35),
    ),
    Metric.MEMORY: (
        _of_hours(0.8, 168, 1.40),
        _of_days(0.3, 2, 1.30),
        _of_days(0.3, 2, 1.40),
        _of_days(0.3, 2, 1.50),
        _of_highest(3, 1.25),
        _of_hours(0.99, 72, 1.35),
        _of_hours(0.99, 168, 1.45),
        _of_hours(0.99, 168, 1.80),
    ),
}
"""Along the knob from thrifty to safe."""
