"""Window algebra against counting minute by minute."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.model.interval import Interval, subtract, total, union

START = datetime(2026, 3, 29, tzinfo=UTC)
MINUTES = 90


def minute(number: int) -> datetime:
    """A moment on a full minute."""
    return START + timedelta(minutes=number)


@st.composite
def intervals(draw: st.DrawFn) -> list[Interval]:
    """Some intervals on full minutes, touching and overlapping as they like."""
    pairs = draw(st.lists(st.tuples(st.integers(0, MINUTES - 1), st.integers(1, 30)), max_size=8))
    return [Interval(minute(start), minute(start + length)) for start, length in pairs]


def minutes_of(found: tuple[Interval, ...] | list[Interval]) -> set[int]:
    """The minutes that lie in any of them."""
    moments = range(MINUTES + 30)
    return {number for number in moments if any(i.contains(minute(number)) for i in found)}


@given(intervals())
def test_a_union_holds_the_same_minutes_in_order_and_apart(some: list[Interval]) -> None:
    """Nothing is gained or lost, and no two parts touch."""
    joined = union(some)
    assert minutes_of(joined) == minutes_of(some)
    assert all(a.end < b.start for a, b in pairwise(joined))


@given(intervals(), intervals())
def test_what_is_left_lies_in_no_hole(some: list[Interval], holes: list[Interval]) -> None:
    """Subtraction is set difference."""
    assert minutes_of(subtract(some, holes)) == minutes_of(some) - minutes_of(holes)


@given(intervals())
def test_overlaps_count_once(some: list[Interval]) -> None:
    """The total is the number of minutes."""
    assert total(some) == timedelta(minutes=len(minutes_of(some)))


@given(intervals(), intervals())
def test_parts_add_up(some: list[Interval], holes: list[Interval]) -> None:
    """What is left and what was taken are the whole."""
    left = subtract(some, holes)
    taken = subtract(some, left)
    assert total(left) + total(taken) == total(some)
    assert minutes_of(taken) == minutes_of(some) & minutes_of(holes)


@given(intervals())
def test_the_end_does_not_belong_to_it(some: list[Interval]) -> None:
    """Half-open: what ends where another begins does not meet it."""
    for interval in some:
        after = Interval(interval.end, interval.end + timedelta(minutes=1))
        assert interval.clip(after) is None
        assert not interval.contains(interval.end)
        assert interval.contains(interval.start)
