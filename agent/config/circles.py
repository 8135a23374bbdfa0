"""Finds circles in what depends on what, as they can be shown to a person."""

from collections.abc import Mapping, Sequence

from agent.model.knots import knots


def circles(edges: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """One circle of each knot of nodes that all reach each other, in the order it is walked.

    Each begins with its smallest name; the list is sorted.
    """
    found = knots(edges, lambda node: edges.get(node, ()))
    return sorted(_one_circle(edges, frozenset(knot)) for knot in found if len(knot) > 1)


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
