"""Windows: what fits starts, what was asked for is kept to, and who and why reach the reasons."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from agent.core.policy.calendar import takes
from agent.model.calendar import Calendar, CalendarPurpose, CalendarWindow
from agent.model.change import ChangeState, ChangeType, Closure
from agent.model.effect import PrepareRun
from agent.model.entry import CalendarsExpanded
from agent.model.interval import Interval
from agent.model.policy import Verdict
from agent.model.reason import Reason
from tests.core.gate import FREEZE, HOUR, PERMIT, answers, ask, down, frozen, rule, ruled
from tests.core.play import CONFIG, RESTART, START, Play, calendar, minutes, ref

EXCLUDE, MUTE = CalendarPurpose.EXCLUDE, CalendarPurpose.MUTE
MOVE = CalendarWindow(
    interval=Interval(START, START + HOUR),
    summary="Rack move",
    purposes=(MUTE, PERMIT, FREEZE, EXCLUDE),
    entities=(ref("web1"),),
    who="Jane Doe",
    why="to the new hall",
)
TOLD = "Rack move (by Jane Doe; to the new hall)"


def moved(play: Play, *windows: CalendarWindow) -> Play:
    """A calendar of these windows is in force."""
    whole = Interval(START - HOUR, START + 30 * 24 * HOUR)
    made = Calendar(name="work", permits=((ref("web1"),),), windows=windows, horizon=whole)
    play.feed(CalendarsExpanded(calendars=(made,)))
    return play


def test_one_entry_mutes_excuses_and_freezes_and_says_who_and_why() -> None:
    """In the reason of a decision, on the alert, and where downtime is excused."""
    play = moved(Play(), MOVE)
    ask(play)
    decision = play.change().decision
    assert decision is not None
    assert f"{TOLD} is a freeze until {START + HOUR:%Y-%m-%d %H:%M} UTC" == decision.text
    down(play)
    assert (f"calendar:work: {TOLD}",) == next(iter(play.state.alerts.values())).suppressed_by
    assert f"calendar:work: {TOLD}" == play.state.health[ref("web1")].excused_by
    assert {} == play.state.incidents


def test_permission_of_an_entry_binds_whom_it_names_also_when_it_is_over() -> None:
    """Others need no window for it."""
    over = replace(MOVE, interval=Interval(START - HOUR, START), purposes=(PERMIT,))
    play = moved(ruled(rule()), over)
    ask(play, "web1", type=ChangeType.NORMAL)
    ask(play, "web2", type=ChangeType.NORMAL)
    assert ("refused", "outside_window", "refused") == answers(play, 1)
    assert "allowed" == answers(play, 2)[0]


def test_run_verification_and_rollback_have_to_fit() -> None:
    """To the second: five minutes, one, and five again."""
    assert takes(RESTART) == minutes(11)
    assert takes(replace(RESTART, has_rollback=False)) == minutes(6)
    for seconds, verdict in ((0, Verdict.ALLOWED), (-1, Verdict.REFUSED)):
        end = START + minutes(11) + timedelta(seconds=seconds)
        play = moved(
            ruled(rule()), replace(MOVE, interval=Interval(START, end), purposes=(PERMIT,))
        )
        ask(play, type=ChangeType.NORMAL)
        assert verdict == answers(play)[0]


def test_windows_that_touch_are_one() -> None:
    """What fits in both together starts in the first, and its window is that of both."""
    parts = (minutes(0), minutes(6), minutes(20))
    windows = [
        replace(MOVE, interval=Interval(START + a, START + b), purposes=(PERMIT,))
        for a, b in pairwise(parts)
    ]
    play = moved(ruled(rule()), *windows)
    ask(play, type=ChangeType.NORMAL)
    assert ("allowed", Interval(START, START + minutes(20))) == (
        answers(play)[0],
        play.change().window,
    )


def test_after_a_freeze_it_waits_for_the_first_moment_that_is_left_of_a_window() -> None:
    """Not for the end of the freeze, which is in the middle of the day."""
    play = ruled(rule(), windows_required=True)
    play.calendars(
        calendar("yule", (START, START + 5 * HOUR), purpose=FREEZE),
        calendar("night", (START + HOUR, START + 4 * HOUR), purpose=PERMIT),
        calendar("next", (START + 9 * HOUR, START + 12 * HOUR), purpose=PERMIT),
    )
    ask(play, type=ChangeType.NORMAL)
    change = play.change()
    assert change.decision is not None
    assert (Reason.FROZEN, START + 9 * HOUR) == (change.decision.reason, change.decision.until)
    assert Interval(START + 9 * HOUR, START + 12 * HOUR) == change.window
    play.wait(9 * 3600)
    assert 1 == play.asked(PrepareRun)


def test_a_change_keeps_its_window_while_it_fits() -> None:
    """A shorter one that opens meanwhile is not another plan; another one in its place is."""
    policy = ruled(rule(verdict=Verdict.NEEDS_APPROVAL, roles=("approver",)))
    day = replace(MOVE, interval=Interval(START, START + 8 * HOUR), purposes=(PERMIT,))
    short = replace(day, interval=Interval(START + HOUR, START + 2 * HOUR))
    play = moved(policy, day, short)
    ask(play, type=ChangeType.NORMAL)
    play.wait(3600 + 60)
    play.reload()
    assert day.interval == play.change().window
    plans = play.change().plans
    later = replace(day, interval=Interval(START + 5 * HOUR, START + 6 * HOUR))
    moved(play, later)
    assert (later.interval, plans + 1) == (play.change().window, play.change().plans)


def test_what_a_person_wants_later_starts_then() -> None:
    """And until then it stands in nobody's way."""
    play = Play()
    ask(play, not_before=START + HOUR, not_after=START + 2 * HOUR)
    change = play.change()
    assert ("deferred", "not_before", "scheduled") == answers(play)
    assert (START + HOUR, Interval(START + HOUR, START + 2 * HOUR)) == (
        change.scheduled_for,
        change.window,
    )
    said = play.fire("ServiceDown", service="web1", host="app1")
    assert ChangeState.SCHEDULED is play.change(1).state
    assert play.change(2).requested_by.startswith("rule:")
    play.play()
    play.resolve(said)
    play.wait(3599)
    assert (Closure.SUCCESS, "scheduled") == (play.change(2).closure, play.change(1).state)
    play.wait(1)
    assert ("allowed", START + HOUR) == (answers(play, 1)[0], play.now)


