"""A problem is moved by people, verified by absence, and reopened by what comes back."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from agent.core.draft import Draft
from agent.core.problems.record import propose, raise_problem
from agent.core.state import CLOSED_KEPT
from agent.model.effect import Notify, WriteTicket
from agent.model.problem import MOVES, Occurrence, ProblemState, Proposal, Record
from agent.model.problem_entries import FixPlanned, KnownErrorRecorded, ProblemMoved
from agent.model.rule import Recurrence, Route, Ticketing
from tests.core.play import CONFIG, START, Play, minutes, ref

HOUR_S = 3600
DAY_S = 24 * HOUR_S
TWICE = replace(
    CONFIG,
    recurrence=Recurrence(incidents=2, absent_for=timedelta(days=3)),
    routes=(Route(name="all", receiver="oncall", group_wait=timedelta(0)),),
    ticketing=(Ticketing(name="desk", connector="redmine"),),
)
KNOWN = KnownErrorRecorded(
    problem="PRB-1",
    cause="The pool leaks connections",
    workaround="Restart the database",
    remediation="restart-service",
    by="ann",
)


def come_and_go(play: Play) -> None:
    """An incident that is restarted away, and closed."""
    said = play.fire("ServiceDown", service="db")
    play.play()
    play.resolve(said)
    play.wait(HOUR_S)


def with_problem() -> Play:
    """A play in which the database has failed twice."""
    play = Play(config=TWICE)
    come_and_go(play)
    come_and_go(play)
    assert list(play.state.problems) == ["PRB-1"]
    return play


def move(play: Play, to: ProblemState, note: str = "") -> str | None:
    """Ann moves the problem; answers with the reason of a refusal."""
    said = ProblemMoved(problem="PRB-1", to=to, by="ann", note=note)
    refusal = play.feed(said).refusal
    return refusal.reason.value if refusal else None


def test_from_the_incident_to_the_review() -> None:
    """Every step of ITIL's problem management, each said by a person, each in the story."""
    play = with_problem()
    assert move(play, ProblemState.INVESTIGATING) is None
    assert play.state.problems["PRB-1"].assignee == "ann"
    play.feed(KNOWN)
    play.feed(FixPlanned(problem="PRB-1", change="CHG-9", by="ann", note="new pool"))
    assert play.state.problems["PRB-1"].state is ProblemState.FIX_PLANNED
    assert move(play, ProblemState.RESOLVED) is None
    assert move(play, ProblemState.CLOSED, "Pools need a limit") == "not_verified"
    play.wait(3 * DAY_S + 1)
    assert play.state.problems["PRB-1"].verified_at is not None
    assert move(play, ProblemState.CLOSED) == "move_refused"
    assert move(play, ProblemState.CLOSED, "Pools need a limit") is None
    closed = play.state.problems["PRB-1"]
    assert (closed.review, closed.fix and closed.fix.change) == ("Pools need a limit", "CHG-9")
    assert play.story("PRB-1") == [
        "recurred",
        "problem_moved",
        "known_error_recorded",
        "fix_planned",
        "problem_moved",
        "problem_verified",
        "problem_moved",
    ]
    play.wait(CLOSED_KEPT.total_seconds() + 1)
    assert play.state.problems == {}


@pytest.mark.parametrize(
    ("at", "to"),
    [(a, b) for a, b in product(ProblemState, repeat=2) if a is not b and b not in MOVES[a]],
)
def test_no_other_move_is_made(at: ProblemState, to: ProblemState) -> None:
    """What is refused changes nothing and says where it goes from here."""
    play = with_problem()
    here = replace(play.state.problems["PRB-1"], state=at)
    play.state.problems["PRB-1"] = here
    assert move(play, to, "learnt") == "move_refused"
    assert play.state.problems["PRB-1"] == here


