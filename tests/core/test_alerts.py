"""The life of an alert: what its sender says comes late, twice, out of order, or not at all."""

from dataclasses import replace
from datetime import timedelta

from agent.core.alerts import LATENESS, LEASE_AFTER_ABSENCE
from agent.core.state import BUCKET_S
from agent.model.alert import AlertRecord, EndedBy
from agent.model.entry import AgentStarted, LeasesRenewed
from agent.model.incident import IncidentState, StateInterval
from agent.model.reason import Reason
from agent.model.rule import Heartbeat
from agent.model.service import Health
from tests.core.play import CONFIG, START, Play, alert, alert_ended, matcher, minutes

BEAT = Heartbeat(name="dead-man", matchers=(matcher("alertname", "Watchdog"),), within=minutes(5))


def endings(play: Play) -> list[EndedBy]:
    """How occurrences ended, in order."""
    return [r.ended_by for r in play.records if isinstance(r, AlertRecord) and r.ended_by]


def test_a_repeat_changes_nothing_but_its_lease() -> None:
    """The same occurrence again is no second alert and no news for anybody."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    before = play.incident()
    play.wait(60)
    repeat = play.say(replace(said, expires_at=play.now + minutes(5)))

    assert (repeat.records, repeat.effects) == ((), ())
    assert play.incident() == before
    assert play.state.alerts[said.fingerprint].expires_at == play.now + minutes(5)


def test_a_later_start_is_a_new_occurrence_in_the_same_incident() -> None:
    """The old occurrence ends where the new one begins; the incident is never closed between."""
    play = Play()
    play.fire("ServiceSlow", service="web1")
    play.wait(60)
    play.fire("ServiceSlow", service="web1")

    assert endings(play) == [EndedBy.REFIRED]
    assert (play.incident().state, play.incident().firing) == (IncidentState.OPEN, 1)
    assert play.incident().alerts == 2
    assert "alerts_cleared" not in play.story("INC-1")


def test_a_late_resolve_of_an_old_start_does_not_end_a_new_firing() -> None:
    """Prometheus repeats what is resolved for 15 minutes: that says nothing of what fires now."""
    play = Play()
    old = play.fire("ServiceSlow", service="web1")
    play.wait(60)
    new = play.fire("ServiceSlow", service="web1")
    play.say(alert_ended(old, play.now))

    assert play.state.alerts[new.fingerprint].alert.starts_at == new.starts_at
    assert play.incident().state is IncidentState.OPEN


def test_a_repeated_resolve_is_no_news() -> None:
    """An incident resolves once."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    play.resolve(said)
    again = play.say(alert_ended(said, play.now))

    assert again.records == ()
    assert play.story("INC-1").count("alerts_cleared") == 1


def test_a_late_firing_of_what_is_over_does_not_bring_it_back() -> None:
    """Reordered on its way: the end was heard before a repeat of the firing."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    play.resolve(said)
    play.say(said)

    assert play.state.alerts == {}
    assert play.incident().state is IncidentState.RESOLVED


def test_a_resolve_that_comes_before_its_firing_wins() -> None:
    """The occurrence was over before we heard that it began."""
    play = Play()
    said = alert("ServiceSlow", at=play.now, service="web1")
    play.say(alert_ended(said, play.now + minutes(1)))
    play.wait(90)
    play.say(said)

    assert play.state.alerts == {}
    assert play.state.incidents == {}


def test_what_is_not_repeated_any_more_expires() -> None:
    """A sender that died does not keep its alerts firing for ever, and it may come back soon."""
    play = Play()
    said = alert("ServiceSlow", at=play.now, expires=play.now + minutes(4), service="web1")
    play.say(said)
    play.wait(60)
    play.say(replace(said, expires_at=play.now + minutes(4)))
    play.wait(4 * 60 + BUCKET_S)

    assert endings(play) == [EndedBy.EXPIRED]
    assert play.incident().state is IncidentState.RESOLVED


def test_an_event_that_was_never_repeated_is_over_when_it_expires() -> None:
    """It held for as long as its source said, and nothing more was heard: nothing will come."""
    play = Play()
    said = alert("LoginFailed", at=play.now, expires=play.now + minutes(1), service="web1")
    play.say(said)
    play.say(said)
    play.wait(60 + BUCKET_S)
    assert endings(play) == [EndedBy.EXPIRED]
    assert play.incident().state is IncidentState.OPEN
    play.wait(60)

    assert play.incident().state is IncidentState.CLOSED
    assert play.incident().resolution is Reason.QUIET


def test_what_expired_comes_back_with_its_old_start() -> None:
    """An expiry is our guess: the sender, heard again, knows better."""
    play = Play()
    said = alert("ServiceSlow", at=play.now, expires=play.now + minutes(4), service="web1")
    play.say(said)
    play.wait(60)
    play.say(replace(said, expires_at=play.now + minutes(4)))
    play.wait(5 * 60)
    play.say(replace(said, expires_at=play.now + minutes(4)))

    assert list(play.state.alerts) == [said.fingerprint]
    assert (play.incident().state, play.incident().reopened) == (IncidentState.OPEN, 1)


def test_what_expired_and_is_then_said_to_be_over_stays_over() -> None:
    """The guess has become a fact: a reordered repeat does not bring it back any more."""
    play = Play()
    said = alert("ServiceSlow", at=play.now, expires=play.now + minutes(4), service="web1")
    play.say(said)
    play.wait(5 * 60)
    play.say(alert_ended(said, play.now))
    play.say(said)

    assert play.state.alerts == {}


def test_renewals_keep_it_firing_and_never_shorten_its_lease() -> None:
    """Repeats that overtook one another leave the latest expiry in force."""
    play = Play()
    said = alert("ServiceSlow", at=play.now, expires=play.now + minutes(4), service="web1")
    play.say(said)
    until = START + minutes(10)
    play.feed(LeasesRenewed(expires_at={said.fingerprint: until, "unknown": until}))
    play.feed(LeasesRenewed(expires_at={said.fingerprint: START + minutes(6)}))
    play.wait(9 * 60)
    assert list(play.state.alerts) == [said.fingerprint]
    play.wait(60 + BUCKET_S)
    assert play.state.alerts == {}


def test_an_alert_without_a_lease_gets_one_from_a_repeat_that_has_one() -> None:
    """A second sender that promises to repeat is held to it."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    play.say(replace(said, expires_at=play.now + minutes(1)))
    play.wait(60 + BUCKET_S)
    assert play.state.alerts == {}


