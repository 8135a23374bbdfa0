"""A new fault inside an open incident, and what only looks like one."""

from datetime import timedelta

from agent.model.entry import AlertsReceived
from agent.model.incident import IncidentState
from tests.core.play import Play, alert

HOLD = timedelta(minutes=10)
SERIES = 12


def burst(play: Play, kinds: range, *, every: float) -> None:
    """Events of these kinds, one after the other."""
    for number in kinds:
        said = alert(f"Kind{number}", at=play.now, expires=play.now + HOLD, service="web1")
        play.feed(AlertsReceived(source="test", alerts=(said,)))
        play.wait(every)


def live(play: Play) -> list[str]:
    """Incidents that are open."""
    return [i.id for i in play.state.incidents.values() if i.state is IncidentState.OPEN]


def test_series_that_all_fire_again_at_once_are_a_new_fault() -> None:
    """Everything since they began goes on in an incident of its own; the older keeps its name."""
    play = Play()
    burst(play, range(SERIES), every=1)
    play.wait(60)
    burst(play, range(SERIES), every=1)

    assert live(play) == ["INC-1", "INC-2"]
    assert play.state.members["INC-2"].alerts == SERIES
    assert {a.incident for a in play.state.alerts.values()} == {"INC-2"}


def test_the_boundary_goes_back_to_the_lull() -> None:
    """New kinds that came just before the first that fired again belong to the new fault."""
    play = Play()
    burst(play, range(SERIES), every=1)
    play.wait(60)
    burst(play, range(100, 103), every=1)
    burst(play, range(SERIES), every=1)

    assert play.state.members["INC-2"].alerts == SERIES + 3


def test_a_burst_of_new_series_is_no_new_fault() -> None:
    """Polling brings many at once: that alone splits nothing."""
    play = Play()
    burst(play, range(SERIES), every=1)
    play.wait(60)
    burst(play, range(100, 200), every=0.1)

    assert live(play) == ["INC-1"]


def test_one_series_that_flaps_is_no_new_fault() -> None:
    """It counts less each time."""
    play = Play()
    burst(play, range(SERIES), every=1)
    for _ in range(40):
        burst(play, range(1), every=3)

    assert live(play) == ["INC-1"]


def test_series_that_fire_again_now_and_then_are_no_new_fault() -> None:
    """The rate counts, not that they fire again."""
    play = Play()
    burst(play, range(SERIES), every=1)
    for _ in range(3):
        burst(play, range(SERIES), every=12)

    assert live(play) == ["INC-1"]


def test_repeats_of_the_same_occurrence_are_no_alert() -> None:
    """However often they are told."""
    play = Play()
    said = [
        alert(f"Kind{n}", at=play.now, expires=play.now + HOLD, service="web1")
        for n in range(SERIES)
    ]
    for _ in range(5):
        play.say(*said)

    assert live(play) == ["INC-1"]
    assert play.state.members["INC-1"].alerts == SERIES


def test_a_series_that_only_the_wave_has_stays_in_it() -> None:
    """Nothing tells a late word of the older from a series of the newer that fires again."""
    play = Play()
    burst(play, range(SERIES), every=1)
    play.wait(60)
    burst(play, range(SERIES), every=1)
    burst(play, range(50, 51), every=1)
    burst(play, range(50, 51), every=1)

    assert {a.incident for a in play.state.alerts.values()} == {"INC-2"}


def test_of_a_wave_after_a_wave_the_latest_goes_on() -> None:
    """Whoever the incidents are that it was split from, and whatever they reach."""
    play = Play()
    for _ in range(3):
        burst(play, range(SERIES), every=1)
        play.wait(30)
    burst(play, range(50, 51), every=1)

    assert live(play) == ["INC-1", "INC-2", "INC-3"]
    assert play.state.members["INC-3"].alerts == SERIES + 1
