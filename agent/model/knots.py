"""Knots of a graph: nodes that all reach each other, found without recursion (Tarjan, 1972)."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

N = TypeVar("N")


def knots(nodes: Iterable[N], below: Callable[[N], Iterable[N]]) -> Iterator[list[N]]:
    """Every strongly connected component of what `nodes` reach, each after those below it.

    A node that lies on no circle is a knot of its own. The order follows that of `nodes` and
    `below`.
    """
    number: dict[N, int] = {}
    low: dict[N, int] = {}
    waiting: dict[N, None] = {}
    for start in nodes:
        if start in number:
            continue
        number[start] = low[start] = len(number)
        waiting[start] = None
        path = [(start, iter(below(start)))]
        while path:
            node, following = path[-1]
            lower = next(following, None)
            if lower is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == number[node]:
                    yield _untie(waiting, node)
            elif lower not in number:
                number[lower] = low[lower] = len(number)
                waiting[lower] = None
                path.append((lower, iter(below(lower))))
            elif lower in waiting:
                low[node] = min(low[node], number[lower])


def _untie(waiting: dict[N, None], first: N) -> list[N]:
    knot: list[N] = []
    while not knot or knot[-1] != first:
        knot.append(waiting.popitem()[0])
    return knot
