"""The way of an alert through the core: incident, cause, change, run, verification, end."""

from datetime import timedelta

from agent.model.change import ChangeState, Closure
from agent.model.effect import LaunchRun, PrepareRun
from agent.model.entry import RunFinished, RunLost, RunPrepared, RunStarted
from agent.model.incident import IncidentState, Priority
from agent.model.remediation import Outcome, Phase, RunResult
from tests.core.play import Play


def run(play: Play, outcome: Outcome = Outcome.CHANGED, digest: str = "sha256:1") -> PrepareRun:
    """Let the run that was asked for happen."""
    prepare = play.take(PrepareRun)
    assert isinstance(prepare, PrepareRun)
    name = prepare.spec.run
    play.feed(RunPrepared(effect=prepare.id, run=name, digest=digest))
    launch = play.take(LaunchRun)
    play.feed(RunStarted(effect=launch.id, run=name))
    play.now += timedelta(seconds=3)
    result = RunResult(outcome=outcome, summary=f"played: {outcome}")
    play.feed(RunFinished(effect=launch.id, run=name, result=result))
    return prepare


def test_a_dead_service_is_restarted_verified_and_closed() -> None:
    """One alert leads to one incident, one change, one run; success is the signal that clears."""
    play = Play()
    down = play.fire("ServiceDown", service="web1", host="app1")
    prepare = run(play)
    play.resolve(down)
    play.wait(20)

    change = play.state.changes["CHG-1"]
    incident = play.state.incidents["INC-1"]
    assert prepare.spec.parameters == {"service": "web1"}
    assert [host.name for host in prepare.spec.hosts] == ["app1"]
    assert (change.state, change.closure) == (ChangeState.CLOSED, Closure.SUCCESS)
    assert incident.state is IncidentState.RESOLVED
    assert incident.automated
    assert incident.priority == Priority.P1
    assert incident.owner is None
    assert play.state.outbox.all is not None
    assert list(play.state.outbox.all()) == []


def test_a_shared_database_is_the_cause_of_what_rests_on_it() -> None:
    """Symptoms and cause are one incident; only the cause is acted upon."""
    play = Play()
    play.fire("ServiceSlow", service="web1", host="app1")
    play.fire("ServiceSlow", service="web2", host="app2")
    play.fire("ServiceDown", service="db", host="app3")

    live = [i for i in play.state.incidents.values() if i.is_live]
    assert [incident.cause for incident in live] == ["component:default/db"]
    assert live[0].owner == "group:default/dba"
    assert live[0].title == "db disturbs shop"
    assert [change.entity for change in play.state.changes.values()] == ["component:default/db"]


def test_what_is_on_disk_must_be_what_was_approved() -> None:
    """Another digest than the registered one is never launched (I11)."""
    play = Play()
    play.fire("ServiceDown", service="web1", host="app1")
    prepare = play.take(PrepareRun)
    assert isinstance(prepare, PrepareRun)
    play.feed(RunPrepared(effect=prepare.id, run=prepare.spec.run, digest="sha256:2"))

    assert play.state.changes["CHG-1"].closure is Closure.REFUSED
    assert [e for e in play.effects if isinstance(e, LaunchRun)] == []


def test_a_run_that_does_not_help_is_rolled_back_once_and_stops() -> None:
    """After the last attempt the breaker opens, a problem is raised and nothing more runs."""
    play = Play()
    play.fire("ServiceDown", service="web1", host="app1")
    for _ in range(2):
        assert run(play).spec.phase is Phase.REMEDIATE
        play.wait(70)
        assert run(play).spec.phase is Phase.ROLLBACK
        play.trust()
        play.wait(60)
    play.wait(3600)

    assert [c.closure for c in play.state.changes.values()] == [Closure.ROLLED_BACK] * 2
    assert [p.title for p in play.state.problems.values()] == [
        "Restart a service does not help web1"
    ]
    assert [e for e in play.effects if isinstance(e, PrepareRun)] == []
    assert "handed_over" in play.story("INC-1")


def test_a_lost_run_is_never_repeated() -> None:
    """It is unknown, reconciled by its signal alone (I10)."""
    play = Play()
    down = play.fire("ServiceDown", service="web1", host="app1")
    prepare = play.take(PrepareRun)
    assert isinstance(prepare, PrepareRun)
    play.feed(RunPrepared(effect=prepare.id, run=prepare.spec.run, digest="sha256:1"))
    play.feed(RunLost(run=prepare.spec.run, problem="the agent was killed"))
    assert play.state.changes["CHG-1"].state is ChangeState.UNKNOWN
    play.resolve(down)
    play.wait(30)

    assert play.state.changes["CHG-1"].closure is Closure.SUCCESS
    assert [e for e in play.effects if isinstance(e, PrepareRun)] == []
