"""Why an alert is where it is: the answers are those by which it joined, and nothing is changed."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core import explain
from agent.core.correlation.find import Newcomer, find
from agent.core.correlation.join import area_of
from agent.core.explain import Question
from agent.core.state import ActiveAlert
from agent.model.entry import IncidentResolved
from tests.core.play import CONFIG, Play, alert, ref
from tests.core.test_corrections import APART, apart, move, shop, unrelated
from tests.core.test_flapping import flap, loud


def decided(play: Play, name: str, incident: int) -> tuple[str, str]:
    """What keeps an alert out of an incident, and the numbers."""
    active = next(a for a in play.state.alerts.values() if a.alert.name == name)
    found = explain.not_with(play.state, active, play.incident(incident))
    assert found.decided_by is not None
    return found.decided_by.question, found.decided_by.text


def test_far_away_is_said_in_steps() -> None:
    """With the place of the cause, and how far is allowed."""
    play = apart()
    play.fire("Slow", service="one")
    play.fire("Late", service="two")
    assert decided(play, "Late", 1) == (
        "distance",
        "two is not connected within 8 steps to one, its probable cause; 3 are allowed",
    )


def test_too_late_is_said_in_seconds() -> None:
    """With the window that it missed."""
    play = shop()
    over = play.fire("ServiceSlow", service="web1")
    play.fire("QueueLong", service="web1")
    play.resolve(over)
    play.wait(1000)
    play.fire("Late", service="db")
    question, text = decided(play, "Late", 1)
    assert question == "window"
    assert text.startswith("it began 1000 s after the last alert there; the window is")


def test_labels_that_differ_are_shown_side_by_side() -> None:
    """For what the map cannot place."""
    play = Play(config=replace(CONFIG, remediation_rules=()))
    play.fire("Odd", host="x1")
    play.fire("Late", host="x2")
    assert decided(play, "Late", 1) == ("labels", "it says host=x2; INC-1 has host=x1")


def test_what_people_decided_is_the_reason() -> None:
    """Sent away, put elsewhere: before anything that the map says."""
    play = shop()
    play.fire("ServiceSlow", service="db")
    other = play.fire("CertificateOld", service="db")
    unrelated(play, other)
    assert decided(play, "CertificateOld", 1) == (
        "person",
        "a person said that it has nothing to do with it",
    )
    play = shop()
    play.fire("ServiceSlow", service="db")
    other = play.fire("Late", service="db")
    third = play.fire("Odd", service="db")
    move(play, other)
    move(play, third, into=2)
    assert decided(play, "ServiceSlow", 2)[0] == "choice"


def test_muted_and_flapping_are_reasons_too() -> None:
    """What is muted is in no incident; what flaps stays where it is."""
    play = shop()
    play.silence("s", timedelta(hours=1), service="db")
    play.fire("ServiceSlow", service="web1")
    play.fire("Late", service="db")
    assert decided(play, "Late", 1) == ("muted", "muted by silence:s")
    play = loud()
    flap(play, 8)
    play.fire("ServiceSlow", service="one")
    play.fire("Slow", service="two")
    assert decided(play, "ServiceSlow", 2) == ("flapping", "it flaps, and INC-1 holds it as one")


def test_an_alert_is_with_its_own_incident() -> None:
    """Nothing decided against it; each question has its answer."""
    play = shop()
    play.fire("ServiceSlow", service="web1")
    said = play.fire("ServiceDown", service="db")
    active = play.state.alerts[said.fingerprint]
    found = explain.not_with(play.state, active, play.incident())
    assert (found.is_together, found.decided_by) == (True, None)
    assert {check.question for check in found.checks} >= {Question.DISTANCE, Question.WINDOW}


def test_an_incident_says_why_each_alert_joined_and_what_a_cause_leaves_open() -> None:
    """By which rule, how far from the cause; and the places that a candidate does not explain."""
    play = shop()
    play.fire("ServiceDown", service="db")
    play.fire("ServiceSlow", service="web1")
    told = explain.joined(play.state, play.incident())
    assert [(one.name, one.distance) for one in told] == [("ServiceDown", 0), ("ServiceSlow", 1)]
    covered = {each.entity: each for each in explain.coverage(play.state, play.incident())}
    assert covered[ref("db")].fails_to_explain == ()
    assert covered[ref("web1")].fails_to_explain == (ref("db"),)


SERVICES = ("shop", "web1", "web2", "db", "one", "two")
TOWN = replace(
    CONFIG,
    remediation_rules=(),
    service_map=type(APART).of({**CONFIG.service_map.entities, **APART.entities}),
)


@given(
    st.lists(
        st.tuples(st.sampled_from(SERVICES), st.sampled_from("ab"), st.integers(0, 400)),
        min_size=2,
        max_size=9,
    ),
    st.integers(0, 4),
)
@settings(max_examples=60, deadline=None)
def test_the_answer_is_what_the_join_would_do(
    said: list[tuple[str, str, int]], resolves: int
) -> None:
    """Where an incident is found by map or labels no check of it says no, and asking changes
    nothing at all; what is at the same place, or near in time, is never said to be far.
    """
    play = Play(config=TOWN)
    for number, (service, name, gap) in enumerate(said):
        if number == resolves and play.state.incidents:
            play.feed(IncidentResolved(incident="INC-1", by="ann"))
        fresh = alert(name, at=play.now, service=service)
        if fresh.fingerprint not in play.state.alerts:
            active = ActiveAlert(
                alert=fresh,
                source="test",
                heard_at=play.now,
                entity=play.state.derived.places.find(fresh.labels),
            )
            new = Newcomer(active, play.now, area_of(play.state, active))
            found = find(play.state, new)
            before = repr(play.state.memory())
            answers = {
                incident.id: explain.not_with(play.state, active, incident)
                for incident in list(play.state.incidents.values())
                if incident.is_live
            }
            assert before == repr(play.state.memory())
            if found is not None and found.reason != "seen_together":
                failing = [c for c in answers[found.incident].checks if not c.holds]
                assert [c.question for c in failing] == ["choice"] or not failing
            for name_of, answer in answers.items():
                if found is None or found.incident != name_of:
                    assert answer.decided_by is not None
                    is_free = answer.decided_by.question == "choice"
                    assert not is_free or found is not None
        play.say(fresh)
        play.wait(gap)
