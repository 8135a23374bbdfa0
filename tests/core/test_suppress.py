"""What mutes an alert stops an incident from being made, never from being resolved."""

from dataclasses import replace
from datetime import timedelta

from agent.core.suppress import SILENCE_KEPT
from agent.model.calendar import CalendarPurpose
from agent.model.entry import SilenceExpired
from agent.model.incident import IncidentState
from agent.model.labels import MatchOperator
from agent.model.rule import InhibitRule
from tests.core.play import CONFIG, START, Play, alert, calendar, matcher, minutes, ref

HOST_DOWN = InhibitRule(
    name="host-down",
    source=(matcher("alertname", "HostDown"),),
    target=(matcher("alertname", "Service.*", MatchOperator.REGEX),),
    equal=("host",),
)
LOUDEST = InhibitRule(
    name="loudest",
    source=(matcher("severity", "critical|warning", MatchOperator.REGEX),),
    target=(matcher("severity", "warning"),),
    equal=("host",),
)


def with_rule(*rules: InhibitRule) -> Play:
    """A play with these inhibit rules."""
    return Play(config=replace(CONFIG, inhibit_rules=rules))


def muted(play: Play) -> dict[str, tuple[str, ...]]:
    """What mutes each firing alert, by its name and host."""
    return {
        f"{a.alert.name} {a.alert.labels.get('host', '')}".strip(): a.suppressed_by
        for a in play.state.alerts.values()
    }


def test_a_silenced_alert_makes_no_incident_until_the_silence_ends() -> None:
    """Still firing then, it counts: nothing is forgotten."""
    play = Play()
    play.silence("S1", minutes(10), service="web1")
    play.fire("ServiceSlow", service="web1")
    assert muted(play) == {"ServiceSlow": ("silence:S1",)}
    play.wait(599)
    assert play.state.incidents == {}
    play.wait(1)
    assert play.incident().firing == 1
    assert muted(play) == {"ServiceSlow": ()}


def test_a_silence_begins_when_it_says() -> None:
    """Before its start it mutes nothing; from then on what fires already, too."""
    play = Play()
    play.silence("S1", minutes(10), wait=60, service="web1")
    play.fire("ServiceSlow", service="web1")
    assert muted(play) == {"ServiceSlow": ()}
    play.wait(60)
    assert muted(play) == {"ServiceSlow": ("silence:S1",)}
    assert play.incident().state is IncidentState.OPEN


def test_a_silence_does_not_stop_resolution() -> None:
    """An incident whose alerts are muted by now ends when they clear."""
    play = Play()
    said = play.fire("ServiceSlow", service="web1")
    play.silence("S1", minutes(10), service="web1")
    play.resolve(said)
    assert play.incident().state is IncidentState.RESOLVED


def test_what_ends_while_muted_was_never_an_incident() -> None:
    """Planned work that goes as planned leaves no trace among the incidents."""
    play = Play()
    play.silence("S1", minutes(10), service="web1")
    said = play.fire("ServiceSlow", service="web1")
    play.resolve(said)
    play.wait(3600)
    assert play.state.incidents == {}


def test_a_person_ends_a_silence_early() -> None:
    """At once, and only once."""
    play = Play()
    play.silence("S1", minutes(10), service="web1")
    play.fire("ServiceSlow", service="web1")
    play.feed(SilenceExpired(id="S1", by="ann"))
    assert play.incident().firing == 1
    assert play.state.silences["S1"].ends_at == play.now

    refusals = [play.feed(SilenceExpired(id=name, by="ann")).refusal for name in ("S1", "S2")]
    assert [r.text for r in refusals if r] == [
        "there is no active silence S1",
        "there is no active silence S2",
    ]


