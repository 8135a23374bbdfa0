"""Acknowledged until clear: told again when it comes anew or gets worse, and not before."""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.model.effect import Notify
from agent.model.entry import IncidentAcknowledged, IncidentsMerged, NotificationSent
from agent.model.incident import IncidentState
from agent.model.rule import Route
from tests.core.play import CONFIG, START, Play

QUIET_S = 300
ALL = Route(name="all", receiver="oncall", repeat_interval=timedelta(minutes=30))


def told() -> Play:
    """A play in which the people on call were told of a slow web server."""
    play = Play(config=replace(CONFIG, remediation_rules=(), routes=(ALL,)))
    play.fire("ServiceSlow", service="web1", severity="warning")
    play.wait(10)
    hear(play)
    return play


def hear(play: Play) -> str:
    """What the people on call are told."""
    notify = play.take(Notify)
    play.feed(NotificationSent(effect=notify.id))
    return notify.title


def rest(play: Play, *, until: datetime | None = None) -> None:
    """Somebody has it, until clear."""
    play.feed(IncidentAcknowledged(incident="INC-1", by="ann", until_clear=True, until=until))


def test_what_stays_as_it_is_is_not_told_again() -> None:
    """No repeat, no clock, no return within the quiet time; the story has it all."""
    play = told()
    rest(play)
    play.wait(8 * 3600 + 60)
    assert play.story("INC-1").count("restoration_overdue") == 1
    said = next(iter(play.state.alerts.values())).alert
    play.resolve(said)
    play.wait(60)
    play.fire("ServiceSlow", service="web1", severity="warning")
    play.wait(3600)
    assert play.incident().reopened == 1
    assert play.asked(Notify) == 0
    assert play.said("INC-1", "acknowledged_until_clear") == [
        "not told again until it is clear, or worse"
    ]


def test_when_it_is_over_that_is_told_and_what_comes_then_is_new() -> None:
    """It re-arms by itself: nobody has to remember to listen again."""
    play = told()
    rest(play)
    play.resolve(next(iter(play.state.alerts.values())).alert)
    play.wait(QUIET_S - 1)
    assert play.asked(Notify) == 0
    play.wait(1)
    assert (play.incident().state, play.incident().until_clear) == (IncidentState.CLOSED, None)
    assert hear(play).startswith("[RESOLVED]")
    play.fire("ServiceSlow", service="web1", severity="warning")
    play.wait(10)
    assert hear(play).startswith("[P")
    assert play.incident(2).until_clear is None


def test_what_is_worse_is_told_at_once_and_why() -> None:
    """Another place, a higher severity: whoever acknowledged did not know that."""
    for service, severity, text in (
        ("web2", "warning", "web2 alerts too"),
        ("web1", "critical", "P2 has become P1, warning has become critical"),
    ):
        play = told()
        rest(play)
        play.wait(60)
        play.fire("Broken", service=service, severity=severity)
        play.wait(240)
        assert play.said("INC-1", "told_again") == [f"worse than when ann acknowledged it: {text}"]
        assert play.incident().until_clear is None
        hear(play)


def test_more_of_the_same_is_not_worse() -> None:
    """Another alert at the same place that is no more severe."""
    play = told()
    rest(play)
    play.fire("QueueLong", service="web1", severity="info")
    play.wait(3600)
    assert play.incident().until_clear is not None
    assert play.asked(Notify) == 0


def test_at_the_agreed_moment_what_is_not_clear_is_told() -> None:
    """Prolonged, the earlier moment means nothing."""
    play = told()
    rest(play, until=START + timedelta(hours=1))
    rest(play, until=START + timedelta(hours=2))
    play.wait(2 * 3600 - 11)
    assert play.asked(Notify) == 0
    play.wait(2)
    assert hear(play).startswith("[P")
    assert play.said("INC-1", "told_again") == [
        "ann acknowledged it until now, and it is not clear"
    ]


def test_a_moment_that_is_over_is_refused_without_a_trace() -> None:
    """Nobody acknowledges until yesterday."""
    play = told()
    answer = play.feed(
        IncidentAcknowledged(incident="INC-1", by="ann", until_clear=True, until=START)
    )
    assert answer.refusal is not None
    assert (answer.records, play.incident().acknowledged_at) == ((), None)


def test_acknowledging_plainly_lets_it_be_told_again() -> None:
    """The way back for whoever changed their mind."""
    play = told()
    rest(play)
    play.feed(IncidentAcknowledged(incident="INC-1", by="bob"))
    assert play.said("INC-1", "told_again") == ["bob wants to hear of it again"]
    play.wait(300)
    hear(play)


def test_what_is_merged_away_keeps_nobody_waiting() -> None:
    """The one that goes on is told; that it took in another place is news."""
    play = told()
    rest(play)
    play.fire("Odd", host="x1")
    play.feed(IncidentsMerged(incident="INC-1", into="INC-2", by="ann"))
    play.wait(10)
    hear(play)
    play.wait(300)
    assert play.incident().until_clear is not None
    assert play.incident(2).state is IncidentState.OPEN