def test_after_an_absence_senders_get_time_to_repeat() -> None:
    """What ran out while nobody listened still fires; it ends if nobody repeats it now."""
    play = Play()
    said = alert("ServiceSlow", at=play.now, expires=play.now + minutes(4), service="web1")
    play.say(said)
    before = play.now
    play.now += timedelta(hours=1)
    play.feed(AgentStarted(version="1", last_alive=before))
    play.wait(LEASE_AFTER_ABSENCE.total_seconds() - 10)
    assert list(play.state.alerts) == [said.fingerprint]
    play.wait(10 + BUCKET_S)
    assert play.state.alerts == {}


def test_an_absence_is_written_down_as_unknown() -> None:
    """Reports must not count the time without a watch as up."""
    play = Play()
    play.now += minutes(10)
    play.feed(AgentStarted(version="1", last_alive=START))
    unknown = [r for r in play.records if isinstance(r, StateInterval)]
    assert [(r.entity, r.start, r.end, r.health) for r in unknown] == [
        ("*", START, START + minutes(10), Health.UNKNOWN)
    ]


def test_the_first_start_sets_when_the_watch_began_and_who_we_are() -> None:
    """Later starts are the same installation."""
    play = Play()
    play.feed(AgentStarted(version="1", last_alive=None))
    known = (play.state.watching_since, play.state.installation)
    play.now += minutes(1)
    play.feed(AgentStarted(version="2", last_alive=None))
    assert (play.state.watching_since, play.state.installation) == known
    assert [r for r in play.records if isinstance(r, StateInterval)] == []


