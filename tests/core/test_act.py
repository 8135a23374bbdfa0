"""Runs: prepared, launched, over, lost, undone; and what each means for the change."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.model.autonomy_entries import BreakerReset
from agent.model.calendar import CalendarPurpose
from agent.model.change import (
    Change,
    ChangeState,
    ChangeType,
    Closure,
    RunState,
)
from agent.model.change_entries import ChangeReconciled
from agent.model.effect import CancelRun, LaunchRun, PrepareRun, Probe
from agent.model.entry import (
    ChangeCancelled,
    ChangeRequested,
    RunFinished,
    RunLost,
    RunPrepared,
    RunStarted,
)
from agent.model.remediation import Outcome, Phase, RunResult
from agent.model.transition import Transition
from tests.core.play import CONFIG, RESTART, START, Play, calendar, ref


def down(**changes: object) -> Play:
    """A service died, and its restart was asked for; the remediation is a little different."""
    remediation = replace(RESTART, **changes)  # type: ignore[arg-type]
    play = Play(config=replace(CONFIG, remediations={"restart-service": remediation}))
    play.fire("ServiceDown", service="web1", host="app1")
    return play


def ends(change: Change) -> tuple[str, str | None]:
    """Where it is, and how it ended."""
    return change.state, change.closure


def cancel(play: Play, note: str = "") -> Transition:
    """A person stops the change."""
    return play.feed(ChangeCancelled(change="CHG-1", by="bob", note=note))


def reconcile(play: Play, **changes: object) -> Transition:
    """A person says what a lost run did."""
    said = ChangeReconciled(
        change="CHG-1", by="bob", closure=Closure.FAILED, note="looked at the host"
    )
    return play.feed(replace(said, **changes))  # type: ignore[arg-type]


def request(play: Play, **changes: object) -> Transition:
    """A person asks for a restart of the database, or for something a little different."""
    asked = ChangeRequested(
        remediation="restart-service",
        entity=ref("db"),
        parameters={"service": "db"},
        by="bob",
        type=ChangeType.STANDARD,
    )
    return play.feed(replace(asked, **changes))  # type: ignore[arg-type]


def test_what_failed_is_rolled_back_where_that_is_declared() -> None:
    """Once, and the change says so."""
    play = down()
    play.play(Outcome.FAILED)
    assert play.state.runs["RUN-2"].phase is Phase.ROLLBACK
    play.play(Outcome.OK)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.ROLLED_BACK)
    told = ["run_prepared", "run_started", "rolled_back", "review_due"]
    assert play.story("CHG-1")[-4:] == told


def test_what_timed_out_is_rolled_back_too() -> None:
    """It was ended half-way."""
    play = down()
    play.play(Outcome.TIMED_OUT)
    assert play.take(PrepareRun).spec.phase is Phase.ROLLBACK


def test_what_has_no_rollback_has_failed() -> None:
    """A person hears of it by the story."""
    play = down(has_rollback=False)
    play.play(Outcome.FAILED)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.FAILED)
    assert play.asked(PrepareRun) == 0


def test_a_target_that_cannot_be_reached_is_not_rolled_back() -> None:
    """Nothing was done there, and nothing could be undone."""
    play = down()
    play.play(Outcome.UNREACHABLE)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.FAILED)
    assert play.change().outcome_text == "the target could not be reached"
    assert play.asked(PrepareRun) == 0


def test_a_rollback_that_fails_is_a_failure_and_the_end() -> None:
    """It is not rolled back in its turn."""
    play = down()
    play.play(Outcome.FAILED)
    play.play(Outcome.FAILED)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.FAILED)
    assert play.story("CHG-1")[-2:] == ["rollback_failed", "review_due"]


def test_a_rollback_that_is_not_what_was_approved_leaves_a_failure() -> None:
    """The files were changed between run and rollback: it failed, and counts as that."""
    play = down()
    play.play(Outcome.FAILED)
    play.prepare("sha256:2")
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.FAILED)
    assert play.asked(LaunchRun) == 0
    assert play.state.attempts["component:default/web1|restart-service"].failed == 1


def test_what_is_gone_from_the_rules_cannot_be_rolled_back() -> None:
    """Its contract is gone with it: the failure is told, nothing unknown is played."""
    play = down()
    launch = play.launch()
    play.reload(remediations={})
    play.finish(launch, Outcome.FAILED)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.FAILED)


@pytest.mark.parametrize("digest", ["sha256:2", None])
def test_nothing_starts_that_is_not_as_approved_or_could_not_be_laid_out(
    digest: str | None,
) -> None:
    """Refused with the reason; the run is over before it began."""
    play = down()
    play.prepare(digest, problem="the folder is gone" if digest is None else "")
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.REFUSED)
    assert play.asked(LaunchRun) == 0
    assert play.state.runs["RUN-1"].state is RunState.FINISHED
    assert play.story("CHG-1")[-1] == ("digest_mismatch" if digest else "run_failed")


def test_an_executor_that_refuses_ends_it_as_refused() -> None:
    """It found something else than what was approved at the last moment."""
    play = down()
    play.play(Outcome.REFUSED)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.REFUSED)


def test_a_cancelled_run_is_ended_and_its_end_closes_the_change() -> None:
    """Asked for once, however often the person asks."""
    play = down()
    launch = play.launch()
    cancel(play, "wrong host")
    cancel(play)
    assert play.asked(CancelRun) == 1
    assert play.change().state is ChangeState.RUNNING
    play.finish(launch, Outcome.CANCELLED)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.CANCELLED)
    assert list(play.state.outbox.all()) == []
    assert play.said("CHG-1", "cancelled")[:2] == ["wrong host", "being ended"]


def test_what_did_not_begin_is_cancelled_at_once() -> None:
    """A run that lies ready later is not launched."""
    play = down()
    cancel(play, "not now")
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.CANCELLED)
    assert play.change().outcome_text == "cancelled by bob: not now"
    play.prepare()
    assert play.asked(LaunchRun) == 0
    assert play.state.runs["RUN-1"].state is RunState.FINISHED


def test_a_rollback_may_be_cancelled() -> None:
    """That leaves a failure."""
    play = down()
    play.play(Outcome.FAILED)
    launch = play.launch()
    cancel(play)
    assert play.take(CancelRun).run == "RUN-2"
    play.finish(launch, Outcome.CANCELLED)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.FAILED)


def test_cancelling_what_is_being_verified_leaves_it_as_it_is() -> None:
    """The run is over: nothing has to be ended, and nothing is undone behind a person's back."""
    play = down()
    play.play()
    cancel(play)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.CANCELLED)
    play.wait(600)
    assert play.asked(PrepareRun) == 0


