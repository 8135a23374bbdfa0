"""What an approval names, part by part: each single change voids it, and people hear which."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core.policy.binding import binding_of, parts_of
from agent.model.calendar import Calendar, CalendarPurpose
from agent.model.change import Change, ChangeState, ChangeType
from agent.model.change_entries import ApprovalGiven
from agent.model.effect import LaunchRun, PrepareRun
from agent.model.entry import ChangeRequested, ConfigLoaded, RunPrepared
from agent.model.policy import PolicyRule, Verdict
from agent.model.remediation import Host
from tests.core.play import ALLOW, CONFIG, RESTART, START, Play, calendar, ref

HOUR = timedelta(hours=1)
RULE = PolicyRule(
    name="ask",
    when="true",
    verdict=Verdict.NEEDS_APPROVAL,
    roles=("approver",),
    approvals=2,
)

Edit = Callable[[Change], Change]

EDITS: dict[str, Edit] = {
    "the content changed": lambda one: replace(one, digest="sha256:2"),
    "the remediation, the rollback plan changed": lambda one: replace(one, remediation="other"),
    "the change type changed": lambda one: replace(one, type=ChangeType.EMERGENCY),
    "the target changed": lambda one: replace(one, entity="component:default/db"),
    "the host list, the address of host app2, the user of host app2, the connection of host app2, "
    "the interpreter of host app2 changed": lambda one: replace(
        one, hosts=(*one.hosts, Host(name="app2", address="127.0.0.1"))
    ),
    "the address of host app1 changed": lambda one: _host(one, address="127.0.0.2"),
    "the user of host app1 changed": lambda one: _host(one, user="deploy"),
    "the connection of host app1 changed": lambda one: _host(one, connection="local"),
    "the interpreter of host app1 changed": lambda one: _host(one, python="/usr/bin/python3.9"),
    "the parameter service changed": lambda one: replace(one, parameters={"service": "web2"}),
    "the parameter how changed": lambda one: replace(
        one, parameters={**one.parameters, "how": "hard"}
    ),
}


def _host(change: Change, **changes: object) -> Change:
    return replace(change, hosts=(replace(change.hosts[0], **changes),))  # type: ignore[arg-type]


def asking() -> Play:
    """A change that waits for two approvals."""
    play = Play(config=replace(CONFIG, policy=replace(ALLOW, rules=(RULE,))))
    play.fire("ServiceDown", service="web1", host="app1")
    return play


def windowed(*hours: tuple[float, float]) -> Calendar:
    """A calendar that permits changes in these hours from the start of the play."""
    return calendar(
        "work",
        *((START + start * HOUR, START + end * HOUR) for start, end in hours),
        purpose=CalendarPurpose.PERMIT,
    )


def approve(play: Play, by: str, binding: str | None = None) -> str | None:
    """A person approves; why they were refused, in words."""
    told = play.feed(
        ApprovalGiven(
            change="CHG-1", binding=binding or play.change().binding, by=by, roles=("approver",)
        )
    )
    return told.refusal.text if told.refusal else None


@pytest.mark.parametrize("said", EDITS)
def test_each_single_part_voids_what_was_seen_and_is_named(said: str) -> None:
    """Who looked at it before cannot approve it after, and hears what has changed."""
    play = asking()
    seen = play.change().binding
    before = play.change()
    play.state.changes["CHG-1"] = EDITS[said](before)
    assert approve(play, "cleo", seen) == f"what would run is not what was approved: {said}"
    assert play.change().approvals == ()


@pytest.mark.parametrize("said", EDITS)
def test_each_single_part_voids_an_approval_that_was_given(said: str) -> None:
    """It does not count at the start either."""
    play = asking()
    approve(play, "cleo")
    edited = EDITS[said](play.change())
    assert play.change().approvals[0].binding == binding_of(play.state, play.change())
    assert play.change().approvals[0].binding != binding_of(play.state, edited)


@pytest.mark.parametrize("said", EDITS)
def test_what_changes_between_approval_and_start_does_not_start(said: str) -> None:
    """The run lies ready; then one part is another one, and nothing is launched."""
    play = asking()
    approve(play, "cleo")
    approve(play, "dora")
    asked = play.take(PrepareRun)
    assert play.change().state is ChangeState.STARTING
    play.state.changes["CHG-1"] = EDITS[said](play.change())
    play.feed(RunPrepared(effect=asked.id, run=asked.spec.run, digest="sha256:1"))
    assert play.asked(LaunchRun) == 0
    assert play.change().state in (ChangeState.AWAITING_APPROVAL, ChangeState.CLOSED)


@pytest.mark.parametrize("is_at_start", [False, True], ids=["when approved", "at the start"])
def test_another_window_voids_it(is_at_start: bool) -> None:
    """It was agreed to for that night and for no other."""
    policy = replace(ALLOW, rules=(RULE,), windows_required=True)
    play = Play(config=replace(CONFIG, policy=policy))
    play.calendars(windowed((0, 4)))
    play.feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref("db"),
            parameters={"service": "db"},
            by="bob",
            type=ChangeType.NORMAL,
        )
    )
    seen = play.change().binding
    approve(play, "cleo")
    if is_at_start:
        approve(play, "dora")
        assert play.change().state is ChangeState.STARTING
    play.calendars(windowed((0, 4)))
    assert (play.change().binding, len(play.change().approvals)) == (seen, 1 + is_at_start)
    play.calendars(windowed((0, 5)))
    if is_at_start:
        play.prepare()
        assert play.asked(LaunchRun) == 0
    assert play.change().state is ChangeState.AWAITING_APPROVAL
    assert approve(play, "eve", seen) == (
        "what would run is not what was approved: the window changed"
    )


@pytest.mark.parametrize("is_at_start", [False, True], ids=["when approved", "at the start"])
def test_another_policy_voids_it(is_at_start: bool) -> None:
    """The words of the story and of the refusal name the policy."""
    play = asking()
    seen = play.change().binding
    approve(play, "cleo")
    if is_at_start:
        approve(play, "dora")
    policy = play.state.config.policy
    assert policy is not None
    play.reload(policy=replace(policy, digest="p2"))
    if is_at_start:
        play.prepare()
    assert play.change().state is ChangeState.AWAITING_APPROVAL
    assert play.said("CHG-1", "approval_void") == [
        "what was approved is not what would run: the policy changed"
    ]
    assert approve(play, "eve", seen) == (
        "what would run is not what was approved: the policy changed"
    )


def test_another_rollback_plan_voids_it() -> None:
    """Approvers agreed to something that can be undone."""
    play = asking()
    approve(play, "cleo")
    play.reload(remediations={"restart-service": replace(RESTART, has_rollback=False)})
    assert play.said("CHG-1", "approval_void") == [
        "what was approved is not what would run: the rollback plan changed"
    ]


def test_one_byte_of_the_copy_stops_the_start() -> None:
    """The digest of what lies ready is not the approved one."""
    play = asking()
    approve(play, "cleo")
    approve(play, "dora")
    play.prepare(digest="sha256:9")
    assert (play.asked(LaunchRun), play.change().closure) == (0, "refused")


def test_a_binding_of_another_change_is_none_of_this() -> None:
    """A link for one change approves no other."""
    play = asking()
    play.feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref("web2"),
            parameters={"service": "web2"},
            by="bob",
        )
    )
    other = play.change(2).binding
    assert approve(play, "cleo", other) == (
        "what would run is not what was approved: that is no binding of CHG-1 that is remembered"
    )


def test_no_value_of_a_parameter_stands_in_the_parts() -> None:
    """Digests only: they are kept with every approval."""
    play = asking()
    text = str(parts_of(play.state, play.change()))
    assert ("'web1'" in text, "127.0.0.1" in text) == (False, False)


def test_a_change_remembers_few_bindings() -> None:
    """However often the rule set changes."""
    play = asking()
    policy = play.state.config.policy
    assert policy is not None
    for number in range(12):
        play.feed(
            ConfigLoaded(
                config=replace(play.state.config, policy=replace(policy, digest=f"p-{number}"))
            )
        )
    assert len(play.change().bound) == 5
    assert play.change().bound[-1].binding == play.change().binding