def test_late_words_are_expected_for_an_hour_and_then_forgotten() -> None:
    """The memory of what is over does not grow without end."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    play.resolve(said)
    play.wait(LATENESS.total_seconds() - 1)
    assert list(play.state.ended) == [said.fingerprint]
    play.wait(1 + BUCKET_S)
    assert play.state.ended == {}


def test_a_newer_end_is_remembered_though_its_start_was_never_heard() -> None:
    """Its own late start does not bring it back."""
    play = Play()
    play.fire("ServiceSlow", service="web1")
    play.wait(60)
    newer = alert("ServiceSlow", at=play.now, service="web1")
    play.wait(60)
    play.say(alert_ended(newer, play.now))
    play.say(newer)
    assert play.state.alerts == {}


def test_a_heartbeat_is_expected_and_its_silence_is_an_incident() -> None:
    """As long as it beats there is none; lost, it is one; beating again, that is resolved."""
    play = Play(config=replace(CONFIG, heartbeats=(BEAT,)))
    beat = play.fire("Watchdog", severity="none")
    play.wait(4 * 60)
    play.say(beat)
    play.wait(4 * 60)
    assert play.state.incidents == {}
    assert play.state.alerts[beat.fingerprint].suppressed_by == ("heartbeat:dead-man",)

    play.wait(60)
    incident = play.incident()
    assert (incident.state, incident.severity) == (IncidentState.OPEN, "critical")
    assert "dead-man has been silent for 300 s" in incident.title

    play.feed(LeasesRenewed(expires_at={}, beats={beat.fingerprint: play.now}))
    assert play.incident().state is IncidentState.RESOLVED


def test_a_beat_counts_from_when_it_was_heard_not_from_when_it_was_written() -> None:
    """Repeats are written in batches: silence is noticed at the second however late that is."""
    play = Play(config=replace(CONFIG, heartbeats=(BEAT,)))
    beat = play.fire("Watchdog", severity="none")
    play.wait(60)
    heard = play.now
    play.wait(120)
    play.feed(LeasesRenewed(expires_at={}, beats={beat.fingerprint: heard}))
    play.feed(LeasesRenewed(expires_at={}, beats={beat.fingerprint: START}))
    play.wait(179)
    assert play.state.incidents == {}
    play.wait(1)
    assert play.incident().state is IncidentState.OPEN


def test_a_heartbeat_that_never_came_is_lost_too() -> None:
    """It is expected from the load of its rule on: a wrong matcher does not go unseen."""
    play = Play(config=replace(CONFIG, heartbeats=(BEAT,)))
    play.wait(299)
    assert play.state.incidents == {}
    play.wait(1)
    assert [i.firing for i in play.state.incidents.values()] == [1]


def test_a_heartbeat_gets_time_after_an_absence() -> None:
    """That we were away is no silence of its sender."""
    play = Play(config=replace(CONFIG, heartbeats=(BEAT,)))
    play.now += minutes(60)
    play.feed(AgentStarted(version="1", last_alive=START))
    play.wait(LEASE_AFTER_ABSENCE.total_seconds() - 1)
    assert play.state.incidents == {}
    play.wait(1)
    assert len(play.state.incidents) == 1


def test_a_heartbeat_that_is_expected_no_longer_is_lost_no_longer() -> None:
    """Its rule was taken out: the incident about its silence is over, and nobody waits for it."""
    play = Play(config=replace(CONFIG, heartbeats=(BEAT,)))
    play.wait(300)
    play.fire("ServiceSlow", service="web1")
    play.reload(heartbeats=())
    play.wait(600)

    assert play.incident(1).state is IncidentState.CLOSED
    assert play.state.heartbeats == {}


def test_a_map_that_knows_more_places_what_fires_already() -> None:
    """Health and later decisions go by the map in force, not by that of the alert's first day."""
    play = Play(config=replace(CONFIG, service_map=CONFIG.service_map.of({})))
    said = play.fire("ServiceDown", service="db", host="app3")
    assert play.state.alerts[said.fingerprint].entity is None
    play.reload(service_map=CONFIG.service_map)

    assert play.state.alerts[said.fingerprint].entity == "component:default/db"
    assert play.state.health["component:default/shop"].health is Health.DOWN


def test_an_entity_that_left_the_map_holds_nothing_down() -> None:
    """What rests on it is judged without it."""
    play = Play()
    play.fire("ServiceDown", service="db", host="app3")
    left = {n: e for n, e in CONFIG.service_map.entities.items() if e.name != "db"}
    play.reload(service_map=CONFIG.service_map.of(left))
    assert play.state.health == {}


def test_a_muted_alert_is_renewed_like_any_other() -> None:
    """A silence does not make it expire."""
    play = Play()
    play.silence("S1", minutes(60), service="web1")
    said = alert("ServiceSlow", at=play.now, expires=play.now + minutes(4), service="web1")
    play.say(said)
    play.say(replace(said, expires_at=play.now + minutes(8)))
    play.wait(5 * 60)
    assert list(play.state.alerts) == [said.fingerprint]


def test_a_lease_that_runs_out_after_the_end_is_passed_over() -> None:
    """It was resolved before; its timer finds nothing."""
    play = Play()
    said = alert("ServiceSlow", at=play.now, expires=play.now + minutes(4), service="web1")
    play.say(said)
    play.resolve(said)
    play.wait(5 * 60)
    assert endings(play) == [EndedBy.RESOLVED]


def test_after_an_absence_longer_promises_stay_as_they_are() -> None:
    """What needs no repeat, or not so soon, is left alone."""
    day = replace(BEAT, within=minutes(24 * 60))
    play = Play(config=replace(CONFIG, heartbeats=(day,)))
    play.fire("ServiceSlow", service="web1")
    later = alert("Odd", at=play.now, expires=play.now + minutes(60), host="x1")
    play.say(later)
    beats = dict(play.state.heartbeats)
    play.now += minutes(1)
    play.feed(AgentStarted(version="1", last_alive=START))
    assert play.state.heartbeats == beats
    assert play.state.alerts[later.fingerprint].expires_at == START + minutes(60)