def test_what_nobody_approved_in_its_time_is_expired() -> None:
    """From the moment on at which it would not end in time any more, not a second before."""
    play = ruled(rule(verdict=Verdict.NEEDS_APPROVAL, roles=("approver",)))
    ask(play, not_after=START + minutes(30))
    play.wait(19 * 60)
    assert play.change().is_open
    play.wait(1)
    assert Closure.EXPIRED is play.change().closure
    assert "window_missed" == play.change().decision.reason  # type: ignore[union-attr]


def test_a_freeze_over_all_of_the_time_that_was_asked_for_refuses() -> None:
    """Waiting would not help."""
    play = frozen(type=ChangeType.STANDARD)
    ask(play, "web2", not_after=START + minutes(70))
    assert ("refused", "frozen", "refused") == answers(play, 2)
    assert "nothing is left of the time" in play.change(2).outcome_text


def test_time_that_is_too_short_is_refused_when_it_is_asked_for() -> None:
    """With how long it may take."""
    play = Play()
    transition = ask(play, not_before=START + HOUR, not_after=START + HOUR + minutes(10))
    assert {} == play.state.changes
    assert transition.refusal is not None
    assert "it may take 11 minutes" in str(transition.refusal)


def test_a_subscribed_calendar_that_is_too_old_denies_from_then_on() -> None:
    """And what waits goes on when there is a copy again."""
    play = Play(config=replace(CONFIG, calendars=("yule",)))
    yule = calendar("yule", (START + 9 * HOUR, START + 10 * HOUR), purpose=FREEZE)
    play.calendars(replace(yule, fresh_until=START + HOUR))
    play.wait(3599)
    ask(play, "web1")
    assert "allowed" == answers(play)[0]
    play.wait(1)
    ask(play, "db")
    assert ("deferred", "policy_missing", "scheduled") == answers(play, 2)
    assert "last copy is too old" in play.change(2).decision.text  # type: ignore[union-attr]
    play.calendars(replace(yule, fresh_until=START + 5 * HOUR))
    assert "allowed" == answers(play, 2)[0]
