"""People correct what belongs together, and the correlation does not undo it."""

from dataclasses import replace

from agent.core.belonging import Onset
from agent.core.correlation.groups import part
from agent.core.state import CORRECTED_MAX
from agent.model.alert import Alert
from agent.model.entry import (
    AlertsDeclaredUnrelated,
    AlertsMoved,
    CauseConfirmed,
    IncidentAcknowledged,
    IncidentResolved,
    IncidentsMerged,
)
from agent.model.incident import IncidentState
from agent.model.transition import Transition
from tests.core.play import CONFIG, Play, entity, ref, service_map
from tests.core.test_sync import desk, written

QUIET_S = 300
APART = service_map(entity("one"), entity("two"), entity("three"))


def shop() -> Play:
    """A play in which nothing is remedied."""
    return Play(config=replace(CONFIG, remediation_rules=()))


def apart() -> Play:
    """A play on a map on which nothing has to do with anything."""
    return Play(config=replace(CONFIG, remediation_rules=(), service_map=APART))


def move(play: Play, *alerts: Alert, source: int = 1, into: int | None = None) -> Transition:
    """A person moves alerts, or splits them off."""
    return play.feed(
        AlertsMoved(
            incident=f"INC-{source}",
            alerts=tuple(said.fingerprint for said in alerts),
            into=None if into is None else f"INC-{into}",
            by="ann",
            note="another rack",
        )
    )


def unrelated(play: Play, *alerts: Alert, places: tuple[str, ...] = ()) -> Transition:
    """A person says what has nothing to do with the first incident."""
    return play.feed(
        AlertsDeclaredUnrelated(
            incident="INC-1",
            alerts=tuple(said.fingerprint for said in alerts),
            entities=tuple(map(ref, places)),
            by="ann",
        )
    )


def where(play: Play, *alerts: Alert) -> list[str | None]:
    """The incidents of these alerts."""
    return [play.state.alerts[said.fingerprint].incident for said in alerts]


def again(play: Play, said: Alert) -> Alert:
    """The alert is over, and a minute later it fires anew."""
    play.resolve(said)
    play.wait(60)
    return play.fire(
        said.name, **{k: v for k, v in said.labels.items() if k not in ("alertname", "severity")}
    )


def test_split_alerts_are_an_incident_of_their_own_and_stay_apart() -> None:
    """They come back to it, and a cause that explains both incidents does not unite them.

    The old incident keeps its name, its clocks and who has it.
    """
    play = shop()
    one = play.fire("ServiceSlow", service="web1")
    other = play.fire("ServiceSlow", service="web2")
    play.feed(IncidentAcknowledged(incident="INC-1", by="ann"))
    before = play.incident()
    told = move(play, other)
    assert (told.created, where(play, one, other)) == ("INC-2", ["INC-1", "INC-2"])
    kept = (before.opened_at, before.acknowledged_by, before.response_due)
    now = play.incident()
    assert (now.opened_at, now.acknowledged_by, now.response_due) == kept
    assert "1 alerts of INC-1: ann split them off: another rack" in play.said("INC-2", "split")
    assert play.said("INC-1", "split") == [
        "1 alerts go on in INC-2: ann split them off: another rack"
    ]
    one, other = again(play, one), again(play, other)
    assert where(play, one, other) == ["INC-1", "INC-2"]
    play.fire("ServiceDown", service="db")
    assert [play.incident(n).state for n in (1, 2)] == [IncidentState.OPEN] * 2


def test_what_is_held_apart_is_remembered_only_while_both_live() -> None:
    """A correction is of these incidents, not of all to come."""
    play = shop()
    one = play.fire("ServiceSlow", service="web1")
    other = play.fire("ServiceSlow", service="web2")
    move(play, other)
    assert play.state.members["INC-1"].corrected
    play.resolve(other)
    play.wait(QUIET_S)
    assert play.incident(2).state is IncidentState.CLOSED
    assert play.state.placed == {}
    assert play.state.members["INC-1"].corrected.apart == {}
    play.resolve(one)
    play.wait(QUIET_S)
    assert play.state.members == {}


