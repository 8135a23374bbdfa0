"""A person's word: of whom, in what role, for exactly what, for how long."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core.policy.binding import binding_of
from agent.model.calendar import CalendarPurpose
from agent.model.change import ChangeState, ChangeType, Closure
from agent.model.change_entries import ApprovalGiven, ApprovalRejected
from agent.model.effect import Notify, PrepareRun
from agent.model.entry import ChangeRequested
from agent.model.policy import PolicyRule, Verdict
from agent.model.remediation import Host
from agent.model.rule import Route
from agent.model.transition import Transition
from tests.core.play import ALLOW, CONFIG, RESTART, START, Play, calendar, ref

HOUR = timedelta(hours=1)


def asking(approvals: int = 1, **changes: object) -> Play:
    """A play in which a rule of ann's asks, and approvers must agree."""
    rule = PolicyRule(
        name="four-eyes",
        when="true",
        verdict=Verdict.NEEDS_APPROVAL,
        roles=("approver", "sre"),
        approvals=approvals,
    )
    play = Play(config=replace(CONFIG, policy=replace(ALLOW, rules=(rule,)), **changes))  # type: ignore[arg-type]
    play.fire("ServiceDown", service="web1", host="app1")
    return play


def approve(
    play: Play, by: str = "cleo", *, role: str = "approver", binding: str | None = None
) -> Transition:
    """A person approves what they see, or what they saw."""
    seen = play.change().binding if binding is None else binding
    return play.feed(ApprovalGiven(change="CHG-1", binding=seen, by=by, roles=(role,)))


def refused(told: Transition) -> str | None:
    """Why a person's word was not taken."""
    return told.refusal.reason if told.refusal else None


def test_an_approval_by_another_person_in_the_right_role_lets_it_start() -> None:
    """The decision names who approved it."""
    play = asking()
    assert play.change().state is ChangeState.AWAITING_APPROVAL
    assert refused(approve(play)) is None
    decision = play.change().decision
    assert decision is not None
    assert (decision.reason, decision.text) == ("approved", "approved by cleo")
    assert play.asked(PrepareRun) == 1


@pytest.mark.parametrize(
    ("by", "role", "binding", "reason"),
    [
        ("ann", "approver", None, "self_approval"),
        ("cleo", "operator", None, "role_missing"),
        ("cleo", "approver", "another", "approval_void"),
    ],
    ids=["the rule's author", "no role in it", "another content"],
)
def test_a_word_that_does_not_count_is_refused(
    by: str, role: str, binding: str | None, reason: str
) -> None:
    """Nothing is changed, and the person hears why."""
    play = asking()
    told = approve(play, by, role=role, binding=binding)
    assert (refused(told), told.records) == (reason, ())
    assert play.change().state is ChangeState.AWAITING_APPROVAL


def test_who_asked_for_it_cannot_approve_it() -> None:
    """Four eyes: two people."""
    play = Play()
    play.feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref("web1"),
            parameters={"service": "web1"},
            by="cleo",
            type=ChangeType.NORMAL,
        )
    )
    assert refused(approve(play, "cleo")) == "self_approval"
    assert refused(approve(play, "dora")) is None
    assert play.change().state is ChangeState.STARTING


def test_two_approvals_are_of_two_people() -> None:
    """The same person twice is one."""
    play = asking(approvals=2)
    approve(play, "cleo")
    approve(play, "cleo", role="sre")
    change = play.change()
    assert (change.state, len(change.approvals)) == (ChangeState.AWAITING_APPROVAL, 1)
    assert change.decision is not None
    assert change.decision.text == "needs 1 approval by approver or sre"
    approve(play, "dora", role="sre")
    assert play.change().state is ChangeState.STARTING
    assert [a.role for a in play.change().approvals] == ["approver", "sre"]


def test_nobody_approving_in_time_is_an_end() -> None:
    """It expires and does not run at some later time."""
    play = asking()
    play.wait(8 * 3600)
    assert play.change().closure is Closure.EXPIRED
    assert refused(approve(play)) == "not_open"


