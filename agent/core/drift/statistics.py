"""The two small-sample statements that suggestions are made of, exact and without a table.

Not here: what is counted (`suggest`).
"""

from collections.abc import Sequence
from math import comb, fsum, pow

DOUBT = 0.05
"""Bounds hold with 95 %."""


def chance(*, episodes: int, one: int, other: int, both: int) -> float:
    """How likely two that have nothing to do with each other are together so often, or more.

    The upper tail of the hypergeometric distribution (Fisher's exact test, one-sided): of all
    `episodes`, `one` and `other` hold each of them, `both` hold the two.
    """
    assert 0 <= both <= min(one, other) <= max(one, other) <= episodes, "counts fit each other"
    ways = sum(
        comb(one, k) * comb(episodes - one, other - k) for k in range(both, min(one, other) + 1)
    )
    return ways / comb(episodes, other)


def chance_by_size(shares: Sequence[float], *, both: int) -> float:
    """How likely one is in `both` or more of another's episodes, each with a share of its own.

    In a large episode many are together for one reason, so the share of each grows with its size.
    The upper tail of the Poisson-binomial distribution, exact.
    """
    assert 0 < both <= len(shares), "counts fit each other"
    below = [1.0] + [0.0] * (both - 1)
    for share in shares:
        for k in range(both - 1, 0, -1):
            below[k] += share * (below[k - 1] - below[k])
        below[0] *= 1 - share
    return max(0.0, 1 - fsum(below))


def at_most(*, seen: int, of: int) -> float:
    """The share that is at least as large with a probability of `DOUBT`, where none was `seen`.

    The upper bound of the posterior Beta(1, 1 + of) of a share of which nothing was known before.
    """
    assert seen == 0, "there is a closed form for none only"
    return 1 - pow(DOUBT, 1 / (of + 1))


def sureness(*, first: int, of: int) -> float:
    """How sure it is that one begins first more often than not: P(share > 1/2).

    Of the posterior Beta(1 + first, 1 + of - first), which is a sum over a binomial with n + 1.
    """
    ways: int = sum(comb(of + 1, k) for k in range(first + 1))
    return ways / (1 << (of + 1))