def test_a_split_has_to_leave_something() -> None:
    """All, nothing, what is elsewhere and what nobody knows are refused without a trace."""
    play = apart()
    one = play.fire("Slow", service="one")
    other = play.fire("Slow", service="two")
    for names, text in (
        ((one.fingerprint,), "INC-1 is not split: nothing that fires would be left of it"),
        ((other.fingerprint,), f"{other.fingerprint} is no alert of INC-1: it is in INC-2"),
        (("nosuch",), "nosuch is no alert of INC-1: nobody knows it"),
    ):
        told = play.feed(AlertsMoved(incident="INC-1", alerts=names, into=None, by="ann"))
        assert told.refusal is not None
        assert (told.refusal.text, told.records) == (text, ())
    assert move(play, one, into=1).refusal is not None
    assert move(play, one, into=9).refusal is not None


def test_a_moved_alert_goes_on_where_it_belongs_and_comes_back_there() -> None:
    """Both stories tell it; what is left without a firing alert is resolved, and says why."""
    play = apart()
    one = play.fire("Slow", service="one")
    other = play.fire("Slow", service="two")
    move(play, one, into=2)
    assert where(play, one, other) == ["INC-2", "INC-2"]
    assert play.said("INC-1", "moved") == ["Slow belongs to INC-2: another rack"] * 2
    assert play.said("INC-2", "moved") == ["Slow of INC-1 belongs here: another rack"]
    assert (play.incident().state, play.incident().resolution) == (IncidentState.RESOLVED, "moved")
    assert play.incident(2).entities == (ref("two"), ref("one"))
    one = again(play, one)
    assert where(play, one) == ["INC-2"]
    assert play.state.alerts[one.fingerprint].joined_by == "placed_by_person"


def test_what_is_over_may_be_moved_and_counts_when_it_fires_again() -> None:
    """Nobody has to wait for the next time to say where it belongs."""
    play = apart()
    one = play.fire("Slow", service="one")
    play.fire("Down", service="one")
    play.fire("Slow", service="two")
    play.resolve(one)
    move(play, one, into=2)
    play.wait(60)
    assert where(play, play.fire("Slow", service="one")) == ["INC-2"]


def test_an_alert_that_fires_opens_the_incident_it_is_moved_to() -> None:
    """That one was resolved; it is no longer."""
    play = apart()
    one = play.fire("Slow", service="one")
    other = play.fire("Slow", service="two")
    play.resolve(other)
    move(play, one, into=2)
    assert (play.incident(2).state, play.incident(2).reopened) == (IncidentState.OPEN, 1)


def test_an_unrelated_alert_leaves_and_stays_away() -> None:
    """It opens an incident of its own, and comes back to that one."""
    play = shop()
    one = play.fire("ServiceSlow", service="db")
    other = play.fire("CertificateOld", service="db")
    unrelated(play, other)
    assert where(play, one, other) == ["INC-1", "INC-2"]
    assert play.said("INC-1", "unrelated") == [
        "CertificateOld has nothing to do with this; goes on in INC-2"
    ]
    other = again(play, other)
    assert where(play, one, other) == ["INC-1", "INC-2"]


def test_an_unrelated_place_leaves_with_all_it_said_and_explains_nothing() -> None:
    """It is no candidate for the cause any more, and nothing of it joins."""
    play = shop()
    play.fire("ServiceSlow", service="web1")
    play.fire("ServiceSlow", service="web2")
    over = play.fire("DiskFull", service="web2")
    play.resolve(over)
    unrelated(play, places=("web2",))
    members = play.state.members["INC-1"]
    assert list(members.entities) == [ref("web1")]
    assert [sign.entity for sign in members.signs.values()] == [ref("web1")]
    assert ref("web2") not in [cause.entity for cause in play.incident().causes]
    assert list(members.corrected.unrelated) == [ref("web2")]
    late = play.fire("QueueLong", service="web2")
    assert where(play, late) == ["INC-2"]
    assert play.incident(2).state is IncidentState.OPEN


def test_a_place_that_never_alerted_there_is_refused() -> None:
    """And so is saying nothing."""
    play = apart()
    play.fire("Slow", service="one")
    assert unrelated(play, places=("two",)).refusal is not None
    assert unrelated(play).refusal is not None


def test_what_a_person_merged_stays_together() -> None:
    """Alerts of either come back to the one that goes on; a split before that is forgiven."""
    play = apart()
    one = play.fire("Slow", service="one")
    other = play.fire("Slow", service="two")
    play.feed(IncidentsMerged(incident="INC-1", into="INC-2", by="ann"))
    assert where(play, again(play, one), again(play, other)) == ["INC-2", "INC-2"]
    assert list(play.state.members["INC-2"].corrected.kept) == [
        said.fingerprint for said in (other, one)
    ]