def test_an_approval_given_ahead_counts_from_the_window() -> None:
    """Given in a freeze that outlasts it, it is good for its time when the freeze ends."""
    play = asking()
    freeze = (START, START + 10 * HOUR)
    play.calendars(calendar("yule", freeze, purpose=CalendarPurpose.FREEZE))
    assert play.change().state is ChangeState.AWAITING_APPROVAL
    approve(play)
    assert play.change().state is ChangeState.SCHEDULED
    play.wait(10 * 3600)
    assert play.change().state is ChangeState.STARTING


def test_an_approval_is_void_when_policy_changed() -> None:
    """What was agreed to under one policy is not agreed to under another: all are asked again."""
    play = asking(approvals=2)
    seen = play.change().binding
    approve(play, "cleo")
    policy = play.state.config.policy
    assert policy is not None
    play.reload(policy=replace(policy, digest="p2"))
    assert refused(approve(play, "dora", binding=seen)) == "approval_void"
    approve(play, "dora")
    assert play.change().state is ChangeState.AWAITING_APPROVAL
    approve(play, "cleo")
    assert play.change().state is ChangeState.STARTING


def test_what_was_approved_is_void_when_its_files_changed() -> None:
    """The change is refused; the edited remediation needs a new one."""
    play = asking()
    edited = replace(RESTART, digest="sha256:2")
    play.reload(remediations={"restart-service": edited})
    assert play.change().closure is Closure.REFUSED
    assert play.story("CHG-1")[-1] == "digest_mismatch"


def test_the_binding_is_over_all_that_will_run() -> None:
    """Another host, parameter, type or remediation is another binding."""
    play = asking()
    change = play.change()

    def binding(**changes: object) -> str:

        return binding_of(play.state, replace(change, **changes))  # type: ignore[arg-type]

    assert binding() == change.binding
    others = [
        binding(hosts=(Host(name="app2", address="127.0.0.1"),)),
        binding(parameters={"service": "web2"}),
        binding(parameters={}),
        binding(type=ChangeType.EMERGENCY),
        binding(digest="sha256:2"),
        binding(remediation="other"),
        binding(entity=ref("web2")),
    ]
    assert len({change.binding, *others}) == 8


def test_a_rejection_by_who_could_approve_ends_it() -> None:
    """With the note in the story."""
    play = asking()
    told = play.feed(ApprovalRejected(change="CHG-1", by="eve", roles=("operator",), note="no"))
    assert refused(told) == "role_missing"
    play.feed(ApprovalRejected(change="CHG-1", by="cleo", roles=("sre",), note="not today"))
    assert play.change().closure is Closure.CANCELLED
    assert play.change().outcome_text == "rejected by cleo: not today"


def test_a_rejection_of_what_does_not_wait_is_refused() -> None:
    """It was decided already, or there is none."""
    play = asking()
    approve(play)
    for change in ("CHG-1", "CHG-7"):
        told = play.feed(ApprovalRejected(change=change, by="cleo", roles=("approver",)))
        assert refused(told) == "not_open"


def test_no_rule_left_means_nobody_can_approve_or_reject() -> None:
    """The rule set without the rule refuses the change when it comes into force."""
    play = asking()
    play.reload(policy=None)
    assert play.change().closure is Closure.REFUSED


def test_people_are_told_that_a_change_waits_for_them() -> None:
    """It is news of the incident; the receiver reads which change."""
    play = asking(routes=(Route(name="all", receiver="oncall"),))
    play.wait(10)
    told = play.take(Notify)
    assert "CHG-1 waits for approval: Restart a service (web1)" in told.body


def test_a_second_look_at_a_waiting_change_tells_nothing_twice() -> None:
    """Reloads of the same policy leave its story as it was."""
    play = asking()
    before = len(play.story("CHG-1"))
    play.reload()
    play.calendars()
    assert len(play.story("CHG-1")) == before
