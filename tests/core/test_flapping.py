"""What fires and clears again and again is one incident, told once, until it is calm."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.flap import Flap
from agent.core.flapping import CHANGES_KEPT_MAX, weighed
from agent.model.effect import Notify
from agent.model.entry import IncidentResolved, IncidentsMerged, NotificationSent
from agent.model.incident import IncidentState
from agent.model.rule import Route, Ticketing
from tests.core.play import CONFIG, START, Play, minutes
from tests.core.test_corrections import APART, move
from tests.core.test_sync import written

QUIET_S = 300
WINDOW_S = 20 * 60
ALL = Route(name="all", receiver="oncall", repeat_interval=timedelta(days=2))


def flap(play: Play, cycles: int, *, every: float = 120, **labels: str) -> None:
    """An alert fires and clears, half of the time each."""
    for _ in range(cycles):
        said = play.fire("ServiceSlow", **({"service": "one"} | labels))
        play.wait(every / 2)
        play.resolve(said)
        play.wait(every / 2)


def loud() -> Play:
    """A play with people on call and a ticketing tool, on a map on which nothing is connected."""
    desk = Ticketing(name="all", connector="desk")
    config = replace(
        CONFIG, remediation_rules=(), service_map=APART, routes=(ALL,), ticketing=(desk,)
    )
    return Play(config=config)


def changes_told(play: Play) -> int:
    """How often the incident was resolved or reopened, by its story."""
    return sum(reason in ("alerts_cleared", "incident_reopened") for reason in play.story("INC-1"))


def test_a_flapping_alert_stays_in_its_incident_as_one() -> None:
    """After some changes the incident is neither resolved nor reopened nor told any more."""
    play = loud()
    flap(play, 4)
    before = changes_told(play)
    flap(play, 30)
    assert (play.incident().state, list(play.state.incidents)) == (IncidentState.OPEN, ["INC-1"])
    assert changes_told(play) - before <= 2
    assert play.said("INC-1", "flapping") == [
        "ServiceSlow on one flaps: 8 changes within 20 min; it stays here as one until it is calm"
    ]
    told = 0
    while play.asked(Notify):
        play.feed(NotificationSent(effect=play.take(Notify).id))
        play.wait(1)
        told += 1
    assert told <= 3


def test_it_ends_by_itself_when_it_has_been_calm() -> None:
    """Below the low threshold, not at once when it drops below the high one; then it is over."""
    play = loud()
    flap(play, 8)
    play.wait(WINDOW_S / 2)
    assert play.incident().state is IncidentState.OPEN
    play.wait(WINDOW_S / 2)
    assert play.incident().state is IncidentState.RESOLVED
    assert len(play.said("INC-1", "calm")) == 1
    assert play.state.flaps == {}
    play.wait(QUIET_S)
    assert play.incident().state is IncidentState.CLOSED


def test_one_that_fires_on_when_it_is_calm_keeps_its_incident_open() -> None:
    """Calm is not the same as over."""
    play = loud()
    flap(play, 8)
    play.fire("ServiceSlow", service="one")
    play.wait(2 * WINDOW_S)
    assert len(play.said("INC-1", "calm")) == 1
    assert play.incident().state is IncidentState.OPEN


def test_slower_than_the_quiet_time_is_no_flapping() -> None:
    """What stays away for longer than an incident lives is another incident each time."""
    play = loud()
    flap(play, 6, every=4 * QUIET_S)
    assert len(play.state.incidents) == 6
    assert play.said("INC-1", "flapping") == []


def test_a_person_may_resolve_it_nevertheless() -> None:
    """And is contradicted when it fires again."""
    play = loud()
    flap(play, 8)
    play.feed(IncidentResolved(incident="INC-1", by="ann"))
    assert play.incident().state is IncidentState.RESOLVED
    flap(play, 1)
    assert (play.incident().state, play.incident().resolved_at) == (IncidentState.OPEN, None)


def test_resolved_and_left_alone_it_closes_and_flaps_on_in_the_next() -> None:
    """Its mark goes with the alert, not with the incident."""
    play = loud()
    flap(play, 8)
    play.feed(IncidentResolved(incident="INC-1", by="ann"))
    play.wait(QUIET_S)
    assert play.incident().state is IncidentState.CLOSED
    flap(play, 1)
    assert list(play.state.members["INC-2"].flapping) == list(play.state.flaps)
    assert play.incident(2).state is IncidentState.OPEN


def test_it_goes_with_its_alert_when_people_move_or_merge() -> None:
    """The incident that gives it away is not kept open by it."""
    play = loud()
    other = play.fire("Down", service="one")
    flap(play, 8)
    said = play.fire("ServiceSlow", service="one")
    play.fire("Down", service="two")
    move(play, said, into=2)
    name = said.fingerprint
    assert play.state.members["INC-1"].flapping == {}
    assert (list(play.state.members["INC-2"].flapping), play.state.flaps[name].incident) == (
        [name],
        "INC-2",
    )
    play.feed(IncidentsMerged(incident="INC-2", into="INC-1", by="ann"))
    assert list(play.state.members["INC-1"].flapping) == [name]
    assert play.state.alerts[other.fingerprint].incident == "INC-1"


def test_a_muted_alert_flaps_unheard() -> None:
    """It makes no incident; let free, it opens one that holds it at once."""
    play = loud()
    play.silence("s", minutes(30), service="one")
    flap(play, 10)
    assert play.state.incidents == {}
    play.wait(10 * 60 - 30)
    flap(play, 1)
    assert len(play.said("INC-1", "flapping")) == 1


def test_the_ticket_says_it_without_a_figure_that_flickers() -> None:
    """One write for the beginning, none for every change after it."""
    play = loud()
    flap(play, 8)
    body = play.state.outbox.ticket[play.state.tickets["INC-1"]["desk"].telling or ""].ticket.body
    assert body.count("Flapping") == 0
    written(play)
    write = written(play)
    assert "Flapping since 2026-03-02 10:07:00 UTC: ServiceSlow on one" in write.ticket.body
    flap(play, 5)
    assert "WriteTicket" not in [type(effect).__name__ for effect in play.effects]


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=60))
@settings(max_examples=50)
def test_the_weight_is_between_old_and_new_for_every_change_in_the_window(ages: list[int]) -> None:
    """Nagios' weights: each change counts .8 to 1.2, none outside of the window."""
    play = Play()
    found = Flap(changed_at=[START - timedelta(seconds=age) for age in ages])
    inside = sum(age < WINDOW_S for age in ages)
    assert 0.8 * inside <= weighed(found, START, play.state) + 1e-9
    assert weighed(found, START, play.state) <= 1.2 * inside + 1e-9


def test_what_is_remembered_of_a_storm_of_changes_is_bounded() -> None:
    """Faster than anything can be repaired says nothing new."""
    play = loud()
    flap(play, CHANGES_KEPT_MAX, every=2)
    (known,) = play.state.flaps.values()
    assert len(known.changed_at) == CHANGES_KEPT_MAX
