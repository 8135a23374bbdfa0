"""What alerts say of the map: counted exactly, told with its doubt, bounded, and never applied."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from math import isclose, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.belonging import Sign
from agent.core.drift.memory import ENTITIES_MAX, EPISODES_MAX, NOWHERE_MAX, Drift, Episode
from agent.core.drift.observe import closed, map_changed, placed
from agent.core.drift.statistics import at_most, chance, chance_by_size, sureness
from agent.core.drift.suggest import FAILURES_MIN, suggest
from agent.core.state import Members, State
from agent.model.alert import Alert
from agent.model.labels import Matcher, MatchOperator, fingerprint
from agent.model.rule import Config, Correlation
from agent.model.service import Entity, EntityKind, ServiceMap
from agent.model.suggestion import Suggestions

START = datetime(2026, 11, 1, tzinfo=UTC)
RULES = Correlation()


def entity(name: str, *below: str, group: str | None = None) -> Entity:
    """A component that alerts can be placed at."""
    matcher = Matcher(name="service", operator=MatchOperator.EQUAL, value=name)
    return Entity(
        ref=f"component:default/{name}",
        kind=EntityKind.COMPONENT,
        name=name,
        depends_on=tuple(f"component:default/{each}" for each in below),
        matches=((matcher,),),
        redundancy_group=group,
    )


def map_of(*entities: Entity) -> ServiceMap:
    """A map of these."""
    return ServiceMap.of({each.ref: each for each in entities})


def incident(state: State, name: str, at: datetime, **onsets: float) -> None:
    """An incident that closes: who began how many seconds after its start."""
    members = Members(first_alert_at=at, last_alert_at=at)
    for entity_name, after in onsets.items():
        ref = f"component:default/{entity_name}"
        members.signs[ref] = Sign(
            entity=ref, kind="X", name="X", peer=None, first_at=at + timedelta(seconds=after)
        )
    closed(state, name, members)


def state_of(service_map: ServiceMap) -> State:
    """A state with that map in force."""
    state = State.empty()
    state.adopt(Config(digest="x", service_map=service_map))
    return state


def found(state: State) -> Suggestions:
    """What is suggested now."""
    return suggest(state.drift, state.config.service_map, RULES, watching_since=START)


def days(count: int) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=count)


SHOP = map_of(entity("web", "cart"), entity("cart"), entity("tax"), entity("mail"), entity("log"))


def company(state: State, *, together: int, tax_first: bool = True) -> None:
    """Cart and tax fail together so often; the rest of the year the others fail alone."""
    for number in range(together):
        late = 20.0 if tax_first or number % 2 else -20.0
        incident(state, f"INC-{number}", days(number), tax=30.0, cart=30.0 + late)
    for number in range(together, together + 20):
        who = ("web", "mail", "log", "cart")[number % 4]
        incident(state, f"INC-{number}", days(number), **{who: 0.0})


def test_an_edge_that_the_map_lacks() -> None:
    """Two that nothing joins fail together: named with counts, order, doubt and incidents."""
    state = state_of(SHOP)
    company(state, together=5)
    (edge,) = found(state).missing

    assert ("component:default/cart", "component:default/tax") == (edge.upper, edge.lower)
    assert (5, 5, 0, 25) == (edge.both, edge.upper_alone, edge.lower_alone, edge.episodes)
    assert (True, 5) == (edge.is_direction_sure, edge.first)
    assert isclose(2.5, edge.lift)
    assert isclose(chance(episodes=25, one=10, other=5, both=5), edge.chance)
    assert ("INC-4", "INC-3", "INC-2") == edge.examples


def test_where_the_order_changes_the_direction_is_not_claimed() -> None:
    """Who begins first every second time is no cause of the other."""
    state = state_of(SHOP)
    company(state, together=6, tax_first=False)
    (edge,) = found(state).missing

    assert not edge.is_direction_sure


def test_incidents_of_their_own_count_as_together() -> None:
    """The map does not join them, so the agent may have opened two incidents: time joins them."""
    state = state_of(SHOP)
    for number in range(5):
        incident(state, f"INC-{number}a", days(number), tax=0.0)
        incident(state, f"INC-{number}b", days(number), cart=40.0)
    for number in range(5, 25):
        incident(state, f"INC-{number}", days(number), mail=0.0)

    assert ["component:default/tax"] == [edge.lower for edge in found(state).missing]


@pytest.mark.parametrize(
    "service_map",
    [
        map_of(entity("cart", "tax"), entity("tax")),
        map_of(entity("tax", "cart"), entity("cart")),
        map_of(entity("cart", "x"), entity("x", "tax"), entity("tax")),
        map_of(entity("cart", "host"), entity("tax", "host"), entity("host")),
        map_of(entity("shop", "cart", "tax"), entity("tax"), entity("cart")),
    ],
)
def test_what_the_map_explains_is_not_suggested(service_map: ServiceMap) -> None:
    """One rests on the other, over a silent one too, both on a third, or a third on both."""
    state = state_of(service_map)
    company(state, together=5)

    assert () == found(state).missing


def test_few_episodes_prove_nothing() -> None:
    """However often two come together: without others there is no chance to compare with."""
    state = state_of(SHOP)
    for number in range(10):
        incident(state, f"INC-{number}", days(number), tax=0.0, cart=1.0)

    assert () == found(state).missing


def test_storms_say_nothing_of_any_two() -> None:
    """They are counted, and cost no more than their first entities."""
    names = [f"e{number}" for number in range(ENTITIES_MAX + 10)]
    state = state_of(map_of(*map(entity, names)))
    for number in range(6):
        incident(state, f"INC-{number}", days(number), **dict.fromkeys(names, 0.0))

    suggestions = found(state)
    assert (0, 6, ()) == (suggestions.episodes, suggestions.storms, suggestions.missing)
    assert all(len(each.onsets) <= ENTITIES_MAX for each in state.drift.episodes)


def test_an_edge_that_carries_nothing() -> None:
    """The lower end failed five times and the upper never suffered; once is enough to be quiet."""
    state = state_of(SHOP)
    for number in range(FAILURES_MIN):
        incident(state, f"INC-{number}", days(number), cart=0.0)
    (edge,) = found(state).silent

    assert ("component:default/web", "component:default/cart") == (edge.upper, edge.lower)
    assert isclose(0.393, edge.carries_at_most, abs_tol=0.001)
    # Long after the cart, in the same incident: it was carried, if slowly.
    incident(state, "INC-0", days(0), web=5_000.0)
    assert () == found(state).silent


def test_a_stand_in_may_fail_unnoticed() -> None:
    """That is what it is for."""
    state = state_of(
        map_of(entity("web", "a", "b"), entity("a", group="g"), entity("b", group="g"))
    )
    for number in range(FAILURES_MIN):
        incident(state, f"INC-{number}", days(number), a=0.0)

    assert () == found(state).silent


def alert(**labels: str) -> Alert:
    """An alert with these labels."""
    return Alert(fingerprint=fingerprint(labels), labels=labels, annotations={}, starts_at=START)


def test_labels_that_lead_nowhere() -> None:
    """Counted by what they say of a place; entities that were heard of are not silent."""
    state = state_of(SHOP)
    for number in range(4):
        placed(state, None, alert(alertname=f"A{number}", job="ghost", severity="x"), days(number))
    placed(state, None, alert(alertname="B", severity="x"), days(5))
    placed(state, "component:default/web", alert(service="web"), days(5))
    suggestions = found(state)
    (row,) = suggestions.nowhere

    assert (("job=ghost",), 4, 0, ("A0", "A1", "A2")) == (
        row.labels,
        row.alerts,
        row.missed,
        row.names,
    )
    assert 4 == suggestions.never_heard_count
    assert "component:default/web" not in suggestions.never_heard


def test_another_map_forgets_who_is_gone() -> None:
    """What was heard of comes anew when it comes back."""
    state = state_of(SHOP)
    placed(state, "component:default/web", alert(service="web"), START)
    state.adopt(Config(digest="y", service_map=map_of(entity("cart"))))
    map_changed(state)

    assert {} == state.drift.heard


@given(
    rows=st.lists(
        st.sampled_from([f"h{number}" for number in range(NOWHERE_MAX * 2)]), max_size=600
    )
)
def test_what_leads_nowhere_is_bounded_and_never_told_too_small(rows: list[str]) -> None:
    """Space-Saving: a count is at least the truth, and at most too large by what it says."""
    state = state_of(SHOP)
    for number, host in enumerate(rows):
        placed(state, None, alert(host=host), START + timedelta(seconds=number))
    kept = state.drift.nowhere.values()

    assert len(kept) <= NOWHERE_MAX
    for row in kept:
        truth = rows.count(row.labels[0].removeprefix("host="))
        assert row.alerts - row.missed <= truth <= row.alerts


@given(
    incidents=st.lists(
        st.tuples(
            st.integers(0, 50), st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 900))
        ),
        max_size=40,
    )
)
def test_episodes_hold_each_onset_once_and_near(
    incidents: list[tuple[int, dict[str, float]]],
) -> None:
    """Nothing is lost and nothing far apart comes together, whatever the order of closing."""
    state = state_of(map_of(*map(entity, "abcdef")))
    for number, (minutes, onsets) in enumerate(incidents):
        incident(state, f"INC-{number}", START + timedelta(minutes=minutes), **onsets)
    window = RULES.window.total_seconds()
    named = {ref for episode in state.drift.episodes for ref in episode.onsets}

    assert {f"component:default/{name}" for _, onsets in incidents for name in onsets} == named
    assert all(abs(at) <= window for each in state.drift.episodes for at in each.onsets.values())
    found(state)


def test_old_episodes_make_room() -> None:
    """The newest count: what is older says little of the map as it is."""
    state = state_of(SHOP)
    for number in range(EPISODES_MAX + 5):
        incident(state, f"INC-{number}", days(number), web=0.0)

    assert EPISODES_MAX == len(state.drift.episodes)
    assert days(5) == state.drift.episodes[0].at


def test_the_chance_is_that_of_all_ways_to_draw() -> None:
    """Against counting every way to lay two sets of episodes."""
    episodes, one, other = 6, 3, 2
    ways = [
        len(set(first) & set(second))
        for first, second in product(_sets(episodes, one), _sets(episodes, other))
    ]
    for both in range(other + 1):
        counted = sum(each >= both for each in ways) / len(ways)
        assert isclose(counted, chance(episodes=episodes, one=one, other=other, both=both))


@given(shares=st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_the_chance_by_size_is_that_of_all_outcomes(shares: list[float]) -> None:
    """Against adding up every way in which the episodes can fall."""
    for both in range(1, len(shares) + 1):
        counted = sum(
            prod(share if held else 1 - share for share, held in zip(shares, outcome, strict=True))
            for outcome in product((False, True), repeat=len(shares))
            if sum(outcome) >= both
        )
        assert isclose(counted, chance_by_size(shares, both=both), abs_tol=1e-9)


def test_together_in_large_episodes_alone_is_no_edge() -> None:
    """Whoever is hit by what hits many is not joined with each of the many."""
    names = [f"e{number}" for number in range(12)]
    state = state_of(map_of(*map(entity, names)))
    for number in range(4):
        incident(state, f"INC-{number}", days(number), **dict.fromkeys(names, 0.0))
    for number in range(4, 40):
        incident(state, f"INC-{number}", days(number), **{names[number % 12]: 0.0})

    assert () == found(state).missing


def _sets(of: int, size: int) -> list[tuple[int, ...]]:
    return list(combinations(range(of), size))


def test_the_bounds_are_those_of_the_page() -> None:
    """39 % after 5 and 14 % after 19; 3 of 3 and 5 of 6 are sure, 4 of 5 and 2 of 2 are not."""
    assert ["39 %", "14 %"] == [f"{at_most(seen=0, of=n):.0%}".replace("%", " %") for n in (5, 19)]
    assert [True, True, False, False] == [
        sureness(first=first, of=of) >= 0.9 for first, of in ((3, 3), (5, 6), (4, 5), (2, 2))
    ]


def test_a_picture_stays_as_it_was() -> None:
    """What is worked out beside the loop sees one moment."""
    drift = Drift(episodes=[Episode(at=START, incidents=("INC-1",), onsets={})])
    picture = drift.picture()
    drift.episodes.clear()
    drift.heard["x"] = None

    assert (1, {}) == (len(picture.episodes), picture.heard)
