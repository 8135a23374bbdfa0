"""Which other changes are in the way, and what policy makes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core.policy.judge import judge
from agent.model.change import Change, ChangeState, ChangeType
from agent.model.entry import ChangeReported
from agent.model.policy import ConflictKind
from agent.model.reported import ENTITY_NAME, ChangeReport, Progress
from tests.core.gate import FREEZE, HOUR, answers, ask, rule
from tests.core.play import ALLOW, CONFIG, RESTART, SHOP, START, Play, calendar, minutes, ref

ROOMY = replace(RESTART, redundancy_share_max=1.0)
EVERY = replace(ALLOW, rules=(rule(),), conflicts_defer=tuple(ConflictKind))


def permissive(**changes: object) -> Play:
    """A play in which anybody may restart anything, and nothing asks by itself."""
    policy = replace(ALLOW, rules=(rule(),), **changes)  # type: ignore[arg-type]
    remediations = {"restart-service": ROOMY}
    return Play(
        config=replace(CONFIG, policy=policy, remediation_rules=(), remediations=remediations)
    )


def kinds(play: Play, number: int = 2) -> list[str]:
    """What was in the way of a change when it was judged last."""
    return [conflict.kind.value for conflict in play.change(number).conflicts]


@pytest.mark.parametrize(
    ("first", "second", "kind", "verdict"),
    [
        ("db", "web1", "parent", "deferred"),
        ("web1", "db", "child", "allowed"),
        ("web1", "web2", "twin", "allowed"),
    ],
)
def test_the_map_says_what_is_in_the_way(first: str, second: str, kind: str, verdict: str) -> None:
    """Above, below and beside; by default only what the target rests on makes it wait."""
    play = permissive()
    ask(play, first)
    ask(play, second)
    assert kinds(play) == [kind]
    assert answers(play, 2)[0] == verdict


def test_policy_says_which_kinds_make_a_change_wait() -> None:
    """The same two changes under two policies; what waited goes on when the other is over."""
    play = permissive(conflicts_defer=(ConflictKind.CHILD,))
    ask(play, "web1")
    ask(play, "db")
    assert answers(play, 2)[:2] == ("deferred", "conflict")
    play.play()
    play.wait(180)
    assert answers(play, 2)[0] == "allowed"


def test_the_same_people_are_shown() -> None:
    """Two things of one owner, far apart on the map."""
    entities = {
        key: replace(each, owner="group:default/ops", depends_on=(), redundancy_group=None)
        for key, each in SHOP.entities.items()
    }
    play = permissive()
    play.reload(service_map=type(SHOP).of(entities))
    ask(play, "web1")
    ask(play, "db")
    assert kinds(play) == ["person"]
    assert answers(play, 2)[0] == "allowed"


def reported(play: Play, progress: Progress, service: str = "db") -> None:
    """A tool says that somebody deploys there."""
    names = {ENTITY_NAME: ref(service)}
    report = ChangeReport(key="1", at=play.now, summary="v2", progress=progress, names=names)
    play.feed(ChangeReported(source="ci", report=report))


def test_changes_of_others_count_until_they_are_over() -> None:
    """A deployment below makes a restart wait; its end lets it go on at once."""
    play = permissive()
    reported(play, Progress.STARTED)
    ask(play, "web1")
    assert answers(play)[:2] == ("deferred", "conflict")
    assert play.change().conflicts[0].other == "REP-1"
    play.now += minutes(1)
    reported(play, Progress.SUCCEEDED)
    assert answers(play)[0] == "allowed"


def test_a_tool_that_forgets_the_end_does_not_block_for_ever() -> None:
    """Two hours are believed."""
    play = permissive()
    reported(play, Progress.STARTED)
    ask(play, "web1")
    play.wait(2 * 3600 + 61)
    assert answers(play)[0] == "allowed"


def planned(play: Play, service: str, at_minute: int, number: int) -> Change:
    """A change that waits for its time."""
    template = play.change()
    return replace(
        template,
        id=f"CHG-{number}",
        entity=ref(service),
        hosts=(play.state.config.service_map.entities[ref(service)].host,),  # type: ignore[arg-type]
        state=ChangeState.SCHEDULED,
        scheduled_for=START + minutes(at_minute),
        requested_at=START + timedelta(seconds=number),
    )


def test_what_was_planned_first_goes_first() -> None:
    """Of two in each other's way exactly one waits, whichever is asked about."""
    play = Play(config=replace(CONFIG, policy=EVERY, remediation_rules=()))
    play.calendars(calendar("yule", (START, START + HOUR), purpose=FREEZE))
    ask(play, "web1", ChangeType.NORMAL)
    one, two = planned(play, "web1", 61, 1), planned(play, "db", 62, 2)
    play.state.changes = {one.id: one, two.id: two}
    # Whichever would begin a moment before the other's time.
    late = judge(play.state, replace(two, scheduled_for=None), START + minutes(60.5))
    early = judge(play.state, replace(one, scheduled_for=None), START + minutes(61.5))
    assert (late.reason.value, early.verdict.value) == ("conflict", "allowed")


def test_an_emergency_waits_only_for_the_same_place() -> None:
    """Not for what it rests on."""
    play = permissive()
    play.fire("ServiceDown", service="web1")
    ask(play, "db")
    ask(play, "web1", ChangeType.EMERGENCY)
    assert kinds(play) == ["parent"]
    assert answers(play, 2)[0] == "allowed"
