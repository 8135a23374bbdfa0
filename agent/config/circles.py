"""Finds circles in what depends on what (Tarjan's strongly connected components, no recursion)."""

from collections.abc import Mapping, Sequence


def circles(edges: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """One circle of each knot of nodes that all reach each other, in the order it is walked.

    Each begins with its smallest name; the list is sorted.
    """
    return sorted(_one_circle(edges, frozenset(knot)) for knot in _knots(edges))


def _knots(edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    is_open: set[str] = set()
    found: list[list[str]] = []
    for start in edges:
        if start in index:
            continue
        work = [(start, iter(edges[start]))]
        index[start] = low[start] = len(index)
        open_nodes.append(start)
        is_open.add(start)
        while work:
            node, following = work[-1]
            for lower in following:
                if lower not in index:
                    index[lower] = low[lower] = len(index)
                    open_nodes.append(lower)
                    is_open.add(lower)
                    work.append((lower, iter(edges.get(lower, ()))))
                    break
                if lower in is_open:
                    low[node] = min(low[node], index[lower])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = _last(open_nodes, node)
                    knot = open_nodes[at:]
                    del open_nodes[at:]
                    is_open.difference_update(knot)
                    if len(knot) > 1:
                        found.append(knot)
    return found


def _last(nodes: list[str], node: str) -> int:
    at = len(nodes) - 1
    while nodes[at] != node:
        at -= 1
    return at


def _one_circle(edges: Mapping[str, Sequence[str]], knot: frozenset[str]) -> tuple[str, ...]:
    """The shortest way from the knot's smallest node back to itself (breadth first)."""
    start = min(knot)
    came_from: dict[str, str] = {}
    level = [start]
    while level:
        following: list[str] = []
        for node in level:
            for lower in edges.get(node, ()):
                if lower == start:
                    return _way(came_from, start, node)
                if lower in knot and lower not in came_from:
                    came_from[lower] = node
                    following.append(lower)
        level = following
    return (start,)


def _way(came_from: Mapping[str, str], start: str, end: str) -> tuple[str, ...]:
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))
