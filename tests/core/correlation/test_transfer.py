"""Alerts that go from one incident to another, and what both know afterwards."""

from agent.core.correlation.transfer import move, open_from, unite
from agent.core.draft import Draft
from agent.model.incident import IncidentState
from tests.core.play import Play, ref


def draft_of(play: Play) -> Draft:
    """A transition in the making, after all that was played."""
    at = play.state.last_at
    assert at is not None
    return Draft(play.state.last_number + 1, at)


def three() -> Play:
    """One incident: two alerts on one place, one on another; and one of its own."""
    play = Play()
    play.fire("ServiceDown", service="db")
    play.fire("QueueLong", service="db")
    play.fire("ServiceSlow", service="shop", caller="web1")
    return play


def of(play: Play, name: str) -> str:
    """The fingerprint of the alert with this name."""
    return next(f for f, active in play.state.alerts.items() if active.alert.name == name)


def test_signs_say_what_where_and_who_called() -> None:
    """An incident remembers its alerts by place, kind and peer, with how often they fired."""
    play = three()

    told = [
        (s.entity, s.name, s.peer, s.firings) for s in play.state.members["INC-1"].signs.values()
    ]

    assert told == [
        (ref("db"), "ServiceDown", None, 1),
        (ref("db"), "QueueLong", None, 1),
        (ref("shop"), "ServiceSlow", ref("web1"), 1),
    ]


def test_a_split_takes_alerts_places_and_signs_with_it() -> None:
    """What was never said of anywhere else is forgotten where it came from."""
    play = three()
    draft = draft_of(play)

    new = open_from(play.state, draft, [of(play, "ServiceSlow")], source="INC-1", text="asked for")

    assert new == "INC-2"
    old_members, new_members = play.state.members["INC-1"], play.state.members["INC-2"]
    assert list(old_members.entities) == [ref("db")]
    assert list(new_members.entities) == [ref("shop")]
    assert [s.name for s in new_members.signs.values()] == ["ServiceSlow"]
    assert (old_members.alerts, new_members.alerts) == (2, 1)
    assert play.state.alerts[of(play, "ServiceSlow")].incident == "INC-2"


def test_a_place_that_has_more_to_say_is_kept() -> None:
    """Only one of two alerts of the place moves: the place belongs to both incidents."""
    play = three()

    open_from(play.state, draft_of(play), [of(play, "QueueLong")], source="INC-1", text="asked for")

    assert play.state.members["INC-1"].entities == {ref("db"): 1, ref("shop"): 1}
    assert play.state.members["INC-2"].entities == {ref("db"): 1}


def test_what_was_split_can_be_united_again_and_the_older_goes_on() -> None:
    """Nothing is lost on the way there and back."""
    play = three()
    signs = sorted(play.state.members["INC-1"].signs)
    draft = draft_of(play)
    new = open_from(play.state, draft, [of(play, "ServiceSlow")], source="INC-1", text="asked for")
    assert new is not None

    kept = unite(play.state, draft, new, "INC-1")

    assert kept == "INC-1"
    assert play.state.incidents[new].state is IncidentState.MERGED
    assert sorted(play.state.members["INC-1"].signs) == signs
    assert {active.incident for active in play.state.alerts.values()} == {"INC-1"}


def test_what_does_not_fire_in_the_incident_does_not_move() -> None:
    """An alert that is unknown, or over, or of another incident, stays where it is."""
    play = three()
    new = open_from(
        play.state, draft_of(play), [of(play, "QueueLong")], source="INC-1", text="asked for"
    )
    assert new is not None

    moved = move(play.state, draft_of(play), ["0", of(play, "QueueLong")], source="INC-1", into=new)

    assert moved == ()
