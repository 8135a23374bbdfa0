"""Judged again at the start: what was allowed when it was asked for may not be any more."""

from dataclasses import replace
from datetime import timedelta

from agent.model.change import ChangeState
from agent.model.effect import LaunchRun, PrepareRun
from agent.model.policy import Verdict
from tests.core.gate import FREEZE, HOUR, answers, down, in_windows, rule
from tests.core.play import ALLOW, START, Play, calendar


def test_a_freeze_that_began_meanwhile_stops_the_start() -> None:
    """The run lies ready and is not launched; it goes on when the freeze is over."""
    play = down(Play())
    play.calendars(calendar("yule", (START, START + HOUR), purpose=FREEZE))
    play.prepare()
    assert play.asked(LaunchRun) == 0
    assert answers(play) == ("deferred", "frozen", "scheduled")
    play.wait(HOUR.total_seconds())
    play.play()
    assert play.change().state is ChangeState.VERIFYING


def test_an_alert_that_cleared_meanwhile_stops_the_start() -> None:
    """Nothing is restarted that is well."""
    play = Play()
    said = play.fire("ServiceDown", service="web1", host="app1")
    play.resolve(said)
    play.prepare()
    assert play.asked(LaunchRun) == 0
    assert answers(play) == ("refused", "no_longer_needed", "refused")


def test_a_policy_that_was_changed_meanwhile_stops_the_start() -> None:
    """The rule set in force at the start decides."""
    play = down(Play())
    play.reload(policy=replace(ALLOW, digest="p2", rules=(rule(verdict=Verdict.REFUSED),)))
    play.prepare()
    assert play.asked(LaunchRun) == 0
    assert answers(play)[1] == "policy_refuses"


def test_what_ran_out_of_its_window_while_it_was_prepared_waits() -> None:
    """Preparation took too long."""
    play = in_windows((-60, 11), (60, 120))
    play.now += timedelta(seconds=10)
    play.prepare()
    assert answers(play) == ("deferred", "window_too_short", "scheduled")
    assert play.asked(PrepareRun) == 0
