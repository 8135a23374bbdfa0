"""What people owe a change after it ran: an answer for an emergency, a review of a failure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core.changes.duties import review_wanted
from agent.core.state import CLOSED_KEPT
from agent.model.calendar import CalendarPurpose
from agent.model.change import Change, ChangeState, ChangeType, Closure, Passed
from agent.model.change_entries import ChangeReviewed, RetroDecided
from agent.model.duty import RetroDuty, ReviewDuty, ReviewOutcome
from agent.model.effect import Notify
from agent.model.entry import ChangeRequested, NotificationSent
from agent.model.policy import EmergencyPolicy
from agent.model.remediation import Outcome
from agent.model.risk import Risk, RiskLevel
from agent.model.rule import Route
from agent.model.transition import Transition
from tests.core.gate import rule, ruled
from tests.core.play import CONFIG, START, Play, calendar, ref

HOUR = timedelta(hours=1)


def emergency(play: Play, service: str = "db", by: str = "cleo") -> Transition:
    """Somebody asks for what cannot wait."""
    return play.feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref(service),
            parameters={"service": service},
            by=by,
            type=ChangeType.EMERGENCY,
            incident="INC-1",
        )
    )


def ran() -> Play:
    """An emergency that helped."""
    play = ruled(rule())
    play.fire("Slow", service="web1")
    emergency(play)
    play.play()
    play.wait(60)
    assert play.change().state is ChangeState.CLOSED
    return play


def retro(play: Play) -> RetroDuty:
    """The late approval of the change."""
    duty = play.change().retro
    assert duty is not None
    return duty


def review(play: Play) -> ReviewDuty:
    """The review of the change."""
    duty = play.change().review
    assert duty is not None
    return duty


def answer(play: Play, by: str = "dora", **more: object) -> str | None:
    """Somebody answers for it; the reason where they may not."""
    said = RetroDecided(change="CHG-1", approves=True, by=by, roles=("approver",))
    told = play.feed(replace(said, **more))  # type: ignore[arg-type]
    return told.refusal.reason if told.refusal else None


def look_back(play: Play, **more: object) -> str | None:
    """Somebody reviews it; the reason where they cannot."""
    said = ChangeReviewed(
        change="CHG-1", by="cleo", outcome=ReviewOutcome.AS_INTENDED, text="it did what it should"
    )
    told = play.feed(replace(said, **more))  # type: ignore[arg-type]
    return told.refusal.reason if told.refusal else None


def test_an_emergency_names_its_incident() -> None:
    """Without one it is none."""
    told = ruled(rule()).feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref("db"),
            parameters={"service": "db"},
            by="cleo",
            type=ChangeType.EMERGENCY,
        )
    )
    assert told.refusal is not None
    assert told.refusal.reason == "incident_missing"


def test_every_emergency_that_starts_owes_an_answer() -> None:
    """From the start on, with the deadline of the policy and the owner of the target."""
    play = ruled(rule())
    policy = play.state.config.policy
    assert policy is not None
    rules = EmergencyPolicy(retro_within=HOUR, roles=("sre",))
    play.reload(policy=replace(policy, emergency=rules))
    play.fire("Slow", service="web1")
    emergency(play)
    assert play.change().retro is None
    play.launch()
    assert retro(play) == RetroDuty(
        opened_at=START, due_at=START + HOUR, roles=("sre",), team="group:default/dba"
    )
    assert answer(play, roles=("approver",)) == "role_missing"
    assert answer(play, roles=("sre",)) is None


def test_days_off_are_nobodys_deadline() -> None:
    """Where calendars tell business hours, there is time until the end of the next working day."""
    friday, monday = START + timedelta(hours=3), START + timedelta(days=3)
    spans = (START - HOUR, friday), (monday, monday + timedelta(hours=8))
    play = ruled(rule())
    play.calendars(calendar("office", *spans, purpose=CalendarPurpose.HOURS))
    play.fire("Slow", service="web1")
    emergency(play)
    play.launch()

    assert retro(play).due_at == monday + timedelta(hours=8)


def test_what_is_no_emergency_owes_none() -> None:
    """Approved before, or standard."""
    play = ruled(rule())
    play.fire("ServiceDown", service="web1")
    play.play()
    assert play.change().retro is None


@pytest.mark.parametrize(
    ("by", "more", "reason"),
    [
        ("cleo", {}, "self_approval"),
        ("Cleo", {}, "self_approval"),
        ("ann", {}, "self_approval"),
        ("robot", {"is_service": True}, "no_person"),
        ("dora", {"roles": ("operator",)}, "role_missing"),
        ("dora", {"scopes": ("owner:sales",)}, "out_of_scope"),
        ("dora", {"approves": False}, "note_missing"),
        ("dora", {"change": "CHG-7"}, "not_open"),
    ],
)
def test_an_answer_that_does_not_count(by: str, more: dict[str, object], reason: str) -> None:
    """Another person, in the role, in the scope, once; a no with its reason."""
    play = ran()
    assert answer(play, by, **more) == reason
    assert retro(play).is_open


def test_an_answer_is_given_once() -> None:
    """Who, as what, when."""
    play = ran()
    assert answer(play, note="it was right") is None
    assert (retro(play).by, retro(play).role, retro(play).state) == ("dora", "approver", "approved")
    assert answer(play, "gus") == "not_open"


def test_a_no_afterwards_asks_for_a_review() -> None:
    """With the reason in the story."""
    play = ran()
    assert answer(play, approves=False, note="a restart could have waited") is None
    assert retro(play).state == "rejected"
    assert play.said("CHG-1", "retro_rejected") == [
        "not accepted afterwards as approver: a restart could have waited"
    ]
    assert review(play).is_open


def test_who_has_not_answered_in_time_gets_no_further_emergency() -> None:
    """Neither the team nor the person; others go on, and an answer ends it."""
    play = ran()
    play.wait(25 * 3600)
    assert (retro(play).is_overdue, play.story("CHG-1").count("retro_overdue")) == (True, 1)
    emergency(play, "web2")
    assert play.change(2).decision is not None
    assert play.change(2).outcome_text == (
        "CHG-1 was an emergency of person:cleo that nobody has answered for in time"
    )
    emergency(play, "db", by="gus")
    assert play.change(3).outcome_text == (
        "CHG-1 was an emergency of group:default/dba that nobody has answered for in time"
    )
    emergency(play, "web2", by="gus")
    assert play.change(4).state is not ChangeState.CLOSED
    answer(play)
    emergency(play, "db", by="gus")
    assert play.change(5).state is not ChangeState.CLOSED


def test_people_are_told_of_what_is_overdue() -> None:
    """It is news of the incident."""
    play = Play(
        config=replace(ruled(rule()).config, routes=(Route(name="all", receiver="oncall"),))
    )
    play.fire("Slow", service="web1")
    emergency(play)
    play.play()
    told = ""
    for _ in range(6):
        play.wait(5 * 3600)
        while play.asked(Notify):
            notify = play.take(Notify)
            told += notify.body
            play.feed(NotificationSent(effect=notify.id))
    assert "CHG-1 was an emergency, somebody else has to answer for it until" in told
    assert "CHG-1 nobody has answered for this emergency in time" in told


def test_what_is_owed_something_is_not_forgotten() -> None:
    """Its incident is gone for days; with the answer and the review it goes too."""
    play = ran()
    for said in [active.alert for active in play.state.alerts.values()]:
        play.resolve(said)
    play.wait(5 * CLOSED_KEPT.total_seconds())
    assert (list(play.state.incidents), list(play.state.changes)) == ([], ["CHG-1"])
    answer(play)
    play.wait(CLOSED_KEPT.total_seconds())
    assert list(play.state.changes) == ["CHG-1"]
    look_back(play)
    play.wait(2 * CLOSED_KEPT.total_seconds())
    assert play.state.changes == {}


def test_what_failed_is_reviewed() -> None:
    """With how its alert stood before and after, and until when."""
    play = Play(config=replace(CONFIG, policy=ruled(rule()).config.policy))
    play.fire("ServiceDown", service="web1")
    play.play(Outcome.FAILED)
    play.play(Outcome.OK)
    assert review(play) == ReviewDuty(
        why="had to be rolled back",
        opened_at=START,
        due_at=START + timedelta(days=7),
        symptom_before="ServiceDown fires",
        symptom_after="ServiceDown fires",
    )
    play.wait(7 * 24 * 3600 + 1)
    assert review(play).is_overdue
    assert look_back(play, text=" ") == "note_missing"
    assert look_back(play, is_service=True) == "no_person"
    assert look_back(play, problem="PRB-9") == "not_found"
    assert look_back(play, outcome=ReviewOutcome.NOT_EFFECTIVE, lessons="ask first") is None
    assert (review(play).by, review(play).outcome) == ("cleo", "not_effective")
    assert look_back(play) == "not_open"


def test_what_went_well_is_reviewed_by_choice_only() -> None:
    """Once it is over; a standard change is of known risk."""
    play = ruled(rule())
    alert = play.fire("ServiceDown", service="web1")
    launch = play.launch()
    assert look_back(play) == "not_open"
    play.resolve(alert)
    play.finish(launch)
    play.wait(60)
    assert (play.change().closure, play.change().review) == ("success", None)
    assert look_back(play) is None
    assert (review(play).why, review(play).symptom_after) == ("was looked at by choice", "clear")


@pytest.mark.parametrize(
    ("level", "why"),
    [
        (RiskLevel.LOW, None),
        (RiskLevel.MEDIUM, None),
        (RiskLevel.HIGH, "was of high risk"),
        (RiskLevel.VERY_HIGH, "was of very high risk"),
    ],
)
def test_low_risk_that_went_well_needs_no_review(level: RiskLevel, why: str | None) -> None:
    """The level at the start counts; what never started needs none at all."""
    play = ruled(rule())
    play.fire("ServiceDown", service="web1")
    risk = Risk(level=level, score=1, inputs=(), version="v")
    change = replace(play.change(), type=ChangeType.NORMAL, closure=Closure.SUCCESS, risk=risk)
    assert review_wanted(change, was_started=True) == why
    assert review_wanted(change, was_started=False) is None
    assert review_wanted(replace(change, type=ChangeType.STANDARD), was_started=True) is None


def passed(change: Change) -> list[str]:
    """The states that it was in, in order."""
    return [one.state.value for one in change.passed]


def test_every_state_is_written_down_with_its_moment() -> None:
    """Those too that lasted no time at all."""
    play = ruled(rule())
    alert = play.fire("ServiceDown", service="web1")
    play.now += timedelta(seconds=3)
    launch = play.launch()
    play.resolve(alert)
    play.finish(launch)
    play.wait(60)
    assert passed(play.change()) == [
        "draft", "assessed", "authorised", "starting", "running", "verifying", "closed",
    ]  # fmt: skip
    assert play.change().passed[3:5] == (
        Passed(state=ChangeState.STARTING, at=START),
        Passed(state=ChangeState.RUNNING, at=START + timedelta(seconds=3)),
    )
