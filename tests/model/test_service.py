"""The map: what depends on what, walked within bounds."""

from dataclasses import replace

from agent.model.service import WALK_ENTITIES_MAX, ServiceMap, watched
from tests.core.play import SHOP, entity, ref, service_map


def test_both_directions_are_known_nearest_first() -> None:
    """With the distance."""
    assert list(SHOP.below(ref("shop"), 8)) == [(ref("web1"), 1), (ref("web2"), 1), (ref("db"), 2)]
    assert list(SHOP.above(ref("db"), 1)) == [(ref("web1"), 1), (ref("web2"), 1)]


def test_a_walk_goes_round_a_circle_once() -> None:
    """And does not come back to where it began."""
    circle = service_map(entity("a", "b"), entity("b", "a"))
    assert list(circle.below(ref("a"), 8)) == [(ref("b"), 1)]


def test_a_walk_over_a_hub_ends() -> None:
    """However many rest on it."""
    users = {ref(f"u{n}"): entity(f"u{n}", "hub") for n in range(WALK_ENTITIES_MAX + 10)}
    hub = ServiceMap.of({ref("hub"): entity("hub"), **users})
    assert len(list(hub.above(ref("hub"), 8))) == WALK_ENTITIES_MAX


def test_what_is_not_there_is_not_depended_on() -> None:
    """Neither is a thing on itself; host, supplier and parts are."""
    made = service_map(
        replace(entity("a", "a", "gone"), runs_on=ref("vm"), supplier=ref("firm")),
        entity("vm"),
        entity("firm"),
        replace(entity("part"), part_of=ref("a")),
    )
    assert sorted(made.dependencies[ref("a")]) == [ref("firm"), ref("part"), ref("vm")]


def test_a_name_for_people() -> None:
    """Its title, else its name; what the map does not know by its reference."""
    titled = service_map(replace(entity("a"), title="The A"), entity("b"))
    assert [titled.label(ref(name)) for name in ("a", "b", "c")] == ["The A", "b", ref("c")]


def test_watched_is_what_rests_on_something_with_matchers_however_far_below() -> None:
    """What is below a watched entity is not watched by that, and a circle is looked at once."""
    blind = {f"c{n}": replace(entity(f"c{n}", f"c{n + 1}"), matches=()) for n in range(20)}
    made = service_map(
        *blind.values(),
        entity("c20", "floor"),
        replace(entity("floor"), matches=()),
        replace(entity("one", "other"), matches=()),
        replace(entity("other", "one"), matches=()),
    )
    assert watched(made) == {ref(f"c{n}") for n in range(21)}
