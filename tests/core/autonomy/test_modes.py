"""How far a rule goes in each mode, and what people may do about it."""

from dataclasses import replace

import pytest

from agent.core.autonomy import modes
from agent.model.autonomy import CaseOutcome, Mode, Promotion
from agent.model.autonomy_entries import (
    AutonomyResumed,
    AutonomyStopped,
    ModeDemoted,
    ModePromoted,
    ProposalTaken,
)
from agent.model.change import ChangeState, Closure
from agent.model.effect import CancelRun, LaunchRun, PrepareRun
from agent.model.entry import ApprovalGiven
from agent.model.reason import Reason
from agent.model.remediation import Outcome
from agent.model.transition import Transition
from tests.core.play import CONFIG, ON_A_WORD, RESTART, RULE, Play

NAME = RULE.name
T = (RESTART.timeout + RESTART.verification.within).total_seconds()


def in_mode(mode: Mode, promotion: Promotion | None = ON_A_WORD, **changes: object) -> Play:
    """A play in which web1 is down and the rule begins in this mode."""
    rule = replace(RULE, mode=mode, promotion=promotion)
    restart = replace(RESTART, **changes)  # type: ignore[arg-type]
    config = replace(CONFIG, remediation_rules=(rule,), remediations={restart.name: restart})
    play = Play(config=config)
    play.fire("ServiceDown", service="web1", host="app1")
    return play


def mode(play: Play) -> Mode:
    """The mode in force of the one rule."""
    return modes.mode_of(play.state, play.state.config.remediation_rules[0])


def approve(play: Play, number: int = 1, by: str = "eve") -> Transition:
    """A person approves a change."""
    change = play.change(number)
    said = ApprovalGiven(change=change.id, binding=change.binding, by=by, roles=("approver",))
    return play.feed(said)


def promote(play: Play, to: Mode, by: str = "eve", **changes: object) -> Reason | None:
    """A person signs a step up; the reason of a refusal."""
    rule = play.state.config.remediation_rules[0]
    said = ModePromoted(
        rule=NAME, to=to, binding=modes.text_of(play.state, rule), by=by, roles=("approver",)
    )
    refusal = play.feed(replace(said, **changes)).refusal  # type: ignore[arg-type]
    return refusal.reason if refusal else None


def outcomes(play: Play) -> list[CaseOutcome]:
    """What came of the cases of the rule, in the order of their ends."""
    return [case.outcome for case in play.state.autonomy.rules[NAME].cases]


def test_to_observe_makes_a_line_and_nothing_else() -> None:
    """It says what policy would have said."""
    play = in_mode(Mode.OBSERVE)
    assert (play.state.changes, play.effects, play.incident().proposals) == ({}, [], ())
    assert play.said("INC-1", "would_have_run") == [
        f"rule {NAME} would have run restart-service on web1; policy would say "
        "allowed: policy rule standard allows it"
    ]


def test_to_suggest_proposes_and_starts_nothing() -> None:
    """Once for an alert; and it goes with it."""
    play = in_mode(Mode.SUGGEST)
    (proposal,) = play.incident().proposals
    assert (proposal.case, proposal.remediation, play.state.changes) == (
        "CASE-1",
        "restart-service",
        {},
    )
    (active,) = play.state.alerts.values()
    play.resolve(active.alert)
    assert play.incident().proposals == ()


def test_a_proposal_that_is_taken_up_is_that_persons_request() -> None:
    """The rule's author cannot approve it either, and its alert has to clear."""
    play = in_mode(Mode.SUGGEST)
    play.feed(ProposalTaken(incident="INC-1", case="CASE-1", by="bob"))
    change = play.change()
    assert (change.requested_by, change.rule_author, change.rule) == ("person:bob", "ann", NAME)
    assert (change.trigger, change.mode) == (next(iter(play.state.alerts)), None)
    (proposal,) = play.incident().proposals
    assert (proposal.taken_by, proposal.change) == ("bob", "CHG-1")
    again = play.feed(ProposalTaken(incident="INC-1", case="CASE-1", by="bob")).refusal
    assert again is not None
    assert again.reason is Reason.ALREADY_UNDER_CHANGE


