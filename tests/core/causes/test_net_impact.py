"""Who lost it on its own: along calls, through the unknown, around circles, without a complaint."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.causes.net_impact import Vote, rank
from agent.model.signal import Complaint, Finding, SignalKind

LATENCY, ERRORS = SignalKind.LATENCY, SignalKind.ERRORS
CALLS = {"shop": ("cart", "pay"), "cart": ("db",), "pay": ("db",)}
SLOW = (Complaint(entity="shop", kind=LATENCY),)


def finding(
    entity: str,
    impact: float,
    kind: SignalKind = LATENCY,
    *,
    chance: float | None = None,
    surprise: float | None = None,
) -> Finding:
    """What an entity lost; certain where it lost anything."""
    odd = chance if chance is not None else (1.0 if impact else 0.01)
    return Finding(
        entity=entity,
        kind=kind,
        signal=kind.value,
        chance=odd,
        surprise=surprise if surprise is not None else 20.0 * odd,
        impact=impact,
        usual=0.1,
        now=0.5,
    )


def names(votes: Sequence[Vote]) -> list[str]:
    """The ranking."""
    return [vote.entity for vote in votes]


def test_the_deepest_that_loses_time_on_its_own_is_first() -> None:
    """All three are slow, and the callers' loss is that of the database."""
    found = [finding("shop", 100), finding("cart", 60), finding("pay", 40), finding("db", 98)]
    votes = rank(found, CALLS, SLOW)

    assert "db" == votes[0].entity
    assert votes[0].score > 5 * votes[1].score
    assert (98.0, 0.0) == (votes[0].terms[0].own, votes[0].terms[0].below)


def test_a_caller_that_loses_more_than_its_callees_is_guilty() -> None:
    """The database is a little slow, too: seconds decide, not that something is odd below."""
    found = [finding("shop", 105), finding("cart", 100), finding("db", 5), finding("pay", 0)]

    assert "cart" == rank(found, CALLS, SLOW)[0].entity


def test_a_silent_service_is_passed_through() -> None:
    """Nothing is known of the cart: what it hides is the loss of what it calls."""
    found = [finding("shop", 100), finding("db", 99), finding("pay", 0)]
    votes = rank(found, {"shop": ("cart", "pay"), "cart": ("db",)}, SLOW)

    assert "db" == votes[0].entity
    assert "cart" not in names(votes)


def test_a_service_that_is_known_to_be_well_is_not_passed_through() -> None:
    """The cart answers as ever: the shop's loss did not come through it."""
    found = [finding("shop", 100), finding("cart", 0), finding("db", 100), finding("pay", 0)]
    through = rank(found, {"shop": ("cart",), "cart": ("db",)}, SLOW)

    own = {vote.entity: sum(term.own for term in vote.terms) for vote in through}
    assert (100.0, 100.0) == (own["shop"], own["db"])


def test_a_circle_of_calls_does_not_acquit_everybody() -> None:
    """Two that call each other and lose alike keep their loss, and the walk ends."""
    found = [finding("a", 50), finding("b", 50), finding("shop", 50)]
    votes = rank(found, {"shop": ("a",), "a": ("b",), "b": ("a", "b")}, SLOW)

    assert {"a", "b"} == set(names(votes)[:2])
    assert votes[0].score > 0


def test_an_unknown_circle_ends() -> None:
    """Silent services that call each other hide nothing and hang nothing."""
    calls = {"shop": ("x",), "x": ("y",), "y": ("x",)}

    assert ["shop"] == names(rank([finding("shop", 10)], calls, SLOW))


def test_the_kind_that_is_complained_of_counts_four_times() -> None:
    """One fails requests, one loses time: the complaint says which of them is meant."""
    found = [finding("pay", 50), finding("cart", 20, ERRORS), finding("shop", 0)]
    fails = (Complaint(entity="shop", kind=ERRORS),)

    assert ["pay", "cart"] == [rank(found, CALLS, who)[0].entity for who in (SLOW, fails)]


def test_without_a_complaint_the_odder_kind_counts_more() -> None:
    """Nobody says what hurts: the kind with the louder oddity leads."""
    found = [
        finding("pay", 50, chance=1.0, surprise=30.0),
        finding("cart", 20, ERRORS, chance=1.0, surprise=8.0),
    ]

    assert "pay" == rank(found, CALLS, ())[0].entity


def test_what_no_call_leads_to_is_halved_not_dropped() -> None:
    """Maps lack edges: a great loss elsewhere still beats a small one within reach."""
    far = rank([finding("island", 90), finding("cart", 10)], CALLS, SLOW)
    near = rank([finding("island", 50), finding("cart", 35)], CALLS, SLOW)

    assert ["island", "cart"] == [far[0].entity, near[0].entity]
    assert [False, True] == [far[0].is_reached, near[0].is_reached]


