"""Nobody decides on what is their own: by no route, under no name, in nobody's place."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.model.change import ChangeState, ChangeType
from agent.model.change_entries import (
    ApprovalGiven,
    ApprovalRejected,
    ApprovalWithdrawn,
    DelegationGiven,
    DelegationWithdrawn,
)
from agent.model.entry import ChangeRequested
from agent.model.people import Authority
from agent.model.policy import PolicyEdit
from agent.model.transition import Transition
from tests.core.play import ALLOW, CONFIG, RESTART, START, Play, ref

DAY = timedelta(days=1)
ROLES = ("approver",)


def asked(by: str = "cleo", **config: object) -> Play:
    """Somebody asked for a normal change of the database, which the dba own."""
    play = Play(config=replace(CONFIG, **config))  # type: ignore[arg-type]
    play.feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref("db"),
            parameters={"service": "db"},
            by=by,
            type=ChangeType.NORMAL,
        )
    )
    assert play.change().state is ChangeState.AWAITING_APPROVAL
    return play


def approve(play: Play, by: str, **more: object) -> str | None:
    """A person approves; the reason where they may not."""
    said = ApprovalGiven(change="CHG-1", binding=play.change().binding, by=by, roles=ROLES)
    told = play.feed(replace(said, **more))  # type: ignore[arg-type]
    return told.refusal.reason if told.refusal else None


def delegate(play: Play, by: str, to: str, **more: object) -> Transition:
    """One lets another decide for a day."""
    said = DelegationGiven(
        by=by, to=to, roles=ROLES, starts_at=play.now, ends_at=play.now + DAY, note="away"
    )
    return play.feed(replace(said, **more))  # type: ignore[arg-type]


def lent(by: str, roles: tuple[str, ...] = ROLES, *, scopes: tuple[str, ...] = ()) -> Authority:
    """What the delegator of DEL-1 holds at this moment."""
    return Authority(person=by, roles=roles, scopes=scopes, delegation="DEL-1")


@pytest.mark.parametrize("name", ["cleo", "Cleo", "user:default/cleo", "person:cleo"])
def test_who_asked_cannot_approve_under_any_spelling(name: str) -> None:
    """An identity, not a text."""
    assert approve(asked(), name) == "self_approval"


def test_who_wrote_the_remediation_cannot_approve_it() -> None:
    """What runs is their own."""
    assert RESTART.author == "ann"
    assert approve(asked(), "ann") == "self_approval"


@pytest.mark.parametrize(
    ("agreed", "reason"),
    [(None, "self_approval"), ("pia", "self_approval"), ("dora", None)],
    ids=["nobody", "the same person", "somebody else"],
)
def test_who_wrote_the_policy_alone_cannot_approve_under_it(
    agreed: str | None, reason: str | None
) -> None:
    """An edit that a second person agreed to is the policy of both."""
    edit = PolicyEdit(document="policy", author="pia", approved_by=agreed)
    policy = replace(ALLOW, edits=(edit,))
    assert approve(asked(policy=policy), "pia") == reason


def test_a_tool_is_no_person() -> None:
    """Whatever roles its token carries."""
    play = asked()
    assert approve(play, "robot", is_service=True) == "no_person"
    no = ApprovalRejected(change="CHG-1", by="robot", roles=ROLES, note="no", is_service=True)
    told = play.feed(no)
    assert told.refusal is not None
    assert told.refusal.reason == "no_person"


@pytest.mark.parametrize(
    ("scopes", "reason"),
    [
        (("owner:dba",), None),
        (("owner:group:default/dba",), None),
        (("entity:db",), None),
        (("system:shop", "owner:dba"), None),
        (("owner:sales",), "out_of_scope"),
        (("system:shop",), "out_of_scope"),
        (("team:dba",), "out_of_scope"),
        (("owner:",), "out_of_scope"),
    ],
)
def test_a_role_counts_in_its_scope_only(scopes: tuple[str, ...], reason: str | None) -> None:
    """Alternatives; what cannot be matched covers nothing."""
    assert approve(asked(), "dora", scopes=scopes) == reason


def test_who_stands_in_decides_in_the_place_of_another() -> None:
    """Both names stand in the approval."""
    play = asked()
    assert delegate(play, "dora", "eve").created == "DEL-1"
    assert approve(play, "eve", roles=("operator",), lent=(lent("dora"),)) is None
    given = play.change().approvals[0]
    assert (given.by, given.on_behalf_of, given.role) == ("eve", "dora", "approver")
    assert play.said("CHG-1", "approved")[0] == "approved as approver, in the place of dora"
    assert play.change().state is ChangeState.STARTING


@pytest.mark.parametrize(
    ("giver", "taker"),
    [("dora", "cleo"), ("cleo", "eve"), ("ann", "eve")],
    ids=["to who asked", "by who asked", "by the author"],
)
def test_a_delegation_is_no_way_around_four_eyes(giver: str, taker: str) -> None:
    """Neither to nor from whoever it belongs to."""
    play = asked()
    delegate(play, giver, taker)
    reason = approve(play, taker, roles=(), lent=(lent(giver),))
    assert reason in ("self_approval", "role_missing")
    assert play.change().approvals == ()


@pytest.mark.parametrize("how", ["over", "to come", "withdrawn", "scoped", "of another", "lost"])
def test_a_delegation_that_does_not_hold_lends_nothing(how: str) -> None:
    """Its time, its scope, its people, and what the giver holds now."""
    play = asked()
    scopes = ("owner:sales",) if how == "scoped" else ()
    starts = play.now + DAY / 2 if how == "to come" else play.now
    delegate(play, "dora", "eve", scopes=scopes, starts_at=starts, ends_at=START + DAY * 0.9)
    if how == "over":
        play.now += timedelta(hours=7.9)
        delegate(play, "dora", "eve", ends_at=play.now + timedelta(minutes=1))
        play.now += timedelta(minutes=2)
        given = replace(lent("dora"), delegation="DEL-2")
    elif how == "withdrawn":
        play.feed(DelegationWithdrawn(delegation="DEL-1", by="dora"))
        given = lent("dora")
    else:
        given = lent("dora", () if how == "lost" else ROLES)
    by = "fay" if how == "of another" else "eve"
    assert approve(play, by, roles=(), lent=(given,)) == "role_missing"


def test_what_was_handed_on_is_not_handed_on_again() -> None:
    """Eve stands in for dora, fay for eve: fay says nothing for dora."""
    play = asked()
    delegate(play, "dora", "eve")
    delegate(play, "eve", "fay", roles=("operator",))
    chained = (lent("dora"), replace(lent("eve", ("operator",)), delegation="DEL-2"))
    assert approve(play, "fay", roles=(), lent=chained) == "role_missing"


def test_one_voice_is_counted_once() -> None:
    """Who speaks for another and that other one are not two."""
    rule = replace(ALLOW.rules[1], approvals=2)
    play = asked(policy=replace(ALLOW, rules=(rule,)))
    delegate(play, "dora", "eve")
    approve(play, "eve", roles=(), lent=(lent("dora"),))
    approve(play, "dora")
    assert play.change().state is ChangeState.AWAITING_APPROVAL
    approve(play, "gus")
    assert play.change().state is ChangeState.STARTING


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "dora"},
        {"to": "Dora"},
        {"roles": ()},
        {"is_service": True},
        {"ends_at": START},
        {"ends_at": START + 100 * DAY},
        {"scopes": ("dba",)},
    ],
    ids=lambda wrong: str(next(iter(wrong))),
)
def test_a_delegation_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    """To oneself, of nothing, by or to a tool, without an end, or with a scope that is none."""
    told = delegate(asked(), **{"by": "dora", "to": "eve", **wrong})  # type: ignore[arg-type]
    assert told.refusal is not None
    assert told.refusal.reason == "delegation_refused"


def test_only_the_giver_or_an_administrator_withdraws() -> None:
    """And only once."""
    play = asked()
    delegate(play, "dora", "eve")

    def withdraw(by: str, *, is_admin: bool = False) -> str | None:
        said = DelegationWithdrawn(delegation="DEL-1", by=by, is_admin=is_admin)
        told = play.feed(said)
        return told.refusal.reason if told.refusal else None

    assert withdraw("eve") == "role_missing"
    assert withdraw("root", is_admin=True) is None
    assert withdraw("dora") == "not_open"


def test_delegations_that_are_over_make_room() -> None:
    """What is remembered has a bound."""
    play = asked()
    for _ in range(500):
        assert delegate(play, "dora", "eve").refusal is None
    assert delegate(play, "dora", "eve").refusal is not None
    play.now += DAY
    assert delegate(play, "dora", "eve").refusal is None
    assert len(play.state.delegations) == 1


def test_ones_own_approval_can_be_taken_back_before_the_start() -> None:
    """Even when the run lies ready: then it is not launched."""
    play = asked()
    approve(play, "dora")
    assert play.change().state is ChangeState.STARTING

    def take_back(by: str) -> str | None:
        told = play.feed(ApprovalWithdrawn(change="CHG-1", by=by, note="not today"))
        return told.refusal.reason if told.refusal else None

    assert take_back("eve") == "not_found"
    assert take_back("dora") is None
    play.prepare()
    assert play.change().state is ChangeState.AWAITING_APPROVAL
    approve(play, "gus")
    play.launch()
    assert take_back("gus") == "not_open"


def test_a_rejection_says_why() -> None:
    """A no without a reason teaches nobody anything."""
    play = asked()
    told = play.feed(ApprovalRejected(change="CHG-1", by="dora", roles=ROLES, note=" "))
    assert told.refusal is not None
    assert told.refusal.reason == "note_missing"
    play.feed(ApprovalRejected(change="CHG-1", by="dora", roles=ROLES, note="the sale is on"))
    assert play.change().outcome_text == "rejected by dora: the sale is on"
    assert approve(play, "gus") == "not_open"
