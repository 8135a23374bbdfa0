"""What is left of a series when what drives it is taken out: robust and non-negative fits.

Not here: what the rest is evidence of (`signals`).
"""

import numpy as np

from agent.reporting.surprise import MAD_TO_SIGMA, Values

HUBER_K = 1.345
"""Residuals beyond this many spreads count linearly (95 % efficiency under a normal law)."""
ROUNDS = 20
SETTLED = 1e-7
PAIRS_MIN = 8
"""With fewer moments at which both are known nothing is fitted."""


def huber(driver: Values, driven: Values) -> tuple[float, float]:
    """Intercept and slope of a line through the history, by Huber's reweighting.

    NaN in either is left out; with too few moments, or a driver that stands still, the line is
    flat through the median.
    """
    known = np.isfinite(driver) & np.isfinite(driven)
    x, y = driver[known], driven[known]
    flat = (float(np.median(y)) if y.size else 0.0, 0.0)
    if x.size < PAIRS_MIN or np.ptp(x) == 0.0:
        return flat
    weight = np.ones_like(x)
    intercept, slope = flat
    for _ in range(ROUNDS):
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        variance = np.average((x - mean_x) ** 2, weights=weight)
        if variance == 0.0:
            return flat
        slope = float(np.average((x - mean_x) * (y - mean_y), weights=weight) / variance)
        intercept = float(mean_y - slope * mean_x)
        rest = np.abs(y - intercept - slope * x)
        spread = MAD_TO_SIGMA * float(np.median(rest))
        if spread == 0.0:
            break
        weight = np.minimum(1.0, HUBER_K * spread / np.maximum(rest, 1e-300))
    return intercept, slope


def shares(callers: Values, callee: Values) -> Values | None:
    """How many requests each caller's request leads to, none less than 0 (one column a caller).

    Moments at which one of them is unknown are left out; None with too few moments.
    """
    known = np.isfinite(callee) & np.isfinite(callers).all(axis=1)
    x, y = callers[known], callee[known]
    if len(y) < max(PAIRS_MIN, 2 * callers.shape[1]):
        return None
    squares, products = x.T @ x, x.T @ y
    found = np.zeros(callers.shape[1])
    for _ in range(10 * ROUNDS):
        before = found.copy()
        for column in range(found.size):
            if squares[column, column] > 0.0:
                rest = products[column] - squares[column] @ found
                step = rest / squares[column, column]
                found[column] = max(0.0, found[column] + step)
        if np.abs(found - before).max() <= SETTLED * found.max():
            break
    return found