def test_what_comes_back_after_the_fix_reopens_it() -> None:
    """Once is enough, and the fix that did not hold is named."""
    play = with_problem()
    play.feed(FixPlanned(problem="PRB-1", change="CHG-9", by="ann"))
    move(play, ProblemState.RESOLVED)
    play.resolve(play.fire("ServiceDown", service="db"))
    play.wait(HOUR_S)
    problem = play.state.problems["PRB-1"]
    assert (problem.state, problem.reopened, len(problem.occurrences)) == (ProblemState.OPEN, 1, 3)
    assert play.said("PRB-1", "problem_reopened") == ["INC-3 came after CHG-9: it is not mended"]
    play.wait(4 * DAY_S)
    assert play.state.problems["PRB-1"].verified_at is None


def test_a_new_incident_of_a_known_error_opens_with_what_helps() -> None:
    """In the incident, its story, its ticket and what people are told."""
    play = with_problem()
    play.feed(KNOWN)
    play.effects.clear()
    play.fire("ServiceDown", service="db")
    incident = play.incident(3)
    assert incident.workaround is not None
    assert incident.workaround.record == Record(remediation="restart-service", tried=2, verified=2)
    said = "Restart the database; remediation restart-service (verified 2 of 2 times)"
    assert play.said("INC-3", "known_error") == [
        f"looks like PRB-1 (The pool leaks connections): {said}"
    ]
    play.wait(1)
    assert said in play.take(WriteTicket).ticket.body
    assert said in play.take(Notify).body


def test_other_incidents_open_without_it() -> None:
    """Another cause, or another kind of alert, is no such error; neither is what is only open."""
    play = with_problem()
    play.fire("ServiceDown", service="db")
    assert (play.incident(3).problem, play.incident(3).workaround) == ("PRB-1", None)
    play.feed(KNOWN)
    play.fire("DiskFull", service="web1")
    play.wait(HOUR_S)
    play.fire("Odd", service="web2")
    last = play.incident(play.state.incident_count)
    assert last.workaround is None


def test_a_remediation_that_does_not_exist_is_no_workaround() -> None:
    """It is refused, and so is a word about a problem that is not there."""
    play = with_problem()
    wrong = play.feed(replace(KNOWN, remediation="pray")).refusal
    nobody = play.feed(replace(KNOWN, problem="PRB-9")).refusal
    assert ["not_found", "not_found"] == [r.reason for r in (wrong, nobody) if r is not None]


def occurrence(
    number: int, tried: tuple[str, ...] = (), helped: tuple[str, ...] = ()
) -> Occurrence:
    """An incident of ten minutes."""
    at = START + timedelta(days=number)
    return Occurrence(
        incident=f"INC-{number}",
        started_at=at,
        ended_at=at + minutes(10),
        cost=None,
        cause=ref("db") if number % 2 else ref("web1"),
        evidence=("alerts itself", f"number {number}"),
        tried=tried,
        helped=helped,
    )


def test_nothing_is_proposed_of_nothing() -> None:
    """And what never helped is no workaround."""
    assert propose(()) == Proposal()
    assert propose((occurrence(1, tried=("a",)),)).workaround is None


def test_what_helped_most_often_is_proposed_with_all_that_it_was_tried() -> None:
    """Helped two of three times; evidence that came once is left out."""
    seen = (
        occurrence(1, tried=("a", "b"), helped=("b",)),
        occurrence(3, tried=("b",), helped=("b",)),
        occurrence(5, tried=("b",)),
        occurrence(2, tried=("a",), helped=("a",)),
    )
    proposal = propose(seen)
    assert proposal.workaround == Record(remediation="b", tried=3, verified=2)
    assert (proposal.cause, proposal.times, proposal.evidence) == (ref("db"), 3, ("alerts itself",))


def test_raised_twice_it_is_one() -> None:
    """Whoever raises it: a signature has one problem that is not closed."""
    play = with_problem()
    draft = Draft(0, play.now)
    signature = play.state.problems["PRB-1"].signature
    again = raise_problem(
        play.state,
        draft,
        title="again",
        signature=signature,
        incident=None,
        reason=play.state.problems["PRB-1"].reason,
        incidents=("INC-8",),
    )
    assert (again.id, again.incidents[-1]) == ("PRB-1", "INC-8")