def test_corrections_follow_into_the_incident_that_goes_on() -> None:
    """Split from the first, then that is merged away: the second still stays apart."""
    play = apart()
    one = play.fire("Slow", service="one")
    gone = play.fire("Late", service="one")
    play.fire("Slow", service="two")
    move(play, gone)
    play.feed(IncidentsMerged(incident="INC-1", into="INC-2", by="ann"))
    corrected = play.state.members["INC-2"].corrected
    assert list(corrected.apart) == ["INC-3"]
    assert list(play.state.members["INC-3"].corrected.apart) == ["INC-2"]
    assert list(corrected.sent_away) == [gone.fingerprint]
    assert where(play, one) == ["INC-2"]


def test_corrections_are_bounded() -> None:
    """Of too many, the oldest is forgotten."""
    play = apart()
    alerts = [play.fire("Slow", service="one", shard=str(n)) for n in range(CORRECTED_MAX + 2)]
    play.fire("Slow", service="two")
    play.fire("Down", service="one")
    move(play, *alerts, into=2)
    assert len(play.state.members["INC-2"].corrected.kept) == CORRECTED_MAX
    assert len(play.state.members["INC-1"].corrected.sent_away) == CORRECTED_MAX
    assert list(play.state.placed) == list(play.state.members["INC-2"].corrected.kept)


def test_a_confirmed_cause_and_a_resolution_outlast_a_correction() -> None:
    """What people know of an incident is not lost because an alert leaves it."""
    play = shop()
    play.fire("ServiceSlow", service="web1")
    other = play.fire("ServiceSlow", service="web2")
    play.feed(CauseConfirmed(incident="INC-1", entity=ref("db"), by="ann"))
    unrelated(play, other)
    assert (play.incident().cause, play.incident().cause_confirmed_by) == (ref("db"), "ann")
    play.feed(IncidentResolved(incident="INC-2", by="ann"))
    assert play.incident(2).state is IncidentState.RESOLVED


def test_both_tickets_say_what_was_corrected() -> None:
    """Whoever reads one of them finds the other."""
    play = desk()
    play.reload(service_map=APART)
    one = play.fire("Slow", service="one")
    written(play)
    play.fire("Late", service="one")
    play.fire("Slow", service="two")
    written(play)
    move(play, one, into=2)
    writes = sorted((written(play), written(play)), key=lambda write: write.incident)
    assert [[comment.text for comment in write.ticket.comments] for write in writes] == [
        ["ann: Slow belongs to INC-2: another rack"],
        ["ann: Slow of INC-1 belongs here: another rack"],
    ]
    play.feed(IncidentsMerged(incident="INC-1", into="INC-2", by="ann"))
    by_incident = {write.incident: write.ticket for write in (written(play), written(play))}
    texts = [by_incident[name].comments[0].text for name in ("INC-1", "INC-2")]
    assert texts == [
        "ann: goes on in INC-2 (desk #2)",
        "ann: INC-1 (one: Slow on nowhere) goes on here",
    ]


def test_what_is_learnt_knows_what_people_said() -> None:
    """The lesson of a corrected incident says so, and holds nothing of what was unrelated."""
    play = shop()
    first = play.fire("ServiceSlow", service="web1")
    other = play.fire("ServiceSlow", service="web2")
    unrelated(play, places=("web2",))
    play.resolve(first)
    play.resolve(other)
    play.wait(QUIET_S)
    lessons = {lesson.incident: lesson for lesson in play.state.lessons}
    assert lessons["INC-1"].is_corrected
    assert ref("web2") not in lessons["INC-1"].evidence


def test_that_two_met_is_unlearnt_when_they_had_nothing_to_do_with_each_other() -> None:
    """Both sides forget that one time, and no other."""
    play = apart()
    for one, other in (("a", "b"), ("b", "a")):
        play.state.onsets[one] = Onset(
            onset_at=play.now, last_at=play.now, count=4, together={other: 2}
        )
    part(play.state, "a", "b")
    assert [play.state.onsets[name].together for name in "ab"] == [{"b": 1}, {"a": 1}]
    part(play.state, "b", "a")
    part(play.state, "b", "a")
    assert [play.state.onsets[name].together for name in "ab"] == [{}, {}]
