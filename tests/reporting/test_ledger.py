"""The ledger is the agreed time itself: no gap, no overlap, and the worst that was seen counts."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.model.incident import EVERYTHING, StateInterval
from agent.model.interval import Interval, union
from agent.model.service import Health
from agent.reporting.availability import Availability, Convention, availability
from agent.reporting.ledger import ledger

T0 = datetime(2026, 3, 1, tzinfo=UTC)
WEB = "component:default/web"
HOURS = 12
WINDOW = Interval(T0, T0 + timedelta(hours=HOURS))
RANK = {Health.DOWN: 3, Health.DEGRADED: 2, Health.UNKNOWN: 1, Health.UP: 0}


def hour(number: int) -> datetime:
    """A moment around the window."""
    return T0 + timedelta(hours=number)


@st.composite
def stated(draw: st.DrawFn) -> StateInterval:
    """An interval that may begin before the window, end after it, or not at all."""
    start = draw(st.integers(-3, HOURS + 2))
    length = draw(st.one_of(st.none(), st.integers(0, 8)))
    return StateInterval(
        entity=draw(st.sampled_from((WEB, EVERYTHING))),
        start=hour(start),
        end=None if length is None else hour(start + length),
        health=draw(st.sampled_from(Health)),
        incident=draw(st.sampled_from((None, "INC-1", "INC-2"))),
        excused_by=draw(st.sampled_from((None, "calendar:patch"))),
    )


@given(
    st.lists(stated(), max_size=6),
    st.integers(-2, HOURS + 2),
    st.one_of(st.none(), st.integers(-2, HOURS)),
    st.one_of(st.none(), st.lists(st.tuples(st.integers(-1, 11), st.integers(1, 4)), max_size=3)),
)
def test_every_hour_of_the_agreed_time_is_told_once_and_by_the_worst_that_was_seen(
    items: list[StateInterval],
    known_until: int,
    since: int | None,
    agreed: list[tuple[int, int]] | None,
) -> None:
    """Against a look at each hour by itself."""
    hours = None if agreed is None else [Interval(hour(a), hour(a + n)) for a, n in agreed]
    told = ledger(
        WEB,
        items,
        window=WINDOW,
        known_until=hour(known_until),
        watched_since=None if since is None else hour(since),
        agreed=hours,
    )
    seen: dict[int, Health] = {}
    for number in range(HOURS):
        at = hour(number)
        if hours is not None and not any(each.contains(at) for each in hours):
            continue
        states = [
            item.health for item in items if item.start <= at < (item.end or hour(known_until))
        ]
        if since is None or number < since or number >= known_until:
            states.append(Health.UNKNOWN)
        seen[number] = max(states, key=RANK.__getitem__, default=Health.UP)
    sliced = {
        number: piece.health
        for number in range(HOURS)
        for piece in told.slices
        if piece.interval.contains(hour(number))
    }
    assert seen == sliced
    for one, other in pairwise(told.slices):
        assert one.interval.end <= other.interval.start
    served = union(part for each in (hours or [WINDOW]) if (part := each.clip(WINDOW)))
    if hours is None or hours:
        assert served == union(piece.interval for piece in told.slices)


def measured(*items: StateInterval, convention: Convention) -> Availability:
    """The figures of the window."""
    return availability(
        WEB,
        items,
        window=WINDOW,
        known_until=WINDOW.end,
        watched_since=WINDOW.start,
        convention=convention,
    )


def down(start: int, end: int, *, incident: str, excused_by: str | None = None) -> StateInterval:
    """An outage of the window, in hours."""
    return StateInterval(
        entity=WEB,
        start=hour(start),
        end=hour(end),
        health=Health.DOWN,
        incident=incident,
        excused_by=excused_by,
    )


def test_both_conventions_of_excused_time_are_told_apart() -> None:
    """Left out, three of nine agreed hours are lost; counted as up, three of twelve."""
    items = (
        down(0, 3, incident="INC-1", excused_by="calendar:patch"),
        down(3, 6, incident="INC-2"),
    )
    assert 1 - 3 / 9 == measured(*items, convention=Convention.LEFT_OUT).share
    assert 1 - 3 / 12 == measured(*items, convention=Convention.COUNTS_AS_UP).share


def test_an_outage_over_night_is_one_and_only_its_service_time_counts() -> None:
    """Down from 3 to 9 with service hours 0 to 4 and 8 to 12: one outage of two hours."""
    told = availability(
        WEB,
        [down(3, 9, incident="INC-1")],
        window=WINDOW,
        known_until=WINDOW.end,
        watched_since=WINDOW.start,
        agreed=[Interval(hour(0), hour(4)), Interval(hour(8), hour(12))],
    )
    assert [timedelta(hours=2)] == [outage.length for outage in told.outages]
    assert 1 - 2 / 8 == told.share
