"""Error budgets: what is left of the downtime that was promised away, and what follows."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.policy.budget import WINDOW, left_of
from agent.core.policy.memory import PIECES_MAX, add_piece
from agent.model.calendar import CalendarPurpose
from agent.model.change import ChangeType
from agent.model.entry import AgentStarted
from agent.model.interval import Interval, total
from tests.core.gate import answers, ask, overspent, promised
from tests.core.play import START, Play, calendar, minutes, ref

DAY = timedelta(days=1)
ALLOWED = WINDOW * 0.001


def left(play: Play, service: str = "web1") -> float | None:
    """What is left of a service's budget now."""
    return left_of(play.state, ref(service), play.now)


def down_for(play: Play, length: timedelta) -> None:
    """The service is down for so long."""
    said = play.fire("ServiceDown", service="web1")
    play.now += length
    play.resolve(said)


def test_a_budget_is_what_is_left_of_the_window() -> None:
    """99.9 % over four weeks allow 40 minutes; ten of them leave three quarters."""
    play = promised()
    play.now += 8 * DAY
    assert left(play) == 1
    down_for(play, ALLOWED / 4)
    assert left(play) == pytest.approx(0.75)


def test_what_lasts_counts_at_once() -> None:
    """Nobody waits for the end of an outage to reckon with it."""
    play = promised()
    play.now += 8 * DAY
    play.fire("ServiceDown", service="web1")
    play.now += ALLOWED * 2
    assert left(play) == pytest.approx(-1)


def test_too_little_watched_is_unknown() -> None:
    """Unless it is spent already: more to know cannot bring it back."""
    play = promised()
    play.now += DAY
    assert left(play) is None
    down_for(play, ALLOWED * 2)
    assert left(play) == pytest.approx(-1)


def test_nobody_watched_is_unknown() -> None:
    """Time in which the agent was away is no time watched."""
    play = promised()
    play.now += 8 * DAY
    play.feed(AgentStarted(version="1", last_alive=START + DAY))
    assert left(play) is None


def test_it_recovers_when_the_outage_has_left_the_window() -> None:
    """A budget rolls."""
    play = promised()
    play.now += 8 * DAY
    down_for(play, ALLOWED)
    assert left(play) == pytest.approx(0)
    play.now += WINDOW
    assert left(play) == 1


def test_a_window_of_ones_own() -> None:
    """A week allows a quarter of what four allow."""
    play = promised(objective_window=7 * DAY)
    play.now += 8 * DAY
    down_for(play, ALLOWED / 4)
    assert left(play) == pytest.approx(0)


def test_excused_time_does_not_count() -> None:
    """What a calendar excludes was announced."""
    play = promised()
    play.now += 8 * DAY
    window = (play.now - minutes(1), play.now + DAY)
    play.calendars(calendar("works", window, purpose=CalendarPurpose.EXCLUDE))
    down_for(play, ALLOWED * 2)
    assert left(play) == 1


@pytest.mark.parametrize(
    ("type", "answer"),
    [
        (ChangeType.NORMAL, ("refused", "budget_spent")),
        (ChangeType.STANDARD, ("allowed", "standard_change")),
        (ChangeType.EMERGENCY, ("allowed", "policy_allows")),
    ],
)
def test_what_is_spent_takes_emergencies_and_standard_changes(
    type: ChangeType, answer: tuple[str, str]
) -> None:
    """And nothing else."""
    play = promised()
    play.fire("ServiceDown", service="web1")
    play.wait(2 * 3600)
    ask(play, "web1", type)
    assert answers(play)[:2] == answer


def test_what_rests_on_the_target_counts_too() -> None:
    """The database serves a service that has nothing left."""
    play = promised()
    play.fire("ServiceDown", service="web1")
    play.wait(2 * 3600)
    ask(play, "db", ChangeType.NORMAL)
    assert answers(play)[1] == "budget_spent"


def test_policy_can_ignore_budgets() -> None:
    """Somebody decided that, in a file."""
    play = overspent()
    policy = play.state.config.policy
    assert policy is not None
    play.reload(policy=replace(policy, heeds_budget=False))
    ask(play, "web1", ChangeType.NORMAL)
    assert answers(play, 2)[0] == "allowed"


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 500)), max_size=60))
def test_joined_pieces_never_hide_downtime(spans: list[tuple[int, int]]) -> None:
    """Kept in fewer pieces, the time down only grows."""
    pieces: list[tuple[datetime, datetime]] = []
    moment = timedelta(seconds=1)
    said = sorted((START + a * moment, START + (a + b) * moment) for a, b in spans)
    for start, end in said:
        add_piece(pieces, start, end, limit=5)
    assert len(pieces) <= 5
    kept = total([Interval(*each) for each in pieces])
    assert kept >= total([Interval(*each) for each in said])


def test_pieces_are_bounded() -> None:
    """However often it flaps."""
    pieces: list[tuple[datetime, datetime]] = []
    for number in range(PIECES_MAX + 50):
        add_piece(pieces, START + minutes(2 * number), START + minutes(2 * number + 1))
    assert len(pieces) == PIECES_MAX
    assert (pieces[0][0], pieces[-1][1]) == (START, START + minutes(2 * (PIECES_MAX + 49) + 1))
