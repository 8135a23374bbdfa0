"""May it: every answer of the gate, in the order of its questions."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.policy import judge
from agent.model.change import ChangeType, Closure
from agent.model.entry import ChangeCancelled, ChangeRequested
from agent.model.policy import Verdict
from agent.model.reason import Reason
from agent.model.remediation import Outcome
from tests.core.gate import (
    FREEZE,
    HOUR,
    PERMIT,
    answers,
    ask,
    below_a_change,
    broken,
    cooling,
    crowded,
    down,
    exhausted,
    frozen,
    gone_meanwhile,
    halved,
    in_windows,
    later,
    missed,
    moved,
    overspent,
    reloaded,
    rule,
    ruled,
    tired,
    unanswered,
)
from tests.core.play import ALLOW, CONFIG, RESTART, START, TEMPLATE, Play, calendar, minutes, ref

CASES: Mapping[str, tuple[Callable[[], Play], tuple[Verdict, Reason]]] = {
    "an emergency of who owes an answer": (
        unanswered,
        (Verdict.REFUSED, Reason.RETRO_OVERDUE),
    ),
    "no policy": (
        lambda: down(Play(config=replace(CONFIG, policy=None))),
        (Verdict.REFUSED, Reason.POLICY_MISSING),
    ),
    "a calendar that nobody could read": (
        lambda: down(Play(config=replace(CONFIG, calendars=("freeze",)))),
        (Verdict.DEFERRED, Reason.POLICY_MISSING),
    ),
    "a condition that cannot be evaluated": (
        lambda: down(ruled(rule('service.owner == "x"'))),
        (Verdict.REFUSED, Reason.POLICY_FAILED),
    ),
    "a rule that refuses": (
        lambda: down(ruled(rule(verdict=Verdict.REFUSED))),
        (Verdict.REFUSED, Reason.POLICY_REFUSES),
    ),
    "a rule that defers": (
        lambda: down(ruled(rule(verdict=Verdict.DEFERRED, defer_for=HOUR), rule())),
        (Verdict.DEFERRED, Reason.POLICY_DEFERS),
    ),
    "a change of what the target rests on": (
        below_a_change,
        (Verdict.DEFERRED, Reason.CONFLICT),
    ),
    "an error budget that is spent": (overspent, (Verdict.REFUSED, Reason.BUDGET_SPENT)),
    "no rule that holds": (
        lambda: down(ruled(rule("false"))),
        (Verdict.REFUSED, Reason.NO_POLICY_RULE),
    ),
    "a remediation that is gone": (
        lambda: reloaded(remediations={}),
        (Verdict.REFUSED, Reason.REMEDIATION_GONE),
    ),
    "a remediation that was edited": (
        lambda: reloaded(remediations={"restart-service": replace(RESTART, digest="sha256:2")}),
        (Verdict.REFUSED, Reason.DIGEST_MISMATCH),
    ),
    "a target that was moved to another host": (
        lambda: reloaded(service_map=moved()),
        (Verdict.REFUSED, Reason.TARGET_MOVED),
    ),
    "an alert that has cleared": (gone_meanwhile, (Verdict.REFUSED, Reason.NO_LONGER_NEEDED)),
    "a breaker that is open": (broken, (Verdict.REFUSED, Reason.BREAKER_OPEN)),
    "enough attempts": (exhausted, (Verdict.REFUSED, Reason.ATTEMPTS_EXHAUSTED)),
    "enough of everything on a target": (tired, (Verdict.REFUSED, Reason.TARGET_TIRED)),
    "a freeze": (
        lambda: frozen(type=ChangeType.STANDARD),
        (Verdict.DEFERRED, Reason.FROZEN),
    ),
    "a window to come": (
        lambda: in_windows((60, 120)),
        (Verdict.DEFERRED, Reason.OUTSIDE_WINDOW),
    ),
    "no window at all": (in_windows, (Verdict.REFUSED, Reason.OUTSIDE_WINDOW)),
    "a window that closes too soon, and a next one": (
        lambda: in_windows((-60, 3), (60, 120)),
        (Verdict.DEFERRED, Reason.WINDOW_TOO_SHORT),
    ),
    "a window that closes too soon, and none after": (
        lambda: in_windows((-60, 3)),
        (Verdict.REFUSED, Reason.WINDOW_TOO_SHORT),
    ),
    "what is wanted later": (
        lambda: later(minutes(60)),
        (Verdict.DEFERRED, Reason.NOT_BEFORE),
    ),
    "what was wanted earlier": (missed, (Verdict.REFUSED, Reason.WINDOW_MISSED)),
    "an approval that is missing": (
        lambda: down(ruled(rule(verdict=Verdict.NEEDS_APPROVAL, roles=("approver",)))),
        (Verdict.NEEDS_APPROVAL, Reason.APPROVAL_NEEDED),
    ),
    "a cooldown": (cooling, (Verdict.DEFERRED, Reason.COOLDOWN)),
    "too much at once": (crowded, (Verdict.DEFERRED, Reason.CONCURRENCY)),
    "too much of a group": (halved, (Verdict.DEFERRED, Reason.BLAST_RADIUS)),
    "a standard change": (lambda: down(Play()), (Verdict.ALLOWED, Reason.STANDARD_CHANGE)),
    "a rule that allows": (
        lambda: in_windows(required=False),
        (Verdict.ALLOWED, Reason.POLICY_ALLOWS),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_answer_has_its_reason(case: str) -> None:
    """And what is not allowed has not begun."""
    make, (verdict, reason) = CASES[case]
    play = make()
    newest = len(play.state.changes)
    assert answers(play, newest)[:2] == (verdict, reason)
    change = play.change(newest)
    run = play.state.runs.get(change.run or "")
    assert (run is not None) == (verdict is Verdict.ALLOWED)
    if verdict is Verdict.REFUSED:
        is_late = reason is Reason.WINDOW_MISSED
        assert change.closure is (Closure.EXPIRED if is_late else Closure.REFUSED)


def test_no_reason_of_the_gate_is_without_a_case() -> None:
    """Whoever adds a question adds what produces its answer; approvals have a file of their own."""
    named = {
        node.attr
        for file in Path(judge.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Reason"
    }
    # What no template covers falls to normal, and is judged as that.
    assert named - {"APPROVED", "NOT_STANDARD"} == {
        reason.name for _, (_, reason) in CASES.values()
    }


def test_a_refusal_comes_before_everything_else() -> None:
    """What is never allowed does not first wait for a freeze to end."""
    play = ruled(rule("change.is_reversible", Verdict.REFUSED, text="not here"))
    play.calendars(calendar("yule", (START, START + HOUR), purpose=FREEZE))
    down(play)
    assert answers(play) == ("refused", "policy_refuses", "refused")
    assert play.change().outcome_text == "not here"


def test_the_first_rule_that_holds_decides() -> None:
    """Order is what the author wrote."""
    play = ruled(rule("false", Verdict.REFUSED), rule(), rule(verdict=Verdict.REFUSED))
    down(play)
    assert answers(play)[0] == "allowed"


def test_a_freeze_beats_an_open_window() -> None:
    """A window in a freeze is no window."""
    play = ruled(rule(), windows_required=True)
    play.calendars(
        calendar("nightly", (START, START + 4 * HOUR), purpose=PERMIT),
        calendar("yule", (START, START + HOUR), purpose=FREEZE),
    )
    ask(play, type=ChangeType.NORMAL)
    assert answers(play) == ("deferred", "frozen", "scheduled")
    play.wait(HOUR.total_seconds())
    assert answers(play) == ("allowed", "policy_allows", "starting")


def test_what_would_run_into_a_freeze_does_not_start() -> None:
    """The freeze begins before the run would be over at the latest."""
    play = Play()
    soon = START + RESTART.timeout
    play.calendars(calendar("yule", (soon, soon + HOUR), purpose=FREEZE))
    down(play)
    assert answers(play)[1] == "frozen"


def test_a_freeze_is_for_whom_it_names() -> None:
    """And for what that rests on."""
    play = Play()
    yule = calendar("yule", (START, START + HOUR), purpose=FREEZE, entities=(ref("web1"),))
    play.calendars(yule)
    ask(play, "db", ChangeType.STANDARD)
    ask(play, "web2", ChangeType.STANDARD)
    assert [answers(play, 1)[1], answers(play, 2)[1]] == ["frozen", "standard_change"]


def test_an_emergency_overrides_a_freeze_and_still_needs_its_approvals() -> None:
    """It cannot wait; it can be asked about."""
    play = ruled(rule(verdict=Verdict.NEEDS_APPROVAL, roles=("approver",)))
    play.calendars(calendar("yule", (START, START + HOUR), purpose=FREEZE))
    play.fire("Slow", service="web1")
    ask(play, type=ChangeType.EMERGENCY)
    assert answers(play) == ("needs_approval", "approval_needed", "awaiting_approval")


def test_windows_are_for_normal_changes() -> None:
    """A standard change is pre-authorised at any time."""
    play = ruled(rule(), windows_required=True)
    ask(play, type=ChangeType.STANDARD)
    assert answers(play)[0] == "allowed"


def test_a_window_that_is_declared_for_it_counts_without_being_required() -> None:
    """Somebody said when this service may be changed."""
    assert answers(in_windows((60, 120), required=False))[1] == "outside_window"
    assert answers(in_windows((-10, 120), required=False))[0] == "allowed"


def test_a_window_that_is_over_is_none() -> None:
    """Nothing is in sight."""
    assert answers(in_windows((-60, -30))) == ("refused", "outside_window", "refused")


def test_a_calendar_that_was_not_expanded_for_now_denies() -> None:
    """Outside of its horizon nobody knows whether there is a freeze."""
    play = Play(config=replace(CONFIG, calendars=("yule",)))
    far = (START + 5 * HOUR, START + 6 * HOUR)
    play.calendars(calendar("yule", far, purpose=FREEZE, horizon=HOUR))
    down(play, "web1")
    play.wait(HOUR.total_seconds())
    down(play, "db")
    assert [answers(play, 1)[1], answers(play, 2)[1]] == ["standard_change", "policy_missing"]


def test_attempts_are_counted_in_their_window_and_for_rules_only() -> None:
    """A person may try once more; tomorrow the rule may, too."""
    play = exhausted()
    ask(play, type=ChangeType.STANDARD)
    assert answers(play, 4)[0] == "allowed"
    later = exhausted()
    later.wait(RESTART.attempts_window.total_seconds())
    later.fire("ServiceDown", service="web1", host="app1", again="1")
    assert answers(later, 4)[0] == "allowed"


def test_a_person_does_not_wait_for_a_cooldown() -> None:
    """It is there to stop a machine from hammering."""
    play = cooling()
    play.feed(ChangeCancelled(change="CHG-2", by="bob"))
    ask(play, type=ChangeType.STANDARD)
    assert answers(play, 3)[0] == "allowed"


def test_a_cooldown_ends_by_itself() -> None:
    """What was deferred is judged again at that moment."""
    play = cooling()
    assert answers(play, 2)[2] == "scheduled"
    play.wait(20)
    assert answers(play, 2) == ("allowed", "standard_change", "starting")


def test_one_host_has_one_change_at_a_time() -> None:
    """Two services on one machine wait for each other; the end of the first lets the second go."""
    shared = {
        name: replace(each, host=CONFIG.service_map.entities[ref("db")].host)
        for name, each in CONFIG.service_map.entities.items()
    }
    play = Play(config=replace(CONFIG, service_map=CONFIG.service_map.of(shared)))
    ask(play, "db", ChangeType.STANDARD)
    ask(play, "web1", ChangeType.STANDARD)
    assert answers(play, 2) == ("deferred", "concurrency", "scheduled")
    assert play.change(2).decision.text == "CHG-1 is under way on the same target"  # type: ignore[union-attr]
    play.play(Outcome.CHANGED)
    play.wait(10)
    assert play.change(1).closure is Closure.SUCCESS
    assert answers(play, 2) == ("allowed", "standard_change", "starting")


def test_two_remediations_of_one_target_wait_for_each_other() -> None:
    """A target never has two runs."""
    other = replace(RESTART, name="other")
    also = replace(TEMPLATE, name="others", remediation="other")
    play = Play(
        config=replace(
            CONFIG,
            remediations={"restart-service": RESTART, "other": other},
            policy=replace(ALLOW, standard=(TEMPLATE, also)),
        )
    )
    ask(play, "web1", ChangeType.STANDARD)
    play.feed(
        ChangeRequested(
            remediation="other",
            entity=ref("web1"),
            parameters={"service": "web1"},
            by="bob",
            type=ChangeType.STANDARD,
        )
    )
    assert answers(play, 2)[1] == "concurrency"


def test_the_last_of_a_group_is_not_touched_while_another_is_under_change() -> None:
    """It may be when the first is done."""
    play = halved()
    assert play.change(2).decision.text == "2 of 2 in web would be away at once"  # type: ignore[union-attr]
    said = next(iter(play.state.alerts.values())).alert
    play.play()
    play.resolve(said)
    play.wait(10)
    assert answers(play, 2)[2] == "starting"