def test_a_changed_silence_mutes_by_its_new_matchers() -> None:
    """The same id again replaces the old one whole."""
    play = Play()
    play.silence("S1", minutes(10), service="web1")
    play.fire("ServiceSlow", service="web1", host="app1")
    play.silence("S1", minutes(10), service="web2")
    play.fire("ServiceSlow", service="web2", host="app2")
    assert muted(play) == {"ServiceSlow app1": (), "ServiceSlow app2": ("silence:S1",)}


def test_a_prolonged_silence_is_not_ended_by_its_old_moment() -> None:
    """The timer of the old end finds a silence that is in force."""
    play = Play()
    play.silence("S1", minutes(10), service="web1")
    play.wait(60)
    play.silence("S1", minutes(60), service="web1")
    play.fire("ServiceSlow", service="web1")
    play.wait(30 * 60)
    assert play.state.incidents == {}


def test_a_silence_that_is_over_stays_in_sight_for_days_and_then_goes() -> None:
    """As in Alertmanager, so that one can see what was muted, and bring it back."""
    play = Play()
    play.silence("S1", minutes(10), service="web1")
    play.wait(600 + SILENCE_KEPT.total_seconds() - 1)
    assert list(play.state.silences) == ["S1"]
    play.wait(1)
    assert play.state.silences == {}


def test_a_source_inhibits_targets_with_equal_labels_only() -> None:
    """The services of the host that is down are muted, those of others are not."""
    play = with_rule(HOST_DOWN)
    play.fire("HostDown", host="app1")
    play.fire("ServiceDown", host="app1", job="x")
    play.fire("ServiceDown", host="app2", job="x")
    assert muted(play) == {
        "HostDown app1": (),
        "ServiceDown app1": ("inhibit:host-down",),
        "ServiceDown app2": (),
    }


def test_equal_labels_that_both_lack_are_equal() -> None:
    """An absent label is the empty string, as in Alertmanager."""
    play = with_rule(HOST_DOWN)
    play.fire("HostDown")
    play.fire("ServiceDown")
    assert muted(play)["ServiceDown"] == ("inhibit:host-down",)


def test_a_source_that_comes_later_mutes_what_fires_already() -> None:
    """As in Alertmanager; its incident stays, and it counts again when the source is over."""
    play = with_rule(HOST_DOWN)
    play.fire("ServiceSlow", host="app1")
    assert muted(play) == {"ServiceSlow app1": ()}
    source = play.fire("HostDown", host="app1")
    assert muted(play)["ServiceSlow app1"] == ("inhibit:host-down",)
    play.fire("HostDown", host="app2")
    play.resolve(source)
    assert muted(play)["ServiceSlow app1"] == ()
    assert play.incident().state is IncidentState.OPEN


def test_of_one_breath_no_target_is_earlier_than_its_source() -> None:
    """However the sender sorts them, the target makes no incident."""
    play = with_rule(HOST_DOWN)
    low = alert("ServiceSlow", at=START, host="app1")
    play.say(low, alert("HostDown", at=START, host="app1"))
    assert muted(play)["ServiceSlow app1"] == ("inhibit:host-down",)
    assert play.state.alerts[low.fingerprint].incident is None


def test_the_end_of_the_last_source_frees_its_targets() -> None:
    """What still fires then is an incident; two sources inhibit until both are over."""
    play = with_rule(HOST_DOWN)
    first = play.fire("HostDown", host="app1")
    second = play.fire("HostDown", host="app1", seen_by="another")
    play.fire("ServiceDown", host="app1")
    play.resolve(first)
    assert muted(play)["ServiceDown app1"] == ("inhibit:host-down",)
    play.resolve(second)
    assert muted(play) == {"ServiceDown app1": ()}
    assert play.state.alerts[next(iter(play.state.alerts))].incident is not None


