"""What keeps coming back becomes a problem, once."""

from dataclasses import replace
from datetime import timedelta

from agent.model.incident import ProblemState
from agent.model.rule import Recurrence
from tests.core.play import CONFIG, Play, ref

TWICE_A_DAY = Recurrence(incidents=2, within=timedelta(days=1))
HOUR_S = 3600


def come_and_go(play: Play, kind: str = "ServiceSlow", service: str = "db", times: int = 1) -> None:
    """Incidents of one kind, each over and closed before the next."""
    for _ in range(times):
        play.resolve(play.fire(kind, service=service))
        play.wait(HOUR_S)


def test_the_third_incident_of_one_kind_is_a_problem() -> None:
    """It names what they have in common; the incident that made it so points to it."""
    play = Play()
    come_and_go(play, times=2)
    assert play.state.problems == {}
    come_and_go(play)
    problem = play.state.problems["PRB-1"]
    assert problem.title == "db failed 3 times in 30 days"
    assert (problem.state, problem.reason) == (ProblemState.OPEN, "recurred")
    assert (problem.cause, problem.incidents) == (ref("db"), ("INC-1", "INC-2", "INC-3"))
    assert play.incident(3).problem == "PRB-1"
    assert play.story("PRB-1") == ["recurred"]


def test_a_fourth_joins_the_open_problem() -> None:
    """One problem a signature, with all its incidents."""
    play = Play()
    come_and_go(play, times=4)
    assert list(play.state.problems) == ["PRB-1"]
    assert play.state.problems["PRB-1"].incidents[-1] == "INC-4"


def test_other_causes_and_other_kinds_are_counted_apart() -> None:
    """Three different things that failed once are no problem."""
    play = Play()
    come_and_go(play, "ServiceSlow", "db")
    come_and_go(play, "DiskFull", "db")
    come_and_go(play, "ServiceSlow", "web1")
    assert play.state.problems == {}


def test_what_lies_out_of_the_window_does_not_count() -> None:
    """Twice a day is a problem, twice in two days is not."""
    play = Play(config=replace(CONFIG, recurrence=TWICE_A_DAY))
    come_and_go(play)
    play.wait(24 * HOUR_S)
    come_and_go(play)
    assert play.state.problems == {}
    come_and_go(play)
    assert list(play.state.problems) == ["PRB-1"]


def test_one_incident_that_flaps_is_one() -> None:
    """Reopened and resolved again it counts once."""
    play = Play()
    for _ in range(5):
        play.resolve(play.fire("ServiceSlow", service="db"))
        play.wait(60)
    assert play.incident().reopened == 4
    assert play.state.problems == {}


def test_what_has_no_place_recurs_by_its_name() -> None:
    """A problem needs no map."""
    play = Play(config=replace(CONFIG, recurrence=TWICE_A_DAY))
    for _ in range(2):
        play.resolve(play.fire("Odd", host="x1"))
        play.wait(HOUR_S)
    assert play.state.problems["PRB-1"].title == "Odd on x1 failed 2 times in 1 days"


def test_a_closed_problem_does_not_take_in_new_incidents() -> None:
    """It was solved: what comes back now is a new one."""
    play = Play(config=replace(CONFIG, recurrence=TWICE_A_DAY))
    come_and_go(play, times=2)
    solved = replace(play.state.problems["PRB-1"], state=ProblemState.CLOSED)
    play.state.problems["PRB-1"] = solved
    come_and_go(play)
    assert list(play.state.problems) == ["PRB-1", "PRB-2"]