def test_answers_about_unknown_or_settled_runs_change_nothing() -> None:
    """Outcomes may be told twice after a crash."""
    play = down()
    launch = play.launch()
    play.finish(launch)
    before = (dict(play.state.changes), dict(play.state.runs))
    result = RunResult(outcome=Outcome.FAILED, summary="again")
    for name in ("RUN-1", "RUN-9"):
        play.feed(RunPrepared(effect="x", run=name, digest="sha256:1"))
        play.feed(RunStarted(effect="x", run=name))
        play.feed(RunFinished(effect="x", run=name, result=result))
        play.feed(RunLost(run=name, problem="gone"))
    assert (play.state.changes, play.state.runs) == before


def test_a_run_that_ends_after_its_change_was_reconciled_is_written_down() -> None:
    """The change stays as the person left it."""
    play = down()
    play.play(Outcome.FAILED)
    asked = play.prepare()
    launch = play.take(LaunchRun)
    play.feed(RunLost(run=asked.spec.run, problem="killed"))
    reconcile(play)
    play.feed(
        RunFinished(
            effect=launch.id,
            run=launch.run,
            result=RunResult(outcome=Outcome.OK, summary="late word"),
        )
    )
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.FAILED)
    assert play.state.runs[launch.run].state is RunState.FINISHED


def test_what_nobody_knows_cannot_be_cancelled() -> None:
    """It may have happened: a person finds out and says how it ended, and why they know."""
    play = down()
    launch = play.launch()
    play.finish(launch, Outcome.UNKNOWN)
    told = cancel(play)
    assert told.refusal is not None
    assert (told.refusal.reason, play.change().state) == ("move_refused", ChangeState.UNKNOWN)
    assert reconcile(play, note="").refusal is not None
    assert reconcile(play, is_service=True).refusal is not None
    assert reconcile(play, closure=Closure.CANCELLED).refusal is not None
    assert reconcile(play).refusal is None
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.FAILED)
    assert play.change().review is not None


