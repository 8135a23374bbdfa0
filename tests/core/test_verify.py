"""Success is what is measured after the run: a signal that cleared and a query that holds."""

from dataclasses import replace
from datetime import timedelta

from agent.model.alert import Alert
from agent.model.change import ChangeState, ChangeType, Closure
from agent.model.effect import PrepareRun, Probe
from agent.model.entry import ChangeRequested, ProbeAnswered
from agent.model.incident import IncidentState
from agent.model.remediation import Verification
from tests.core.play import CONFIG, RESTART, Play, ref

QUERY = 'up{host="$host",job="$service",x="$unknown"}'


def played(**changes: object) -> tuple[Play, Alert]:
    """A restart that was played, with the alert it was for."""
    wanted = Verification(
        **{  # type: ignore[arg-type]
            "stable_for": timedelta(seconds=5),
            "within": timedelta(seconds=60),
            "every": timedelta(seconds=2),
            **changes,
        }
    )
    remediation = replace(RESTART, verification=wanted)
    play = Play(config=replace(CONFIG, remediations={"restart-service": remediation}))
    said = play.fire("ServiceDown", service="web1", host="app1")
    play.play()
    return play, said


def answer(play: Play, holds: bool | None, *, age: float = 0) -> None:
    """The metrics source answers the probe that waits, with a sample of this age."""
    probe = play.take(Probe)
    play.feed(
        ProbeAnswered(
            effect=probe.id,
            change="CHG-1",
            holds=holds,
            detail="",
            measured_at=play.now - timedelta(seconds=age),
        )
    )


def probed(**changes: object) -> Play:
    """A restart whose alert has cleared, and whose query is asked for the first time."""
    play, said = played(promql=QUERY, **changes)
    play.resolve(said)
    play.wait(0)
    return play


def test_an_exit_code_is_no_success() -> None:
    """While the alert fires nothing is verified; in the end it is undone."""
    play, _ = played()
    play.wait(59)
    assert play.change().state is ChangeState.VERIFYING
    play.wait(1)
    assert play.take(PrepareRun).spec.phase == "rollback"
    assert "verification_failed" in play.story("CHG-1")


def test_the_signal_has_to_stay_clear() -> None:
    """For the whole stability time, not for a moment."""
    play, said = played()
    play.wait(2)
    play.resolve(said)
    play.wait(6)
    assert play.change().state is ChangeState.VERIFYING
    play.wait(4)
    assert play.change().closure is Closure.SUCCESS
    assert play.incident().automated


def test_a_signal_that_returns_begins_the_count_anew() -> None:
    """Flapping is no success."""
    play, said = played()
    play.resolve(said)
    play.wait(4)
    again = play.fire("ServiceDown", service="web1", host="app1")
    play.wait(2)
    play.resolve(again)
    play.wait(5)
    assert play.change().state is ChangeState.VERIFYING
    play.wait(3)
    assert play.change().closure is Closure.SUCCESS


def test_a_signal_that_returned_between_two_looks_begins_the_count_anew() -> None:
    """Though it is clear again when we look."""
    play, said = played(every=timedelta(seconds=4))
    play.resolve(said)
    play.wait(1)
    again = play.fire("ServiceDown", service="web1", host="app1")
    play.wait(2)
    play.resolve(again)
    play.wait(6)
    assert play.change().state is ChangeState.VERIFYING
    play.wait(8)
    assert play.change().closure is Closure.SUCCESS


def test_what_was_resolved_before_the_end_of_the_run_counts() -> None:
    """The alert cleared while the play was still busy."""
    play = Play()
    said = play.fire("ServiceDown", service="web1", host="app1")
    launch = play.launch()
    play.resolve(said)
    play.finish(launch)
    play.wait(6)
    assert play.change().closure is Closure.SUCCESS


def test_a_query_has_to_hold_twice_over_the_stability_time() -> None:
    """Two fresh answers at least: one sample is a moment."""
    play = probed()
    answer(play, True)
    play.wait(4)
    answer(play, True)
    play.wait(4)
    assert play.change().state is ChangeState.VERIFYING
    answer(play, True)
    assert play.change().closure is Closure.SUCCESS


def test_time_without_an_answer_is_no_stability() -> None:
    """The metrics source fell silent after its first good word."""
    play = probed()
    answer(play, True)
    play.wait(40)
    assert play.change().state is ChangeState.VERIFYING
    answer(play, None)
    play.wait(20)
    assert play.change().state is ChangeState.RUNNING
    assert play.take(PrepareRun).spec.phase == "rollback"


