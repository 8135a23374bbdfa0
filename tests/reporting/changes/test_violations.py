"""Claims about what an auditor looks for: each breach is found, and only that; unknown is said."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.model.change import Change, ChangeType
from agent.model.duty import RetroDuty, RetroState, ReviewDuty
from agent.model.interval import Interval
from agent.model.policy import Approval, Decision, Verdict
from agent.model.reason import Reason
from agent.reporting.changes.violations import Known, Launch, violations
from tests.reporting.changes.records import HOUR, START, a_change, a_run

LATER = START + 30 * 24 * HOUR
KNOWN = Known(
    launches={"RUN-1": Launch(run="RUN-1", digest="d1", hosts=("db1",))},
    frozen=lambda change, at: False,
    alone={"p1": frozenset({"carla"})},
    expires={"reload@1": START - HOUR},
    now=LATER,
)
RETRO = RetroDuty(opened_at=START, due_at=START + HOUR, roles=("approver",), team=None)
REVIEW = ReviewDuty(
    why="it failed", opened_at=START, due_at=START + HOUR, symptom_before="", symptom_after=""
)
EMERGENCY = replace(a_change(), type=ChangeType.EMERGENCY, approvals=())
POLICY = Decision(verdict=Verdict.ALLOWED, reason=Reason.POLICY_ALLOWS, text="allowed")
EMERGENCY = replace(EMERGENCY, decision=POLICY)


def approval(by: str, *, minutes: int = 5, binding: str = "b1", of: str | None = None) -> Approval:
    """By somebody, so long after the request."""
    return Approval(
        by=by,
        at=START + timedelta(minutes=minutes),
        role="approver",
        binding=binding,
        on_behalf_of=of,
    )


def found(change: Change, known: Known = KNOWN) -> list[str]:
    """The kinds of what was found of this change and its run."""
    return [each.kind for each in violations([change], [a_run()], known)]


def test_a_change_in_order_has_none() -> None:
    """Approved by another, before; the content and hosts that were decided; no freeze."""
    assert [] == found(a_change())


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (a_change(decision=None), ["not_authorised"]),
        (a_change(approvals=(approval("carla", minutes=11),)), ["approved_too_late"]),
        (a_change(approvals=(approval("carla", binding="b0"),)), ["approved_too_late"]),
        (a_change(approvals=(approval("bob"),)), ["self_approved"]),
        (a_change(approvals=(approval("dora", of="bob"),)), ["self_approved"]),
        (a_change(rule_author="carla"), ["self_approved"]),
        (a_change(window=Interval(START + HOUR, START + 2 * HOUR)), ["outside_window"]),
        (a_change(window=Interval(START, START + 2 * HOUR)), []),
        (EMERGENCY, ["no_retro_approval"]),
        (replace(EMERGENCY, retro=RETRO), ["no_retro_approval"]),
        (replace(EMERGENCY, retro=replace(RETRO, due_at=LATER + HOUR)), []),
        (replace(EMERGENCY, retro=replace(RETRO, state=RetroState.APPROVED)), []),
        (
            replace(EMERGENCY, retro=replace(RETRO, state=RetroState.REJECTED, by="carla")),
            ["retro_rejected"],
        ),
        (a_change(review=REVIEW), ["review_overdue"]),
        (a_change(review=replace(REVIEW, at=START)), []),
        (a_change(template="reload@1"), ["template_expired"]),
        (a_change(template="reload@2"), []),
    ],
)
def test_each_breach_is_found_and_no_other(change: Change, kinds: list[str]) -> None:
    """One thing is spoilt, one thing is said."""
    assert kinds == found(change)


def test_what_was_played_is_held_against_what_was_decided() -> None:
    """By what the audit log says, not by what the change says of itself."""
    other = Launch(run="RUN-1", digest="d2", hosts=("db1", "web1"))
    less = Launch(run="RUN-1", digest=None, hosts=None)

    assert ["other_content", "other_hosts"] == found(
        a_change(), replace(KNOWN, launches={"RUN-1": other})
    )
    assert ["unknown"] == found(a_change(), replace(KNOWN, launches={"RUN-1": less}))
    assert ["unknown"] == found(a_change(), replace(KNOWN, launches={}))


def test_a_freeze_binds_all_but_emergencies() -> None:
    """And where the calendars of that time are gone nobody says that there was none."""
    frozen = replace(KNOWN, frozen=lambda change, at: True)
    gone = replace(KNOWN, frozen=lambda change, at: None)
    emergency = replace(EMERGENCY, retro=replace(RETRO, state=RetroState.APPROVED))

    assert ["in_freeze"] == found(a_change(), frozen)
    assert ["unknown"] == found(a_change(), gone)
    assert [] == found(emergency, frozen)


def test_who_edits_policy_alone_does_not_approve_under_it() -> None:
    """Neither with their own voice nor with one that they lent; under another policy they may."""
    own = replace(a_change().decision or POLICY, policy="p1")

    assert ["own_policy"] == found(a_change(decision=own))
    lent = (approval("dora", of="carla"),)
    assert ["own_policy"] == found(a_change(decision=own, approvals=lent))
    assert [] == found(a_change(decision=replace(own, policy="p2")))


def test_a_change_that_never_started_broke_nothing() -> None:
    """Whatever it looks like: it was stopped in time."""
    run = a_run(launched_at=None)

    assert () == violations([a_change(decision=None)], [run], KNOWN)
