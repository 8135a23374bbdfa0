"""What belongs together, and what does not."""

from dataclasses import replace

from agent.core.correlation.reach import SIBLINGS_MAX
from agent.model.entry import CauseConfirmed, IncidentResolved, IncidentsMerged
from agent.model.incident import IncidentState
from agent.model.rule import Correlation
from tests.core.play import CONFIG, Play, alert, entity, minutes, ref, service_map

CHAIN = service_map(
    entity("a", "b"), entity("b", "c"), entity("c", "d"), entity("d", "e"), entity("e"), entity("z")
)

FORK = service_map(
    entity("u0", "m0"),
    entity("u1", "m1"),
    replace(entity("m0", "dns"), matches=()),
    replace(entity("m1", "dns"), matches=()),
    entity("dns"),
)
"""Two users of one thing, each by way of something that nobody watches."""


def on(entities: object, **correlation: object) -> Play:
    """A play on another map."""
    rules = Correlation(**correlation)  # type: ignore[arg-type]
    return Play(config=replace(CONFIG, service_map=entities, correlation=rules))  # type: ignore[arg-type]


def live(play: Play) -> list[str]:
    """Incidents that are open."""
    return [i.id for i in play.state.incidents.values() if i.state is IncidentState.OPEN]


def test_alerts_of_one_entity_are_one_incident_however_late() -> None:
    """The window is for neighbours; what fires at the same place belongs to what is open there."""
    play = Play()
    play.fire("ServiceSlow", service="web1")
    play.wait(3600)
    play.fire("QueueLong", service="web1")
    assert play.incident().alerts == 2
    assert play.said("INC-1", "same_entity") == ["QueueLong on web1"]


def test_neighbours_on_the_map_join_within_the_window() -> None:
    """What rests on a thing that just failed belongs to it; the story says how."""
    play = Play()
    play.fire("ServiceDown", service="db")
    play.wait(60)
    play.fire("ServiceSlow", service="shop")
    assert live(play) == ["INC-1"]
    assert play.said("INC-1", "near_on_map") == ["ServiceSlow on shop"]


def test_neighbours_after_the_window_are_another_incident() -> None:
    """Counted from the last alert of the incident, the end of the window included."""
    play = Play()
    play.fire("ServiceSlow", service="shop")
    play.wait(120)
    play.fire("ServiceSlow", service="web1")
    assert live(play) == ["INC-1"]
    play.wait(121)
    play.fire("ServiceSlow", service="web2")
    assert live(play) == ["INC-1", "INC-2"]


def test_what_is_further_than_the_hops_is_another_incident() -> None:
    """From `e` up to `b` are three steps, to `a` four; and `z` is nowhere near."""
    play = on(CHAIN, hops=3)
    play.fire("Down", service="e")
    for name in ("b", "a", "z"):
        play.fire("Slow", service=name)
    placed = {a.entity: a.incident for a in play.state.alerts.values()}
    assert placed == {ref("e"): "INC-1", ref("b"): "INC-1", ref("a"): "INC-2", ref("z"): "INC-3"}


def test_two_users_of_one_thing_belong_together() -> None:
    """Siblings: what they share may be the cause, though it does not alert."""
    play = Play()
    play.fire("ServiceSlow", service="web1", host="app1")
    play.fire("ServiceSlow", service="web2", host="app2")
    assert live(play) == ["INC-1"]


def test_users_of_what_everybody_uses_do_not_belong_together() -> None:
    """That two of many users of a hub alert proves nothing."""
    users = [f"u{number}" for number in range(SIBLINGS_MAX + 1)]
    play = on(service_map(entity("dns"), *(entity(name, "dns") for name in users)))
    play.fire("Slow", service="u0")
    play.fire("Slow", service="u1")
    assert live(play) == ["INC-1", "INC-2"]


def test_the_nearest_incident_wins() -> None:
    """Two are in reach: the alert goes where it is fewer steps away, not where it is younger."""
    play = on(CHAIN, hops=2)
    play.fire("Down", service="e")
    play.fire("Down", service="a")
    play.fire("Down", service="d")
    placed = {a.entity: a.incident for a in play.state.alerts.values()}
    assert placed[ref("d")] == "INC-1"


def test_alerts_without_a_place_join_by_what_they_say_of_where() -> None:
    """All that both say must agree; without any such label, the kind of alert has to."""
    play = Play()
    play.fire("DiskFull", cluster="eu", host="x1")
    play.fire("LoadHigh", cluster="eu", host="x1")
    play.fire("LoadHigh", cluster="us", host="x1")
    play.fire("Odd", team="a")
    play.fire("Odd", team="b")
    play.fire("Strange", team="a")
    placed = [(a.alert.name, a.incident) for a in play.state.alerts.values()]
    assert placed == [
        ("DiskFull", "INC-1"),
        ("LoadHigh", "INC-1"),
        ("LoadHigh", "INC-2"),
        ("Odd", "INC-3"),
        ("Odd", "INC-3"),
        ("Strange", "INC-4"),
    ]
    assert play.said("INC-1", "same_labels") == ["LoadHigh on an unknown place"]


def test_likeness_counts_within_the_window_only() -> None:
    """A like alert an hour later is another story."""
    play = Play()
    play.fire("DiskFull", host="x1")
    play.wait(121)
    play.fire("LoadHigh", host="x1")
    assert live(play) == ["INC-1", "INC-2"]