def test_a_signal_that_returns_while_a_query_holds_is_no_success() -> None:
    """Both have to be well at once."""
    play = probed()
    answer(play, True)
    play.wait(3)
    play.fire("ServiceDown", service="web1", host="app1")
    answer(play, True)
    play.wait(8)
    answer(play, True)
    assert play.change().state is ChangeState.VERIFYING


def test_an_old_sample_does_not_count() -> None:
    """It was measured before the run ended: it says nothing of what the run did."""
    play = probed()
    for _ in range(4):
        answer(play, True, age=60)
        play.wait(2)
    assert play.change().state is ChangeState.VERIFYING


def test_a_query_that_does_not_hold_or_cannot_be_asked_resets_the_count() -> None:
    """No answer is no good answer."""
    for bad in (False, None):
        play = probed()
        answer(play, True)
        play.wait(4)
        answer(play, bad)
        play.wait(2)
        answer(play, True)
        play.wait(4)
        answer(play, True)
        assert play.change().state is ChangeState.VERIFYING
        play.wait(2)
        answer(play, True)
        assert play.change().closure is Closure.SUCCESS


def test_one_probe_is_under_way_at_a_time() -> None:
    """A slow metrics source is not asked over and over; late or foreign answers count nothing."""
    play = probed()
    play.wait(20)
    assert play.asked(Probe) == 1
    before = play.state.verifying["CHG-1"]
    for change in ("CHG-1", "CHG-9"):
        play.feed(
            ProbeAnswered(effect="0.0", change=change, holds=True, detail="", measured_at=play.now)
        )
    assert play.state.verifying["CHG-1"].holds_since is before.holds_since is None


def test_the_query_names_the_target_and_nothing_breaks_out_of_it() -> None:
    """Values are the inside of a PromQL string; an unknown name stays as it is written."""
    play, _ = played(promql=QUERY)
    play.wait(0)
    assert play.take(Probe).query == 'up{host="app1",job="web1",x="$unknown"}'

    remediation = replace(
        RESTART,
        parameters=(replace(RESTART.parameters[0], pattern="(?s).*"),),
        verification=Verification(promql=QUERY),
    )
    hostile = Play(config=replace(CONFIG, remediations={"restart-service": remediation}))
    hostile.feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref("db"),
            parameters={"service": 'x"} or up\\\n#'},
            by="bob",
            type=ChangeType.STANDARD,
        )
    )
    hostile.play()
    hostile.wait(0)
    assert hostile.take(Probe).query == 'up{host="app3",job="x\\"} or up\\\\\\n#",x="$unknown"}'


def test_a_request_without_an_alert_is_verified_by_its_query() -> None:
    """There is no signal to clear."""
    wanted = replace(RESTART, verification=replace(RESTART.verification, promql="up"))
    play = Play(config=replace(CONFIG, remediations={"restart-service": wanted}))
    play.feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref("db"),
            parameters={"service": "db"},
            by="bob",
            type=ChangeType.STANDARD,
        )
    )
    play.play()
    assert play.said("CHG-1", "verifying") == ["it has to show that up holds for 5 s"]
    for _ in range(4):
        play.wait(2)
        answer(play, True)
    assert play.change().closure is Closure.SUCCESS


def test_what_is_gone_from_the_rules_is_verified_by_its_signal() -> None:
    """A reload in the middle leaves a run that still has to prove itself."""
    play, said = played(promql=QUERY)
    play.reload(remediations={})
    play.resolve(said)
    play.wait(10)
    assert play.change().closure is Closure.SUCCESS


def test_an_incident_stays_until_it_is_known_what_helped() -> None:
    """Its quiet time is shorter than the verification: whether it helped is part of its story."""
    wanted = Verification(stable_for=timedelta(seconds=60), within=timedelta(seconds=90))
    remediation = replace(RESTART, verification=wanted)
    correlation = replace(CONFIG.correlation, quiet=timedelta(seconds=5))
    play = Play(
        config=replace(
            CONFIG, remediations={"restart-service": remediation}, correlation=correlation
        )
    )
    said = play.fire("ServiceDown", service="web1", host="app1")
    play.play()
    play.resolve(said)
    play.wait(30)
    assert (ChangeState.VERIFYING, IncidentState.RESOLVED) == (
        play.change().state,
        play.incident().state,
    )
    play.wait(60)
    assert (Closure.SUCCESS, IncidentState.CLOSED) == (play.change().closure, play.incident().state)
    assert play.incident().automated
