"""Knots are exactly the sets of nodes that reach each other, lower ones first."""

from hypothesis import given
from hypothesis import strategies as st

from agent.model.knots import knots

GRAPHS = st.dictionaries(
    st.integers(0, 8), st.lists(st.integers(0, 8), max_size=4), min_size=1, max_size=9
)


def reached(graph: dict[int, list[int]], start: int) -> set[int]:
    """Everything on a way from `start`, itself included."""
    seen, waiting = {start}, [start]
    while waiting:
        for lower in graph.get(waiting.pop(), []):
            if lower not in seen:
                seen.add(lower)
                waiting.append(lower)
    return seen


@given(GRAPHS)
def test_a_knot_is_what_reaches_each_other(graph: dict[int, list[int]]) -> None:
    """Two nodes share a knot exactly when each reaches the other; every node is in one."""
    found = list(knots(graph, lambda node: graph.get(node, [])))
    knot_of = {node: number for number, knot in enumerate(found) for node in knot}
    everything = set().union(*(reached(graph, node) for node in graph))

    assert sorted(knot_of) == sorted(everything)
    assert sum(map(len, found)) == len(everything)
    for one in everything:
        for other in everything:
            mutual = other in reached(graph, one) and one in reached(graph, other)
            assert (knot_of[one] == knot_of[other]) == mutual


@given(GRAPHS)
def test_lower_knots_come_first(graph: dict[int, list[int]]) -> None:
    """No knot rests on a later one."""
    found = list(knots(graph, lambda node: graph.get(node, [])))
    knot_of = {node: number for number, knot in enumerate(found) for node in knot}
    for node, lowers in graph.items():
        assert all(knot_of[lower] <= knot_of[node] for lower in lowers)
