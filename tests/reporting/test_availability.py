"""Every availability figure is a sum over intervals, and unknown is never up."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from agent.model.incident import EVERYTHING, StateInterval
from agent.model.interval import Interval
from agent.model.service import Health
from agent.reporting.availability import Availability, availability

T0 = datetime(2026, 3, 1, tzinfo=UTC)
DAY = Interval(T0, T0 + timedelta(hours=24))
WEB = "component:default/web"


def hours(number: float) -> datetime:
    """A moment of the day."""
    return T0 + timedelta(hours=number)


def state(
    start: float,
    end: float | None,
    health: Health = Health.DOWN,
    *,
    entity: str = WEB,
    excused_by: str | None = None,
) -> StateInterval:
    """An interval of the day, in hours."""
    return StateInterval(
        entity=entity,
        start=hours(start),
        end=None if end is None else hours(end),
        health=health,
        excused_by=excused_by,
    )


def measure(*items: StateInterval, known_until: float = 24, since: float = 0) -> Availability:
    """Availability of the day."""
    return availability(
        WEB,
        items,
        window=DAY,
        known_until=hours(known_until),
        watched_since=hours(since),
    )


@pytest.mark.parametrize(
    ("items", "down_hours"),
    [
        ((state(1, 2),), 1),
        ((state(1, 3), state(2, 4)), 3),
        ((state(-5, 1),), 1),
        ((state(23, 30),), 1),
        ((state(22, None),), 2),
        ((state(1, 2, Health.DEGRADED),), 0),
        ((state(1, 2, entity="component:default/other"),), 0),
    ],
    ids=["one", "overlap", "began before", "ends after", "still open", "degraded", "another's"],
)
def test_downtime_is_the_union_inside_the_window(
    items: tuple[StateInterval, ...], down_hours: float
) -> None:
    """Overlaps count once, what lies outside does not count."""
    assert measure(*items).down == timedelta(hours=down_hours)


def test_an_excused_outage_shortens_the_agreed_time() -> None:
    """Planned downtime is neither up nor down."""
    result = measure(state(0, 4, excused_by="calendar:patch-night"), state(4, 5))
    assert result.agreed == timedelta(hours=20)
    assert result.share == pytest.approx(19 / 20)


def test_unknown_is_a_range_and_never_up() -> None:
    """While nobody watched, the figure is between all bad and all good."""
    result = measure(state(0, 12, Health.UNKNOWN, entity=EVERYTHING), state(12, 15))
    assert result.unknown == timedelta(hours=12)
    assert result.share == pytest.approx(9 / 12)
    assert (result.lowest, result.highest) == (pytest.approx(9 / 24), pytest.approx(21 / 24))


def test_before_the_watch_began_nothing_is_known() -> None:
    """A service that is watched since noon has half a day of unknown."""
    assert measure(since=12).unknown == timedelta(hours=12)
    assert measure(since=24).share is None


def test_a_mean_needs_three_outages() -> None:
    """Two outages have a count and lengths, but no mean."""
    two = measure(state(1, 2), state(3, 4))
    three = measure(state(1, 2), state(3, 4), state(5, 6.5))
    assert two.mean_time_to_restore is None
    assert three.mean_time_to_restore == timedelta(hours=3.5) / 3


def test_figures_can_be_written_down() -> None:
    """Durations are exact seconds, so a report can be reproduced from its own rows."""
    result = measure(state(1, 2))
    assert json.dumps(result.down.total_seconds()) == "3600.0"


def test_what_lies_outside_or_has_no_length_counts_nothing() -> None:
    """Neither an interval of another day nor one that ended where it began."""
    result = measure(state(-5, -3), state(30, 31), state(4, 4))
    assert (result.down, result.outages) == (timedelta(), ())


def test_after_the_last_word_nothing_is_known() -> None:
    """An agent that fell silent at noon knows half of the day."""
    assert measure(known_until=12).unknown == timedelta(hours=12)


def test_a_window_before_the_watch_or_wholly_excused_has_no_figure() -> None:
    """Nothing was promised, or nothing is known: there is no share of nothing."""
    never = availability(WEB, (), window=DAY, known_until=hours(24), watched_since=None)
    assert (never.share, never.unknown) == (None, timedelta(hours=24))
    excused = measure(state(0, 24, excused_by="calendar:move"))
    assert (excused.share, excused.lowest, excused.highest) == (None, None, None)


def test_an_outage_names_its_incidents_and_whether_it_was_announced() -> None:
    """Two intervals that touch are one outage; it is excused only if all of it is."""
    mixed = measure(state(1, 2, excused_by="calendar:x"), state(2, 3), state(5, None))
    assert [(o.interval.length, o.is_excused, o.is_over) for o in mixed.outages] == [
        (timedelta(hours=2), False, True),
        (timedelta(hours=19), False, False),
    ]
    assert mixed.restorations == (timedelta(hours=2),)
