"""The life of an incident: how urgent, whose, how long, over, back again, closed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core.impact import HIT_MAX, SERVICES_NAMED_MAX
from agent.core.life import COUNTED_AT_ONCE
from agent.core.state import BUCKET_S, CLOSED_KEPT
from agent.model.alert import Severity
from agent.model.effect import LaunchRun
from agent.model.entry import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCommented,
    IncidentResolved,
)
from agent.model.incident import IncidentState, Level, Priority
from tests.core.play import CONFIG, START, Play, alert, entity, service_map

QUIET_S = 300


def running(play: Play) -> LaunchRun:
    """The run that is under way."""
    return next(iter(play.state.outbox.launch.values()))


def one(tier: int | None, severity: str) -> Play:
    """A play in which one alert fires on one service."""
    play = Play(config=replace(CONFIG, service_map=service_map(entity("it", tier=tier))))
    play.fire("Down", service="it", severity=severity)
    return play


@pytest.mark.parametrize(
    ("tier", "severity", "priority"),
    [
        (1, "critical", 1),
        (1, "warning", 2),
        (1, "info", 3),
        (2, "critical", 2),
        (2, "warning", 3),
        (2, "info", 4),
        (3, "critical", 3),
        (3, "warning", 4),
        (3, "info", 5),
        (None, "critical", 2),
        (None, "odd", 3),
        (1, "odd", 2),
    ],
)
def test_priority_is_impact_and_urgency(tier: int | None, severity: str, priority: int) -> None:
    """ITIL's matrix. Nobody set a tier, or an unknown word: the middle, not the harmless end."""
    assert one(tier, severity).incident().priority == priority


def test_the_highest_tier_above_counts() -> None:
    """A small thing under the shop is as important as the shop."""
    play = Play()
    play.fire("ServiceDown", service="db")
    assert play.incident().impact is Level.HIGH


def test_severity_never_shrinks_while_it_lasts() -> None:
    """The worst alert is over, the incident stays what it was."""
    play = Play()
    worst = play.fire("ServiceDown", service="web1")
    play.fire("ServiceSlow", service="web1", severity="warning")
    play.resolve(worst)
    assert play.incident().severity is Severity.CRITICAL


def test_what_gets_worse_gets_a_higher_priority_and_sooner_targets() -> None:
    """Counted from the opening, for the time that has gone by is gone."""
    play = Play()
    play.fire("ServiceSlow", service="shop", severity="info")
    assert play.incident().restoration_due == START + timedelta(hours=8)
    play.wait(60)
    play.fire("ServiceDown", service="shop")
    assert (play.incident().priority, play.incident().severity) == (1, "critical")
    assert play.incident().response_due == START + timedelta(minutes=5)
    assert play.incident().restoration_due == START + timedelta(hours=1)
    assert play.said("INC-1", "priority_changed") == ["P3 to P1: impact high, urgency high"]


def test_each_clock_is_told_once() -> None:
    """An overdue response and an overdue restoration are news, once each."""
    play = Play()
    play.fire("ServiceDown", service="shop")
    play.wait(3 * 3600)
    assert play.story("INC-1").count("response_overdue") == 1
    assert play.story("INC-1").count("restoration_overdue") == 1


def test_a_clock_that_was_set_anew_does_not_ring_for_the_old_moment() -> None:
    """What was P3 is P1 by now: only its newer targets count."""
    play = Play()
    play.fire("ServiceSlow", service="shop", severity="info")
    play.fire("ServiceDown", service="shop")
    play.wait(9 * 3600)
    assert play.story("INC-1").count("restoration_overdue") == 1


def test_an_acknowledgement_stops_the_response_clock() -> None:
    """Who took it has it; a second one changes nothing."""
    play = Play()
    play.fire("ServiceDown", service="shop")
    play.feed(IncidentAcknowledged(incident="INC-1", by="ann"))
    play.feed(IncidentAcknowledged(incident="INC-1", by="bob"))
    play.wait(600)
    assert (play.incident().acknowledged_by, play.incident().assignee) == ("ann", "ann")
    assert "response_overdue" not in play.story("INC-1")
    assert play.story("INC-1").count("acknowledged") == 1


def test_no_clock_rings_for_what_is_restored() -> None:
    """Nor for what is forgotten by then."""
    play = Play()
    said = play.fire("ServiceSlow", service="shop", severity="info")
    play.resolve(said)
    play.wait(3 * 24 * 3600)
    assert not {"response_overdue", "restoration_overdue"} & set(play.story("INC-1"))


