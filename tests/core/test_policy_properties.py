"""The gate fails closed, and approvals are counted as an auditor would count them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.policy.approvals import valid_approvals
from agent.core.policy.calendar import takes
from agent.core.policy.judge import judge
from agent.model.calendar import Calendar, CalendarPurpose, CalendarWindow
from agent.model.change import Change, ChangeType
from agent.model.change_entries import ApprovalGiven
from agent.model.entry import CalendarsExpanded, ConfigLoaded
from agent.model.interval import Interval
from agent.model.policy import (
    Approval,
    Policy,
    PolicyRule,
    Verdict,
)
from agent.model.reason import Reason
from agent.model.rule import Config
from tests.core.play import ALLOW, CONFIG, RULE, START, Play

NORMAL = replace(CONFIG, remediation_rules=(replace(RULE, change=ChangeType.NORMAL),))
TYPES = tuple(ChangeType)


def asked(config: Config) -> tuple[Play, Change]:
    """A change that a rule asked for, before anything about it is changed."""
    play = Play(config)
    play.fire("ServiceDown", service="web1", host="app1")
    return play, play.state.changes["CHG-1"]


def fresh(change: Change, **more: object) -> Change:
    """The same change as if nobody had judged it yet."""
    return replace(change, id="CHG-0", decision=None, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("type", TYPES)
def test_without_a_policy_nothing_may_run(type: ChangeType) -> None:
    """A missing policy is a refusal, for emergencies too (I20)."""
    play, change = asked(CONFIG)
    play.feed(ConfigLoaded(config=replace(CONFIG, digest="c2", policy=None)))
    decision = judge(play.state, fresh(change, type=type), play.now)
    assert (Verdict.REFUSED, Reason.POLICY_MISSING) == (decision.verdict, decision.reason)


@pytest.mark.parametrize("type", TYPES)
@given(days=st.integers(-400, 400))
def test_a_calendar_that_cannot_be_read_denies(type: ChangeType, days: int) -> None:
    """Outside of what was worked out a calendar is unreadable, however far."""
    play, change = asked(CONFIG)
    start = START + timedelta(days=days)
    horizon = Interval(start, start + timedelta(days=30))
    calendar = Calendar(
        name="year",
        permits=(),
        windows=(),
        horizon=horizon,
    )
    play.feed(ConfigLoaded(config=replace(CONFIG, digest="c2", calendars=("year",))))
    play.feed(CalendarsExpanded(calendars=(calendar,)))
    decision = judge(play.state, fresh(change, type=type), play.now)
    assert (decision.reason is Reason.POLICY_MISSING) == (not horizon.contains(play.now))


def test_a_condition_that_cannot_be_told_refuses() -> None:
    """A rule that fails to evaluate never lets a later rule allow it."""
    rule = PolicyRule(name="odd", when='service.owner == "nobody"', verdict=Verdict.ALLOWED)
    policy = Policy(digest="p2", rules=(rule, *ALLOW.rules))
    play, change = asked(replace(CONFIG, digest="c2", policy=policy))
    decision = judge(play.state, fresh(change), play.now)
    assert (Verdict.REFUSED, Reason.POLICY_FAILED) == (decision.verdict, decision.reason)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 120), st.integers(1, 40)), max_size=5), st.integers(0, 150)
)
def test_a_freeze_is_what_counting_minutes_says(windows: list[tuple[int, int]], now: int) -> None:
    """Nothing is allowed in a freeze, or where all it may take would reach into one."""
    play, change = asked(CONFIG)
    length = takes(CONFIG.remediations[change.remediation]) // timedelta(minutes=1)
    found = tuple(
        CalendarWindow(
            interval=Interval(
                START + timedelta(minutes=start), START + timedelta(minutes=start + length)
            ),
            summary="freeze",
            purposes=(CalendarPurpose.FREEZE,),
            entities=(),
        )
        for start, length in windows
    )
    play.state.calendars = {
        "year": Calendar(
            name="year",
            permits=(),
            windows=tuple(sorted(found, key=lambda window: window.interval)),
            horizon=Interval(START, START + timedelta(days=1)),
        )
    }
    frozen = {m for start, length in windows for m in range(start, start + length)}
    decision = judge(play.state, fresh(change), START + timedelta(minutes=now))
    is_frozen = bool(frozen & set(range(now, now + length)))
    assert is_frozen == (decision.reason is Reason.FROZEN)


PEOPLE = ("ann", "bob", "carol")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(PEOPLE),
            st.sampled_from(["approver", "viewer"]),
            st.booleans(),
            st.integers(0, 20),
        ),
        max_size=6,
    )
)
def test_approvals_count_once_a_person_in_time_by_others(
    given_: list[tuple[str, str, bool, int]],
) -> None:
    """By role, of this content, not older than allowed, never by the rule's author (I18, I19)."""
    play, change = asked(NORMAL)
    rule = ALLOW.rules[1]
    approvals = tuple(
        Approval(
            by=by,
            at=play.now - timedelta(hours=hours),
            role=role,
            binding=change.binding if is_bound else "another",
        )
        for by, role, is_bound, hours in given_
    )
    counted = valid_approvals(play.state, replace(change, approvals=approvals), rule, play.now)
    expected = {
        by
        for by, role, is_bound, hours in given_
        if is_bound and role == "approver" and hours <= 8 and by != "ann"
    }
    assert expected == {approval.by for approval in counted}
    assert len(expected) == len(counted)


@pytest.mark.parametrize(
    ("by", "roles", "reason"),
    [
        ("ann", ("approver",), Reason.SELF_APPROVAL),
        ("bob", ("viewer",), Reason.ROLE_MISSING),
    ],
)
def test_who_may_not_approve_is_told_so(by: str, roles: tuple[str, ...], reason: Reason) -> None:
    """The author of the rule and people without the role change nothing."""
    play, change = asked(NORMAL)
    said = ApprovalGiven(change=change.id, binding=change.binding, by=by, roles=roles)
    transition = play.feed(said)
    assert transition.refusal is not None
    assert (reason, ()) == (transition.refusal.reason, transition.effects)


def test_an_approval_of_something_else_is_void() -> None:
    """What would run must be what the person saw."""
    play, change = asked(NORMAL)
    said = ApprovalGiven(change=change.id, binding="another", by="bob", roles=("approver",))
    refusal = play.feed(said).refusal
    assert refusal is not None
    assert Reason.APPROVAL_VOID == refusal.reason