def test_time_lost_on_the_way_is_blamed_on_the_called() -> None:
    """Callers wait forty seconds more than it takes: the way to it, or what stands before it."""
    found = [
        finding("shop", 45),
        finding("pay", 5),
        finding("pay", 45, SignalKind.SEEN_BY_CALLERS),
        finding("cart", 0),
    ]
    votes = rank(found, {"shop": ("cart", "pay")}, SLOW)

    assert "pay" == votes[0].entity
    assert ["between", "latency"] == sorted(term.kind for term in votes[0].terms)


def test_what_only_its_callers_time_is_judged_by_them() -> None:
    """A database outside tells nothing of itself: how long its callers wait stands for it."""
    found = [finding("shop", 50), finding("db", 49, SignalKind.SEEN_BY_CALLERS)]

    assert "db" == rank(found, {"shop": ("db",)}, SLOW)[0].entity


def test_what_callees_do_not_account_for_is_shared() -> None:
    """Both callers wait for the database, one for mail as well: the database is the likelier."""
    of_callees = SignalKind.SEEN_OF_CALLEES
    found = [
        *(finding(each, 0) for each in ("db", "mail", "idle")),
        finding("cart", 30, of_callees),
        finding("pay", 30, of_callees),
        finding("idle", 0, of_callees),
    ]
    calls = {"cart": ("db",), "pay": ("db", "mail"), "idle": ("mail",)}
    own = {v.entity: sum(t.own for t in v.terms) for v in rank(found, calls, ())}

    assert own["db"] > 2 * own["mail"] > 0
    assert pytest.approx(60) == sum(own.values())


def test_who_lost_as_much_as_a_stranger_probably_calls_it() -> None:
    """Nobody is known to call the database: the cart, that lost the same, did most likely."""
    found = [finding("shop", 62), finding("cart", 60), finding("db", 58), finding("pay", 0)]
    votes = rank(found, {"shop": ("cart", "pay")}, SLOW)

    assert ["db", "cart"] == names(votes)[:2]


def test_a_caller_is_not_acquitted_by_what_calls_it() -> None:
    """A client that nobody calls lost the same because it waits for the cart, not the reverse."""
    found = [finding("client", 60), finding("cart", 60), finding("shop", 0)]
    votes = rank(found, {"client": ("cart",), "shop": ("cart",)}, SLOW)

    assert ("cart", 60.0) == (votes[0].entity, votes[0].terms[0].own)


def test_missing_calls_are_blamed_on_the_callers() -> None:
    """Who is not asked did nothing wrong."""
    found = [finding("db", 200, SignalKind.MISSING_CALLS), finding("cart", 0), finding("pay", 0)]
    votes = rank(found, CALLS, ())

    scores = {vote.entity: vote.score for vote in votes}
    assert scores["cart"] == scores["pay"] > 0 == scores["db"]


def test_of_many_resources_the_oddest_speaks() -> None:
    """Ten calm series of an entity neither hide nor multiply the one that is full."""
    calm = [finding("db", 0, SignalKind.RESOURCE, chance=0.01) for _ in range(10)]
    full = finding("db", 0, SignalKind.RESOURCE, chance=1.0, surprise=40.0)
    one = rank([full], CALLS, ())
    many = rank([*calm, full, *calm], CALLS, ())

    assert one[0].score == many[0].score > 0


def test_nothing_measured_nothing_said() -> None:
    """Without findings there is no vote; with calm ones no score."""
    assert () == rank([], CALLS, SLOW)
    assert 0.0 == rank([finding("shop", 0)], CALLS, SLOW)[0].score


entities = st.sampled_from([f"e{number}" for number in range(6)])


@settings(deadline=None)
@given(
    st.lists(st.tuples(entities, st.floats(0, 1e6), st.sampled_from([LATENCY, ERRORS]))),
    st.dictionaries(entities, st.lists(entities, max_size=4).map(tuple)),
    st.none() | entities,
)
def test_any_map_gives_a_whole_ranking_whatever_the_order(
    drawn: list[tuple[str, float, SignalKind]],
    calls: dict[str, tuple[str, ...]],
    complaint: str | None,
) -> None:
    """Circles, loops, doubles: each measured entity once, scores finite, whatever the order."""
    found = list({(e, k): finding(e, impact, k) for e, impact, k in drawn}.values())
    who = (Complaint(entity=complaint, kind=None),) if complaint else ()
    votes = rank(found, calls, who)

    assert {each.entity for each in found} <= set(names(votes))
    assert len(votes) == len(set(names(votes)))
    assert all(0.0 <= vote.score < 1e9 for vote in votes)
    assert votes == rank(found[::-1], calls, who)