def test_what_nobody_proposed_cannot_be_taken_up() -> None:
    """Nor what is not needed any more."""
    play = in_mode(Mode.SUGGEST)
    refusal = play.feed(ProposalTaken(incident="INC-1", case="CASE-9", by="bob")).refusal
    assert refusal is not None
    assert refusal.reason is Reason.NOT_FOUND


def test_to_approve_asks_a_person_though_policy_would_not() -> None:
    """The author's own word does not count."""
    play = in_mode(Mode.APPROVE)
    assert play.change().state is ChangeState.AWAITING_APPROVAL
    refusal = approve(play, by="ann").refusal
    assert refusal is not None
    assert refusal.reason is Reason.SELF_APPROVAL
    approve(play)
    play.play()
    assert play.change().state is ChangeState.VERIFYING


def test_what_was_asked_for_in_approve_is_not_let_go_by_a_promotion() -> None:
    """Who signs that the rule may act did not look at this change."""
    play = in_mode(Mode.APPROVE)
    promote(play, Mode.AUTO)
    assert (mode(play), play.change().state) == (Mode.AUTO, ChangeState.AWAITING_APPROVAL)


@pytest.mark.parametrize(("rolls_back", "after"), [(False, Mode.APPROVE), (True, Mode.SUGGEST)])
def test_one_bad_verification_demotes(rolls_back: bool, after: Mode) -> None:
    """A step, or down to suggestions where it had to be undone; whoever follows it is told."""
    play = in_mode(Mode.AUTO, has_rollback=rolls_back)
    play.play(Outcome.FAILED)
    if rolls_back:
        play.play()
    assert mode(play) is after
    assert play.said("INC-1", "mode_demoted")[0].startswith(
        f"rule {NAME} goes from auto to {after}"
    )
    assert play.said(f"rule:{NAME}", "mode_demoted")


def test_after_a_demotion_it_takes_new_evidence() -> None:
    """What had been earned before counts no more; another text does not help."""
    terms = Promotion(precision=0.0, confidence=0.5, cases=1, minimum_uplift=-1.0)
    play = in_mode(Mode.AUTO, terms, has_rollback=False)
    play.play(Outcome.FAILED)
    assert promote(play, Mode.AUTO) is Reason.NOT_EARNED
    rule = replace(play.state.config.remediation_rules[0], when='alert.name == "Other"')
    play.reload(remediation_rules=(rule,))
    assert mode(play) is Mode.APPROVE


def test_a_promotion_is_signed_by_another_person_with_a_role_for_this_text() -> None:
    """One step at a time, and no further than the file lets it."""
    play = in_mode(Mode.SUGGEST, replace(ON_A_WORD, up_to=Mode.APPROVE))
    assert promote(play, Mode.APPROVE, by="ann") is Reason.SELF_APPROVAL
    assert promote(play, Mode.APPROVE, roles=("operator",)) is Reason.ROLE_MISSING
    assert promote(play, Mode.APPROVE, binding="other") is Reason.APPROVAL_VOID
    assert promote(play, Mode.AUTO) is Reason.NOT_EARNED
    assert promote(play, Mode.APPROVE, rule="nosuch") is Reason.NOT_FOUND
    assert promote(play, Mode.APPROVE) is None
    assert promote(play, Mode.AUTO) is Reason.NOT_EARNED
    assert mode(play) is Mode.APPROVE


def test_another_playbook_has_earned_nothing() -> None:
    """It falls back to what its file declares, with the reason."""
    play = in_mode(Mode.SUGGEST)
    promote(play, Mode.APPROVE)
    promote(play, Mode.AUTO)
    restart = replace(RESTART, digest="sha256:2")
    play.reload(remediations={restart.name: restart})
    assert mode(play) is Mode.SUGGEST
    assert play.said(f"rule:{NAME}", "mode_reset")


def test_a_step_that_is_earned_is_offered_and_not_taken() -> None:
    """Said once, in the story of the rule."""
    terms = Promotion(precision=0.1, confidence=0.9, cases=1, minimum_uplift=-1.0)
    play = in_mode(Mode.APPROVE, terms)
    (active,) = play.state.alerts.values()
    play.wait(1)
    approve(play)
    play.play()
    play.resolve(active.alert)
    play.wait(3 * T)
    assert outcomes(play) == [CaseOutcome.HELPED]
    assert play.said(f"rule:{NAME}", "promotion_offered") == [
        "its score suffices for auto: a person may sign that"
    ]
    assert mode(play) is Mode.APPROVE
    assert promote(play, Mode.AUTO) is None