def test_the_incident_of_a_cause_takes_in_those_of_its_symptoms() -> None:
    """Opened apart because the cause spoke last; one goes on, the other points to it."""
    play = on(FORK, hops=2)
    play.fire("Slow", service="u0")
    play.fire("Slow", service="u1")
    assert live(play) == ["INC-1", "INC-2"]
    play.fire("Down", service="dns")

    (goes_on,) = live(play)
    assert {a.incident for a in play.state.alerts.values()} == {goes_on}
    merged = [i for i in play.state.incidents.values() if i.state is IncidentState.MERGED]
    assert [i.merged_into for i in merged] == [goes_on]
    assert play.state.incidents[goes_on].cause == ref("dns")


def test_an_incident_that_is_resolved_or_older_is_not_taken_in() -> None:
    """What was over, or was there long before, was not this cause's doing."""
    play = on(FORK, hops=2)
    play.fire("Slow", service="u0")
    play.wait(400)
    over = play.fire("Slow", service="u1")
    play.resolve(over)
    play.fire("Down", service="dns")
    assert live(play) == ["INC-1", "INC-3"]
    assert play.incident(2).state is IncidentState.RESOLVED


def test_a_person_merges_two_incidents() -> None:
    """Alerts, entities, changes and the earlier start go over; both stories say so."""
    play = on(CHAIN)
    first = play.fire("Down", service="z")
    play.wait(60)
    play.fire("Down", service="a")
    play.feed(IncidentsMerged(incident="INC-1", into="INC-2", by="ann"))

    kept, gone = play.incident(2), play.incident(1)
    assert (gone.state, gone.merged_into) == (IncidentState.MERGED, "INC-2")
    assert (kept.alerts, kept.firing, kept.started_at) == (2, 2, first.starts_at)
    assert set(kept.entities) == {ref("a"), ref("z")}
    assert "merged" in play.story("INC-1")
    assert "ann merged INC-1 into this" in play.said("INC-2", "merged")


def test_what_joins_later_joins_the_incident_that_goes_on() -> None:
    """By place, and by likeness for what has none."""
    play = Play()
    play.fire("Odd", team="a")
    play.fire("ServiceSlow", service="db")
    play.feed(IncidentsMerged(incident="INC-1", into="INC-2", by="ann"))
    play.fire("Odd", team="b")
    assert {a.incident for a in play.state.alerts.values()} == {"INC-2"}


def test_two_without_a_place_become_one() -> None:
    """Nothing on the map is needed to merge; the end of both is the end of the one."""
    play = Play()
    said = [play.fire("Odd", team="a"), play.fire("Strange", team="b")]
    play.feed(IncidentsMerged(incident="INC-2", into="INC-1", by="ann"))
    for each in said:
        assert play.incident().state is IncidentState.OPEN
        play.resolve(each)
    assert play.incident().state is IncidentState.RESOLVED


def test_a_confirmed_cause_goes_over_with_a_merge() -> None:
    """What a person knows is not lost, and what is near that cause joins from now on."""
    play = on(CHAIN, hops=1)
    play.fire("Down", service="z")
    play.fire("Down", service="d")
    play.feed(CauseConfirmed(incident="INC-2", entity=ref("c"), by="ann"))
    play.feed(IncidentsMerged(incident="INC-2", into="INC-1", by="bob"))
    play.fire("Slow", service="b")

    assert (play.incident().cause, play.incident().cause_confirmed_by) == (ref("c"), "ann")
    assert {a.incident for a in play.state.alerts.values()} == {"INC-1"}


def test_merging_an_open_incident_into_a_resolved_one_reopens_it() -> None:
    """What still fires is not restored."""
    play = on(CHAIN)
    over = play.fire("Down", service="z")
    play.resolve(over)
    play.fire("Down", service="a")
    play.feed(IncidentsMerged(incident="INC-2", into="INC-1", by="ann"))
    assert (play.incident().state, play.incident().reopened) == (IncidentState.OPEN, 1)


def test_what_cannot_be_merged_is_refused_and_nothing_is_changed() -> None:
    """Into itself, or with what is not live."""
    play = Play()
    play.fire("ServiceSlow", service="web1")
    for incident, into in (("INC-1", "INC-1"), ("INC-1", "INC-9"), ("INC-9", "INC-1")):
        refused = play.feed(IncidentsMerged(incident=incident, into=into, by="ann"))
        assert refused.refusal is not None
        assert refused.records == ()


def test_nothing_joins_a_resolved_neighbour_but_its_own_place() -> None:
    """A neighbour that fails after the end is a story of its own."""
    play = Play()
    play.fire("ServiceSlow", service="db")
    play.feed(IncidentResolved(incident="INC-1", by="ann"))
    play.fire("ServiceSlow", service="web1")
    assert play.incident(2).state is IncidentState.OPEN
    play.wait(minutes(2).total_seconds())
    play.fire("QueueLong", service="db")
    assert play.incident(1).state is IncidentState.OPEN


def test_symptoms_and_cause_of_one_batch_are_one_incident() -> None:
    """Whatever the order inside of it; what was opened on the way is merged at once."""
    play = on(FORK, hops=2)
    now = play.now
    play.say(*(alert("Down", at=now, service=name) for name in ("u0", "u1", "dns")))
    assert len(live(play)) == 1
    assert len({a.incident for a in play.state.alerts.values()}) == 1


def test_a_change_goes_over_with_its_incident() -> None:
    """Its story goes on where the incident does."""
    play = Play()
    play.fire("Odd", host="x1")
    play.fire("ServiceDown", service="web1", host="app1")
    play.feed(IncidentsMerged(incident="INC-2", into="INC-1", by="ann"))
    assert play.change().incident == "INC-1"
    assert play.incident(1).changes == ("CHG-1",)
    play.play()
    assert play.said("INC-1", "run_started") == ["CHG-1: RUN-1 plays remediate of restart-service"]