def test_an_alert_never_inhibits_itself_nor_its_like() -> None:
    """Two that are source and target both would mute each other, and nobody would be called."""
    play = with_rule(LOUDEST)
    play.fire("DiskFull", host="app1", severity="warning")
    play.fire("LoadHigh", host="app1", severity="warning")
    play.silence("S1", minutes(1), alertname="Other")
    assert muted(play) == {"DiskFull app1": (), "LoadHigh app1": ()}

    play.fire("HostDown", host="app1", severity="critical")
    play.fire("SwapFull", host="app1", severity="warning")
    assert muted(play)["SwapFull app1"] == ("inhibit:loudest",)


def test_a_target_that_is_a_source_itself_passes_nothing_on_when_it_ends() -> None:
    """Those of both kinds are counted apart, and forgotten when they end."""
    play = with_rule(LOUDEST, HOST_DOWN)
    said = play.fire("DiskFull", host="app1", severity="warning")
    play.resolve(said)
    play.fire("LoadHigh", host="app1", severity="warning")
    assert muted(play) == {"LoadHigh app1": ()}


def test_inhibition_holds_after_a_reload_of_the_rules() -> None:
    """A rule that is new mutes what fires already, one that is gone frees it."""
    play = Play()
    play.fire("HostDown", host="app1")
    play.fire("ServiceDown", host="app1")
    play.reload(inhibit_rules=(HOST_DOWN,))
    assert muted(play)["ServiceDown app1"] == ("inhibit:host-down",)
    play.reload(inhibit_rules=())
    assert muted(play)["ServiceDown app1"] == ()


def test_maintenance_mutes_what_is_named_and_what_it_rests_on() -> None:
    """Work on the web covers the database below it, not the shop above it or an unplaced alert."""
    play = Play()
    window = (START, START + minutes(30))
    play.calendars(
        calendar("patch-night", window, purpose=CalendarPurpose.MUTE, entities=(ref("web1"),))
    )
    play.fire("ServiceSlow", service="web1", host="app1")
    play.fire("ServiceSlow", service="db", host="app3")
    play.fire("ServiceSlow", service="shop", host="front")
    play.fire("ServiceSlow", host="nowhere")
    assert muted(play) == {
        "ServiceSlow app1": ("calendar:patch-night",),
        "ServiceSlow app3": ("calendar:patch-night",),
        "ServiceSlow front": (),
        "ServiceSlow nowhere": (),
    }
    play.wait(30 * 60)
    assert set(muted(play).values()) == {()}
    assert all(a.incident for a in play.state.alerts.values())


def test_maintenance_of_nobody_in_particular_is_for_everybody() -> None:
    """It begins at its border, for what fires already too."""
    play = Play()
    window = (START + minutes(5), START + minutes(30))
    play.calendars(calendar("move", window, purpose=CalendarPurpose.MUTE))
    play.fire("ServiceSlow", host="nowhere")
    assert muted(play) == {"ServiceSlow nowhere": ()}
    play.wait(5 * 60)
    assert muted(play) == {"ServiceSlow nowhere": ("calendar:move",)}


def test_a_freeze_mutes_nothing() -> None:
    """Only a calendar whose purpose is to mute does."""
    play = Play()
    window = (START, START + minutes(30))
    play.calendars(calendar("freeze", window, purpose=CalendarPurpose.FREEZE))
    play.fire("ServiceSlow", service="web1")
    assert muted(play) == {"ServiceSlow": ()}


def test_all_that_mutes_is_named() -> None:
    """An alert goes on being muted by the second when the first is over."""
    play = with_rule(HOST_DOWN)
    window = (START, START + timedelta(hours=2))
    play.calendars(calendar("move", window, purpose=CalendarPurpose.MUTE))
    play.silence("S1", minutes(10), service="web1")
    play.fire("HostDown", host="app1")
    play.fire("ServiceDown", host="app1", service="web1")
    assert muted(play)["ServiceDown app1"] == (
        "silence:S1",
        "inhibit:host-down",
        "calendar:move",
    )
    play.wait(600)
    assert muted(play)["ServiceDown app1"] == ("inhibit:host-down", "calendar:move")
    assert play.state.incidents == {}