def test_it_is_given_to_somebody_and_taken_back() -> None:
    """Each time once in the story; to whom has it already is no news."""
    play = Play()
    play.fire("ServiceDown", service="shop")
    for assignee in ("bob", "bob", None):
        play.feed(IncidentAssigned(incident="INC-1", assignee=assignee, by="ann"))
    assert play.said("INC-1", "assigned") == ["assigned to bob", "assigned to nobody"]
    assert play.incident().assignee is None


def test_people_are_told_when_there_is_no_such_incident() -> None:
    """Nothing is changed by a word about nothing."""
    play = Play()
    for what in (
        IncidentAcknowledged(incident="INC-1", by="ann"),
        IncidentAssigned(incident="INC-1", assignee="bob", by="ann"),
        IncidentCommented(incident="INC-1", text="hm", by="ann"),
        IncidentResolved(incident="INC-1", by="ann"),
    ):
        told = play.feed(what)
        assert (told.refusal is not None, told.records) == (True, ())


def test_what_fires_again_within_the_quiet_time_is_the_same_incident() -> None:
    """It reopens, and what automation had claimed is taken back."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    play.resolve(said)
    play.wait(QUIET_S - 1)
    play.fire("ServiceSlow", service="web1")
    play.wait(QUIET_S)
    incident = play.incident()
    assert (incident.state, incident.reopened) == (IncidentState.OPEN, 1)
    assert (incident.resolved_at, incident.resolution) == (None, None)


def test_what_stays_quiet_is_closed_and_what_fires_then_is_new() -> None:
    """A closed incident never comes back."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    play.resolve(said)
    play.wait(QUIET_S)
    assert play.incident().state is IncidentState.CLOSED
    play.fire("ServiceSlow", service="web1")
    assert play.incident(2).state is IncidentState.OPEN
    assert play.incident(1).reopened == 0


def test_the_quiet_time_counts_from_the_last_resolution() -> None:
    """The timer of the first one finds it resolved anew."""
    play = Play()
    for _ in range(2):
        said = play.fire("ServiceSlow", service="web1")
        play.resolve(said)
        play.wait(200)
    play.wait(QUIET_S - 201)
    assert play.incident().state is IncidentState.RESOLVED
    play.wait(1)
    assert play.incident().state is IncidentState.CLOSED


def test_a_longer_quiet_time_of_a_new_rule_set_counts_at_once() -> None:
    """For what is resolved already, too."""
    play = Play()
    play.resolve(play.fire("ServiceSlow", service="web1"))
    longer = replace(CONFIG.correlation, quiet=timedelta(hours=1))
    play.reload(correlation=longer)
    play.wait(3599)
    assert play.incident().state is IncidentState.RESOLVED
    play.wait(1)
    assert play.incident().state is IncidentState.CLOSED


def test_a_person_resolves_it_and_what_still_fires_brings_it_back() -> None:
    """Believed for the quiet time, and said once; no incident is closed over a firing alert."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    play.feed(IncidentResolved(incident="INC-1", by="ann", note="it is a test host"))
    play.feed(IncidentResolved(incident="INC-1", by="bob"))
    assert play.said("INC-1", "resolved_by_person") == [
        "ann says it is restored: it is a test host"
    ]
    play.wait(QUIET_S - 1)
    assert play.incident().state is IncidentState.RESOLVED
    play.wait(1)
    assert (play.incident().state, play.incident().reopened) == (IncidentState.OPEN, 1)
    assert play.said("INC-1", "incident_reopened") == ["ServiceSlow on web1 still fires"]
    assert play.state.alerts[said.fingerprint].incident == "INC-1"
    play.resolve(said)
    play.wait(QUIET_S)
    assert play.incident().state is IncidentState.CLOSED


def test_what_is_muted_does_not_contradict_a_person_until_it_is_heard() -> None:
    """It is not closed over either: when the mute ends while it fires, the incident is back."""
    play = Play()
    play.fire("ServiceSlow", service="web1")
    play.silence("s", timedelta(minutes=12), service="web1")
    play.feed(IncidentResolved(incident="INC-1", by="ann"))
    play.wait(11 * 60)
    assert play.incident().state is IncidentState.RESOLVED
    play.wait(QUIET_S)
    assert play.incident().state is IncidentState.OPEN


def test_a_person_is_contradicted_by_what_fires_anew() -> None:
    """Another alert of it within the quiet time opens it again."""
    play = Play()
    play.fire("ServiceSlow", service="web1")
    play.feed(IncidentResolved(incident="INC-1", by="ann"))
    play.fire("QueueLong", service="web1")
    assert (play.incident().state, play.incident().firing) == (IncidentState.OPEN, 2)


def test_what_is_closed_is_kept_for_a_day_and_then_forgotten() -> None:
    """Memory holds what is live and a day of what was; the rest is history's."""
    play = Play()
    play.fire("ServiceDown", service="web1", host="app1")
    said = next(iter(play.state.alerts.values())).alert
    play.launch()
    play.resolve(said)
    play.wait(QUIET_S)
    play.finish(running(play))
    play.wait(QUIET_S)
    play.wait(CLOSED_KEPT.total_seconds() - 1)
    assert list(play.state.incidents) == ["INC-1"]
    play.wait(1)
    assert (play.state.incidents, play.state.changes, play.state.runs) == ({}, {}, {})


