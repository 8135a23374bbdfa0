"""What keeps coming back becomes a problem, once."""

from dataclasses import replace
from datetime import timedelta

from agent.core.draft import Draft
from agent.core.problems.recurrence import recur
from agent.model.incident import NO_CLEAR_EVIDENCE
from agent.model.problem import ProblemState, Record
from agent.model.problem_entries import ProblemMoved
from agent.model.rule import Recurrence
from tests.core.play import CONFIG, SHOP, Play, ref, service_map

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
    """Reopened and resolved again it counts once; soon it is held open as one."""
    play = Play()
    for _ in range(5):
        play.resolve(play.fire("ServiceSlow", service="db"))
        play.wait(60)
    assert play.incident().reopened == 3
    assert play.state.problems == {}


def test_what_has_no_place_recurs_by_its_name() -> None:
    """A problem needs no map."""
    play = Play(config=replace(CONFIG, recurrence=TWICE_A_DAY))
    for _ in range(2):
        play.resolve(play.fire("Odd", host="x1"))
        play.wait(HOUR_S)
    assert play.state.problems["PRB-1"].title == "Odd on x1 failed 2 times in 1 days"


def test_a_closed_problem_does_not_take_in_new_incidents() -> None:
    """It was solved: what comes back now is counted from the beginning, and is a new one."""
    play = Play(config=replace(CONFIG, recurrence=TWICE_A_DAY))
    come_and_go(play, times=2)
    play.feed(ProblemMoved(problem="PRB-1", to=ProblemState.CLOSED, by="ann", note="by design"))
    come_and_go(play)
    assert play.incident(3).problem is None
    come_and_go(play)
    assert play.incident(4).problem == "PRB-2"


def test_one_costly_incident_is_a_problem() -> None:
    """Downtime times what an hour of it costs whoever feels it, however few they are."""
    costly = replace(SHOP.entities[ref("shop")], cost_per_hour=6000.0)
    lower = replace(SHOP.entities[ref("db")], cost_per_hour=500.0)
    others = [SHOP.entities[ref(name)] for name in ("web1", "web2")]
    recurrence = Recurrence(cost=2900.0)
    shop = service_map(costly, lower, *others)
    play = Play(config=replace(CONFIG, service_map=shop, recurrence=recurrence))
    said = play.fire("ServiceSlow", service="db")
    play.wait(HOUR_S / 2)
    play.resolve(said)
    play.wait(HOUR_S)
    problem = play.state.problems["PRB-1"]
    assert (problem.reason, problem.occurrences[0].cost) == ("costly", 3000.0)
    assert problem.title == "db failed once in 30 days, which cost 3,000"


def test_patterns_are_counted_where_incidents_have_one() -> None:
    """What shows too little to tell is never one problem, however often it comes."""
    play = Play(config=replace(CONFIG, recurrence=TWICE_A_DAY))
    come_and_go(play)
    for pattern in ("INC-1", NO_CLEAR_EVIDENCE):
        for number in range(2, 5):
            play.state.incidents[f"INC-{number}"] = replace(
                play.incident(1), id=f"INC-{number}", pattern=pattern, problem=None
            )
        draft = Draft(0, play.now)
        draft.closed = dict.fromkeys(("INC-2", "INC-3", "INC-4"), "another signature")
        recur(play.state, draft)
    assert [one.signature for one in play.state.problems.values()] == ["INC-1"]
    assert play.state.problems["PRB-1"].incidents == ("INC-1", "INC-2", "INC-3", "INC-4")


def test_what_is_too_old_to_count_is_forgotten() -> None:
    """Of a pattern that never came back nothing is kept."""
    play = Play(config=replace(CONFIG, recurrence=TWICE_A_DAY))
    come_and_go(play)
    assert len(play.state.recurrences) == 1
    play.wait(25 * HOUR_S)
    assert play.state.recurrences == {}


def test_what_repeats_is_proposed() -> None:
    """The cause on top, what spoke for it, and the remediation that was verified most often."""
    play = Play(config=replace(CONFIG, recurrence=Recurrence(incidents=2)))
    for _ in range(2):
        said = play.fire("ServiceDown", service="db")
        play.play()
        play.resolve(said)
        play.wait(HOUR_S)
    proposal = play.state.problems["PRB-1"].proposal
    assert (proposal.cause, proposal.times, proposal.of) == (ref("db"), 2, 2)
    assert proposal.evidence
    assert proposal.workaround == Record(remediation="restart-service", tried=2, verified=2)