def test_a_person_may_lower_a_rule_at_any_time() -> None:
    """What waits is turned into a proposal; it cannot be used to raise one."""
    play = in_mode(Mode.APPROVE)
    play.feed(ModeDemoted(rule=NAME, to=Mode.SUGGEST, by="bob", note="look first"))
    play.wait(1)
    assert (play.change().closure, mode(play)) == (Closure.REFUSED, Mode.SUGGEST)
    assert [each.rule for each in play.incident().proposals] == [NAME]
    refusal = play.feed(ModeDemoted(rule=NAME, to=Mode.AUTO, by="bob")).refusal
    assert refusal is not None
    assert refusal.reason is Reason.NOT_EARNED


def test_a_stop_holds_at_the_next_start() -> None:
    """What lies ready is not launched; to go on takes a role."""
    play = in_mode(Mode.AUTO)
    play.feed(AutonomyStopped(by="bob", note="hands off"))
    play.prepare()
    play.wait(1)
    assert (play.asked(LaunchRun), play.change().closure) == (0, Closure.REFUSED)
    assert len(play.incident().proposals) == 1
    refusal = play.feed(AutonomyResumed(by="bob", roles=("operator",))).refusal
    assert refusal is not None
    assert refusal.reason is Reason.ROLE_MISSING
    play.feed(AutonomyResumed(by="eve", roles=("sre",)))
    assert mode(play) is Mode.AUTO


def test_a_stop_lets_runs_end_unless_it_is_told_otherwise() -> None:
    """A playbook that is half done is worse than one that is done."""
    ends, cancelled = in_mode(Mode.AUTO), in_mode(Mode.AUTO)
    launch = ends.launch()
    ends.feed(AutonomyStopped(by="bob", note="hands off"))
    ends.finish(launch)
    assert ends.change().state is ChangeState.VERIFYING
    cancelled.launch()
    cancelled.feed(AutonomyStopped(by="bob", note="hands off", cancel=True))
    assert cancelled.asked(CancelRun) == 1


def test_a_stop_does_not_concern_people() -> None:
    """They may still take up what is proposed."""
    play = in_mode(Mode.SUGGEST)
    play.feed(AutonomyStopped(by="bob", note="hands off"))
    play.feed(ProposalTaken(incident="INC-1", case="CASE-1", by="bob"))
    assert play.asked(PrepareRun) == 1


def test_what_goes_by_itself_within_t_and_stays_away_is_a_cleared_case() -> None:
    """Measured from when it would have run; T is the time to run and to prove itself."""
    play = in_mode(Mode.OBSERVE)
    (active,) = play.state.alerts.values()
    play.wait(T - 1)
    play.resolve(active.alert)
    play.wait(2 * T - 1)
    assert outcomes(play) == []
    play.wait(1)
    assert outcomes(play) == [CaseOutcome.CLEARED]


def test_what_stays_or_comes_back_is_not_cleared() -> None:
    """Within 2T after it went."""
    stays, back = in_mode(Mode.OBSERVE), in_mode(Mode.OBSERVE)
    stays.wait(T)
    assert outcomes(stays) == [CaseOutcome.NOT_CLEARED]
    (active,) = back.state.alerts.values()
    back.wait(T - 1)
    back.resolve(active.alert)
    back.wait(T)
    back.fire("ServiceDown", service="web1", host="app1")
    assert outcomes(back) == [CaseOutcome.NOT_CLEARED]


def test_a_run_whose_alert_is_back_within_2t_has_not_helped() -> None:
    """Its verification was good, its cure was not."""
    play = in_mode(Mode.AUTO)
    (active,) = play.state.alerts.values()
    play.play()
    play.resolve(active.alert)
    play.wait(10)
    assert play.change().closure is Closure.SUCCESS
    play.wait(T)
    play.fire("ServiceDown", service="web1", host="app1")
    assert outcomes(play) == [CaseOutcome.RELAPSED]


def test_a_rule_that_is_gone_starts_nothing() -> None:
    """What it had asked for is refused."""
    play = in_mode(Mode.AUTO)
    play.reload(remediation_rules=())
    play.prepare()
    assert (play.asked(LaunchRun), play.change().closure) == (0, Closure.REFUSED)
