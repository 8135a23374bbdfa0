"""Which parts of a map hang together, whatever the order in which it was written."""

from dataclasses import replace

from agent.core.correlation.groups import ONSETS_MIN, group_of
from agent.core.correlation.neighbourhoods import neighbourhoods_of
from agent.model.service import Entity, ServiceMap
from tests.core.play import CONFIG, Play, entity, ref, service_map

TRIANGLES = (
    entity("a1", "a2", "a3"),
    entity("a2", "a3"),
    entity("a3", "b1"),
    entity("b1", "b2", "b3"),
    entity("b2", "b3"),
    entity("b3"),
    entity("alone"),
)
"""Two triangles with one edge between them, and a place without an edge."""


def test_a_map_falls_into_its_dense_parts() -> None:
    """Each part is named by its smallest place; what has no edge is in none."""
    found = neighbourhoods_of(service_map(*TRIANGLES))

    assert found.of == {
        ref("a1"): ref("a1"),
        ref("a2"): ref("a1"),
        ref("a3"): ref("a1"),
        ref("b1"): ref("b1"),
        ref("b2"): ref("b1"),
        ref("b3"): ref("b1"),
    }
    assert found.links == {ref("a1"): {ref("b1"): 1}, ref("b1"): {ref("a1"): 1}}


def test_the_order_of_the_map_changes_nothing() -> None:
    """Two agents that read the files in another order have the same neighbourhoods."""
    backwards: tuple[Entity, ...] = TRIANGLES[::-1]

    assert neighbourhoods_of(service_map(*TRIANGLES)) == neighbourhoods_of(service_map(*backwards))


def test_parts_are_at_the_place_of_their_whole() -> None:
    """Instances belong to their service; parts of a system are places of their own."""
    service = entity("shop")
    parts = [replace(entity(f"shop-{n}"), part_of=service.ref) for n in range(3)]
    found = neighbourhoods_of(ServiceMap.of({e.ref: e for e in (service, *parts)}))

    assert set(found.place.values()) == {service.ref}


def test_neighbours_are_one_group_until_they_prove_independent() -> None:
    """Several onsets each and never together: the next alerts open incidents of their own."""
    play = Play(config=replace(CONFIG, service_map=service_map(*TRIANGLES)))
    assert group_of(play.state, ref("b1")) == group_of(play.state, ref("a1")) == ref("a1")
    for _ in range(ONSETS_MIN):
        for name in ("a3", "b1"):
            said = play.fire("Slow", service=name)
            play.wait(60)
            play.resolve(said)
            play.wait(900)
    play.fire("Slow", service="a3")

    assert group_of(play.state, ref("b1")) == ref("b1")


def test_neighbours_that_fail_together_stay_one_group() -> None:
    """Every onset was shared: nothing speaks for parting them."""
    play = Play(config=replace(CONFIG, service_map=service_map(*TRIANGLES)))
    for _ in range(ONSETS_MIN + 1):
        fired = [play.fire("Slow", service=name) for name in ("a3", "b1")]
        play.wait(60)
        for said in fired:
            play.resolve(said)
        play.wait(900)

    assert group_of(play.state, ref("b1")) == ref("a1")
