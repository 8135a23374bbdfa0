"""Standard changes: only what a template covers, only while it holds."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from agent.core.policy.judge import judge
from agent.model.change import ChangeState, ChangeType, Closure
from agent.model.entry import StandardReinstated
from agent.model.remediation import Outcome
from agent.model.standard import StandardChange
from tests.core.gate import answers, ask
from tests.core.play import ALLOW, CONFIG, RESTART, START, TEMPLATE, Play, ref


def under(*templates: StandardChange) -> Play:
    """A play with these templates; rules ask for nothing."""
    remediation = replace(RESTART, attempts_max=50, cooldown=timedelta(), has_rollback=False)
    return Play(
        config=replace(
            CONFIG,
            policy=replace(ALLOW, standard=templates),
            remediations={"restart-service": remediation},
            remediation_rules=(),
        )
    )


REFUSED: Mapping[str, tuple[dict[str, object], str]] = {
    "another remediation": ({"remediation": "other"}, "no template covers restart-service"),
    "expired": ({"expires": START.date()}, "restarts expired on 2026-03-02"),
    "another version": (
        {"content": "sha256:0"},
        "restarts was made for another version of the remediation",
    ),
    "another target": ({"entities": (ref("db"),)}, f"restarts is not for {ref('web1')}"),
    "another kind": ({"kinds": ("database",)}, "restarts is for database only"),
    "another value": (
        {"parameters": {"service": ("db",)}},
        "restarts does not allow service=web1",
    ),
    "its conditions": ({"when": "change.is_automatic"}, "restarts has conditions that are not met"),
    "what nobody knows": (
        {"when": "service.tier == 1"},
        "restarts has conditions that cannot be told",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_template_covers_is_a_normal_change(case: str) -> None:
    """And its story says why."""
    changes, text = REFUSED[case]
    play = under(replace(TEMPLATE, **changes))  # type: ignore[arg-type]
    ask(play)
    change = play.change()
    assert (change.type, change.template) == (ChangeType.NORMAL, None)
    assert answers(play)[1] == "approval_needed"
    assert play.said("CHG-1", "not_standard")[0].startswith(f"a normal change: {text}")


def test_what_a_template_covers_names_it_with_its_version() -> None:
    """The first by name that covers it."""
    early = replace(TEMPLATE, name="early", expires=date(2000, 1, 1))
    play = under(early, TEMPLATE)
    ask(play)
    assert (play.change().type, play.change().template) == (ChangeType.STANDARD, "restarts@t1")


def test_it_is_used_so_often_and_no_more() -> None:
    """Within its time; then again."""
    play = under(replace(TEMPLATE, uses=2, within=timedelta(hours=1)))
    for _ in range(2):
        ask(play)
        play.play()
        play.wait(60)
    ask(play)
    assert play.said("CHG-3", "not_standard") == [
        "a normal change: restarts is used up: 2 starts in 1 h"
    ]
    play.wait(3600)
    ask(play, "db")
    assert play.change(4).type is ChangeType.STANDARD


def fail(play: Play, times: int) -> None:
    """Restarts that do not help."""
    for _ in range(times):
        ask(play)
        play.play(Outcome.FAILED)
        play.wait(60)


def test_failures_withdraw_it_until_a_person_reinstates_it() -> None:
    """With a problem for whoever answers for it."""
    play = under(replace(TEMPLATE, failures=2, failures_of=10))
    fail(play, 2)
    assert [p.title for p in play.state.problems.values()] == [
        "The standard change restarts is withdrawn"
    ]
    ask(play)
    assert play.change(3).type is ChangeType.NORMAL
    assert play.feed(StandardReinstated(name="restarts", by="ann")).refusal is None
    ask(play, "db")
    assert play.change(4).type is ChangeType.STANDARD
    again = play.feed(StandardReinstated(name="restarts", by="ann")).refusal
    unknown = play.feed(StandardReinstated(name="other", by="ann")).refusal
    assert again is not None
    assert unknown is not None
    assert (again.reason, unknown.reason) == ("not_open", "not_found")


def test_one_failure_among_many_does_not_withdraw_it() -> None:
    """Old failures are forgotten with the runs that they were among."""
    play = under(replace(TEMPLATE, failures=2, failures_of=2))
    for outcome in (Outcome.FAILED, Outcome.CHANGED, Outcome.FAILED, Outcome.CHANGED):
        ask(play)
        play.play(outcome)
        play.wait(60)
    assert play.state.gate.templates["restarts"].withdrawn_at is None


def test_what_was_withdrawn_meanwhile_does_not_start() -> None:
    """Judged again when the run lies ready: it falls to normal and waits for people."""
    play = under(TEMPLATE)
    ask(play)
    play.reload(policy=replace(ALLOW, standard=()))
    play.prepare()
    change = play.change()
    assert (change.type, change.state) == (ChangeType.NORMAL, ChangeState.AWAITING_APPROVAL)


def test_another_version_of_the_template_does_not_start_it() -> None:
    """What was authorised is not what is authorised now."""
    play = under(TEMPLATE)
    ask(play)
    play.reload(policy=replace(ALLOW, standard=(replace(TEMPLATE, digest="t2"),)))
    assert judge(play.state, play.change(), play.now).reason.value == "not_standard"


def test_a_change_that_was_stopped_is_no_failure() -> None:
    """Nobody knows whether it would have helped."""
    play = under(replace(TEMPLATE, failures=1, failures_of=1))
    ask(play)
    play.play(Outcome.CANCELLED)
    assert play.change().closure is Closure.CANCELLED
    assert play.state.gate.templates["restarts"].results == []