def test_it_is_not_forgotten_while_something_is_under_way_for_it() -> None:
    """A change that still runs a day later finds its incident."""
    play = Play()
    down = play.fire("ServiceDown", service="web1", host="app1")
    play.launch()
    play.resolve(down)
    play.wait(QUIET_S + CLOSED_KEPT.total_seconds())
    assert list(play.state.incidents) == ["INC-1"]
    play.finish(running(play))
    play.wait(2 * QUIET_S + CLOSED_KEPT.total_seconds())
    assert play.state.incidents == {}


def test_a_storm_is_counted_now_and_then_and_named_in_one_line() -> None:
    """A thousand alerts on one service are one incident, a handful of lines and two counts."""
    play = Play()
    storm = [
        alert("ServiceSlow", at=play.now, service="db", pod=str(number)) for number in range(200)
    ]
    for each in storm:
        play.say(each)
    assert len(play.state.incidents) == 1
    assert play.incident().alerts == COUNTED_AT_ONCE
    play.wait(BUCKET_S)
    assert (play.incident().alerts, play.incident().firing) == (200, 200)
    assert len(play.story("INC-1")) == 1
    play.say(*(alert(f"Kind{number}", at=play.now, service="db") for number in range(5)))
    assert play.said("INC-1", "same_entity") == ["Kind0 on db, Kind1 on db, Kind2 on db and 2 more"]
    members = play.state.members["INC-1"]
    assert (members.alerts, len(members.firing)) == (205, 205)


def test_what_joined_and_ended_in_one_batch_is_not_told() -> None:
    """By the time the story is written it is over."""
    play = Play()
    play.fire("ServiceSlow", service="db")
    brief = alert("Blip", at=play.now, service="db")
    play.say(brief, replace(brief, ends_at=play.now))
    assert "same_entity" not in play.story("INC-1")


def test_what_began_before_we_heard_of_it_counts_from_its_beginning() -> None:
    """The downtime begins where the alert says, not where we woke up."""
    play = Play()
    play.say(alert("ServiceDown", at=START - timedelta(minutes=10), service="db"))
    assert play.incident().started_at == START - timedelta(minutes=10)
    assert play.incident().opened_at == START


def test_a_sender_ahead_of_time_opens_nothing_in_the_future() -> None:
    """Its clock is wrong: the incident begins now."""
    play = Play()
    play.say(alert("ServiceDown", at=START + timedelta(minutes=10), service="db"))
    assert play.incident().started_at == START


def test_targets_that_are_the_same_for_both_priorities_are_not_set_twice() -> None:
    """The clock that runs goes on, and rings once."""
    same = dict.fromkeys(Priority, CONFIG.targets[Priority.P1])
    play = Play(config=replace(CONFIG, targets=same))
    play.fire("ServiceSlow", service="shop", severity="info")
    play.fire("ServiceDown", service="shop")
    play.wait(2 * 3600)
    assert play.story("INC-1").count("response_overdue") == 1


def test_the_largest_incident_looks_at_no_more_than_its_limit() -> None:
    """A hub under everything does not make every alert a walk over the map."""
    users = [entity(f"u{number}", "hub", tier=2) for number in range(HIT_MAX + 50)]
    play = Play(config=replace(CONFIG, service_map=service_map(entity("hub"), *users)))
    play.fire("Down", service="hub")
    play.fire("Down", service="u249")
    assert len(play.incident().services) == SERVICES_NAMED_MAX
    assert play.incident().impact is Level.MEDIUM


def test_a_closing_moment_set_for_a_shorter_quiet_time_finds_it_closed_or_gone() -> None:
    """Old timers change nothing."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    play.resolve(said)
    play.wait(100)
    play.resolve(play.fire("ServiceSlow", service="web1"))
    play.reload(correlation=replace(CONFIG.correlation, quiet=timedelta(seconds=150)))
    play.wait(200)
    assert play.incident().state is IncidentState.CLOSED
    play.wait(1000)
    assert play.story("INC-1").count("quiet") == 1
