"""Whose hosts a remediation acts on, and what is only looked at."""

from dataclasses import replace

from agent.core.changes.targets import hosts_of
from agent.model.change import Closure
from agent.model.entry import RunFinished
from agent.model.reason import Reason
from agent.model.remediation import Evidence, Outcome, RunResult, Target
from agent.model.service import ServiceMap
from tests.core.gate import ask, down
from tests.core.play import CONFIG, RESTART, Play, ref

ROLL = replace(RESTART, target=Target.GROUP)
LOOK = replace(RESTART, is_read_only=True, has_rollback=False)


def playing(remediation: object) -> Play:
    """A play in which this is what restarts."""
    return Play(config=replace(CONFIG, remediations={RESTART.name: remediation}))  # type: ignore[dict-item]


def names(service_map: ServiceMap, entity: str, remediation: object) -> list[str]:
    return [host.name for host in hosts_of(service_map, ref(entity), remediation)]  # type: ignore[arg-type]


def test_a_group_is_all_its_hosts_in_fixed_order() -> None:
    """Whichever member it is asked for; what is in no group has none."""
    shop = CONFIG.service_map

    assert ["app1", "app2"] == names(shop, "web1", ROLL) == names(shop, "web2", ROLL)
    assert ["app2"] == names(shop, "web2", RESTART)
    assert [] == names(shop, "db", ROLL)
    assert [] == names(shop, "nobody", ROLL)


def test_a_group_without_one_host_has_none() -> None:
    """Half of a group is not what was asked for."""
    shop = CONFIG.service_map
    lost = replace(shop.entities[ref("web2")], host=None, runs_on=None)
    holed = replace(shop, entities={**shop.entities, ref("web2"): lost})

    assert [] == names(holed, "web1", ROLL)


def test_a_change_of_a_group_names_all_its_hosts() -> None:
    """And nothing else runs on any of them meanwhile."""
    play = playing(ROLL)
    ask(play, "web1")
    play.launch()
    ask(play, "web2")
    first, second = play.change(1), play.change(2).decision

    assert ["app1", "app2"] == [host.name for host in first.hosts]
    assert second is not None
    assert Reason.CONCURRENCY == second.reason


def test_a_group_is_begun_only_while_every_other_member_serves() -> None:
    """Not even a person has the one that is down restarted so: its twin would be next."""
    play = playing(ROLL)
    play.fire("Slow", service="web1", host="app1", severity="critical")
    ask(play, "web1")
    decision = play.change(1).decision

    assert decision is not None
    assert Reason.BLAST_RADIUS == decision.reason


def looked(outcome: Outcome = Outcome.OK) -> Play:
    """A look at a host has ended, and its alert fires on."""
    play = down(playing(LOOK))
    run = play.launch()
    piece = Evidence(host="app1", name="memory", text="full")
    result = RunResult(outcome=outcome, summary="looked", evidence=(piece,))
    play.feed(RunFinished(run=run.run, effect=run.id, result=result))
    return play


def test_a_look_is_over_without_the_alert_clearing() -> None:
    """It is no remedy either: the incident was not ended by automation."""
    play = looked()

    assert Closure.SUCCESS == play.change().closure
    assert not play.incident().automated


def test_what_was_seen_is_told_in_the_incident() -> None:
    """With its host and name."""
    play = looked()

    assert ["app1, memory:\nfull"] == play.said("INC-1", Reason.EVIDENCE_COLLECTED)[:1]


def test_a_look_that_changes_something_has_failed() -> None:
    """Whatever it says of itself."""
    assert Closure.FAILED == looked(Outcome.CHANGED).change().closure