def test_a_run_lost_before_it_began_is_laid_out_again() -> None:
    """Preparation has no effect in the world: it may be repeated."""
    play = down()
    play.feed(RunLost(run="RUN-1", problem="killed"))
    assert play.change().state is ChangeState.STARTING
    play.play()
    assert play.change().state is ChangeState.VERIFYING


def test_a_lost_run_is_handed_over_and_watched_until_its_signal_clears() -> None:
    """Nobody knows what it did: a person is told once, and success is still recognised."""
    play = down()
    down_alert = next(iter(play.state.alerts.values())).alert
    launch = play.launch()
    play.feed(RunLost(run=launch.run, problem="the agent was killed"))
    assert list(play.state.outbox.all()) == []
    play.wait(600)
    assert play.story("CHG-1").count("handed_over") == 1
    assert play.asked(PrepareRun) == 0
    play.resolve(down_alert)
    play.wait(180)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.SUCCESS)
    assert play.story("CHG-1")[-1] == "reconciled"


def test_it_is_tried_again_after_the_cooldown() -> None:
    """As the second attempt, while the alert still fires."""
    play = down(has_rollback=False)
    play.play(Outcome.FAILED)
    play.trust()
    play.wait(29)
    assert len(play.state.changes) == 1
    play.wait(1)
    assert (play.change(2).attempt, play.change(2).state) == (2, ChangeState.STARTING)


def test_what_cleared_in_the_cooldown_is_not_tried_again() -> None:
    """A later run would restart what is well."""
    play = down(has_rollback=False)
    said = next(iter(play.state.alerts.values())).alert
    play.play(Outcome.FAILED)
    play.resolve(said)
    play.wait(60)
    assert len(play.state.changes) == 1


def test_a_persons_request_is_not_repeated_by_itself() -> None:
    """They see that it failed."""
    play = Play()
    request(play)
    play.play(Outcome.UNREACHABLE)
    play.wait(3600)
    assert len(play.state.changes) == 1


def test_success_makes_failures_before_it_count_no_more() -> None:
    """The incident says that automation restored it."""
    play = down(has_rollback=False)
    said = next(iter(play.state.alerts.values())).alert
    play.play(Outcome.FAILED)
    play.trust()
    play.wait(30)
    play.play()
    play.resolve(said)
    play.wait(10)
    attempts = play.state.attempts["component:default/web1|restart-service"]
    assert (attempts.failed, attempts.breaker_open) == (0, False)
    assert play.incident().automated


def test_the_breaker_raises_a_problem_and_hands_over() -> None:
    """After the last attempt: once, with the incident behind it."""
    play = down(has_rollback=False)
    for _ in range(2):
        play.play(Outcome.FAILED)
        play.trust()
        play.wait(60)
    problem = play.state.problems["PRB-1"]
    assert (problem.title, problem.incidents) == (
        "Restart a service does not help web1",
        ("INC-1",),
    )
    assert play.incident().problem == "PRB-1"
    assert play.story("INC-1").count("handed_over") == 1


def test_an_open_breaker_is_a_persons_to_reset() -> None:
    """That something worked once, asked for by a person, does not show that the rule will."""
    play = down(has_rollback=False)
    for _ in range(2):
        play.play(Outcome.FAILED)
        play.trust()
        play.wait(60)
    request(play, entity=ref("web1"), parameters={"service": "web1"})
    play.play()
    play.wait(10)
    name = "component:default/web1|restart-service"
    assert play.state.attempts[name].breaker_open
    play.feed(BreakerReset(breaker=name, by="eve", roles=("approver",)))
    assert not play.state.attempts[name].breaker_open


def test_a_lost_run_does_not_probe_when_nothing_says_how() -> None:
    """The signal alone decides; no metrics source is asked."""
    play = down()
    launch = play.launch()
    play.feed(RunLost(run=launch.run, problem="x"))
    play.wait(60)
    assert play.asked(Probe) == 0


def test_a_rules_change_that_ended_before_its_moment_stays_ended() -> None:
    """The freeze ends an hour after a person said no."""
    play = Play()
    freeze = (START, START + timedelta(hours=1))
    play.calendars(calendar("yule", freeze, purpose=CalendarPurpose.FREEZE))
    play.fire("ServiceDown", service="web1", host="app1")
    cancel(play)
    play.wait(2 * 3600)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.CANCELLED)
