"""Who is told what, when, how often, and that nobody is forgotten."""

from dataclasses import replace
from datetime import timedelta

from agent.core.route import INCIDENTS_TOLD_MAX, RETRY_FIRST, RETRY_MAX
from agent.core.state import CLOSED_KEPT, State
from agent.model.effect import Notify, WriteTicket
from agent.model.entry import (
    AgentStarted,
    IncidentAcknowledged,
    NotificationRefused,
    NotificationSent,
    TicketWritten,
)
from agent.model.rule import Correlation, Recurrence, Route, Ticketing
from tests.core.play import CONFIG, Play, minutes

ALL = Route(name="all", receiver="oncall")
HOUR_S = 3600


def calling(*routes: Route, **changes: object) -> Play:
    """A play in which nothing is remediated, and these routes tell."""
    config = replace(
        CONFIG,
        remediation_rules=(),
        routes=routes or (ALL,),
        recurrence=Recurrence(incidents=99),
        **changes,  # type: ignore[arg-type]
    )
    return Play(config=config)


def sent(play: Play) -> Notify:
    """The receiver takes the notification that waits."""
    notify = play.take(Notify)
    play.feed(NotificationSent(effect=notify.id))
    return notify


def refused(play: Play, *, final: bool = False) -> Notify:
    """The receiver does not."""
    notify = play.take(Notify)
    play.feed(NotificationRefused(effect=notify.id, problem="timeout", is_final=final))
    return notify


def test_a_new_incident_is_told_after_the_group_wait() -> None:
    """Not before: what belongs together shall be one message."""
    play = calling()
    play.fire("ServiceDown", service="db", host="app3")
    play.wait(9)
    assert play.asked(Notify) == 0
    play.wait(1)
    told = sent(play)
    assert (told.receiver, told.title, told.resolved) == ("oncall", "[P1] db disturbs shop", False)
    assert told.incidents == ("INC-1",)
    assert told.body.splitlines() == [
        "INC-1 P1 open: db disturbs shop",
        "  affects db, shop, web1, web2",
        "  probable cause db: alerts itself",
    ]
    assert play.said("INC-1", "notified") == ["oncall was told"]


def test_it_is_told_when_it_is_over() -> None:
    """At once, for a group of one incident."""
    play = calling()
    said = play.fire("ServiceDown", service="db")
    play.wait(10)
    sent(play)
    play.wait(30)
    play.resolve(said)
    play.wait(0)
    told = sent(play)
    assert (told.title, told.resolved) == ("[RESOLVED] db disturbs shop", True)
    play.wait(CLOSED_KEPT.total_seconds() + HOUR_S)
    assert play.asked(Notify) == 0
    assert play.state.groups == {}


def test_what_goes_on_is_repeated() -> None:
    """Every repeat interval, until it is over."""
    play = calling()
    play.fire("Odd", host="x1")
    play.wait(10)
    sent(play)
    play.wait(4 * HOUR_S - 1)
    assert play.asked(Notify) <= 1  # its response clock ran out meanwhile
    while play.asked(Notify):
        sent(play)
    play.wait(4 * HOUR_S)
    assert play.asked(Notify) == 1


def test_news_comes_not_more_often_than_the_group_interval() -> None:
    """A cause that changes twice in a minute is one message, five minutes after the last."""
    play = calling()
    play.fire("ServiceSlow", service="shop", severity="warning")
    play.wait(10)
    sent(play)
    play.fire("ServiceSlow", service="web1", severity="critical")
    play.fire("ServiceDown", service="db")
    play.wait(299)
    assert play.asked(Notify) == 0
    play.wait(1)
    assert sent(play).title == "[P1] db disturbs shop"


def test_news_while_a_message_is_on_its_way_comes_with_the_next() -> None:
    """Nothing is said twice at once, nothing is lost."""
    play = calling()
    said = play.fire("ServiceDown", service="db")
    play.wait(10)
    play.resolve(said)
    play.wait(600)
    assert play.asked(Notify) == 1
    assert not sent(play).resolved
    play.wait(300)
    assert sent(play).resolved


def test_more_of_the_same_is_no_news() -> None:
    """An alert that joins wakes nobody again, and neither does an acknowledgement."""
    play = calling()
    play.fire("ServiceDown", service="db")
    play.wait(10)
    sent(play)
    play.fire("ServiceDown", service="db", pod="2")
    play.feed(IncidentAcknowledged(incident="INC-1", by="ann"))
    play.wait(1800)
    assert play.asked(Notify) == 0


def test_a_clock_that_ran_out_is_news() -> None:
    """Nobody took it: the receiver hears of it again."""
    play = calling()
    play.fire("ServiceDown", service="db")
    play.wait(10)
    sent(play)
    play.wait(600)
    assert play.asked(Notify) == 1


def test_what_is_muted_is_told_when_it_is_not_any_more() -> None:
    """A silence that ends while it lasts does not leave it unsaid until the repeat."""
    play = calling()
    play.fire("ServiceDown", service="db")
    play.silence("S1", minutes(20), service="db")
    play.wait(20 * 60)
    assert play.asked(Notify) == 0
    play.wait(301)
    assert play.asked(Notify) == 1


def test_incidents_of_one_group_are_one_message() -> None:
    """By owner: the team is told once of all that is theirs, up to a limit."""
    play = calling(
        replace(ALL, group_by=("owner",)), correlation=Correlation(similar_labels=("host",))
    )
    for number in range(INCIDENTS_TOLD_MAX + 3):
        play.fire("Odd", host=f"x{number}")
    play.wait(10)
    told = sent(play)
    assert told.title == f"[P3] Odd on x0 and {INCIDENTS_TOLD_MAX + 2} more".replace("P3", "P2")
    assert len(told.body.splitlines()) == INCIDENTS_TOLD_MAX
    assert len(told.incidents) == INCIDENTS_TOLD_MAX + 3


def test_groups_may_be_of_priority_and_cause() -> None:
    """Different ones are different messages."""
    play = calling(replace(ALL, group_by=("priority", "cause")))
    play.fire("ServiceDown", service="db")
    play.fire("Odd", host="x1", severity="info")
    play.wait(10)
    assert {play.take(Notify).group for _ in range(2)} == {
        "all|P1|component:default/db",
        "all|P4|",
    }


def test_a_group_of_several_is_resolved_when_all_are() -> None:
    """One that goes on keeps the message open."""
    play = calling(replace(ALL, group_by=("owner",)))
    first, second = play.fire("Odd", host="x1"), play.fire("Odd", host="x2")
    play.wait(10)
    sent(play)
    play.resolve(first)
    play.wait(300)
    assert sent(play).incidents == ("INC-1",)
    play.resolve(second)
    play.wait(300)
    assert sent(play).resolved


def test_a_route_tells_what_it_is_for() -> None:
    """By its condition; where it cannot be told, a message too many."""
    play = calling(
        replace(ALL, name="high", when="incident.priority == 1"),
        replace(ALL, name="unsure", when="service.tier == 1"),
    )
    play.fire("ServiceSlow", service="db", severity="info")
    play.wait(10)
    assert [play.take(Notify).group] == ["unsure|INC-1"]
    assert play.asked(Notify) == 0


def test_a_receiver_that_does_not_answer_is_told_again() -> None:
    """After a pause, with all that it missed; the story says so once."""
    play = calling()
    play.fire("ServiceDown", service="db")
    play.wait(10)
    refused(play)
    play.wait(RETRY_FIRST.total_seconds())
    refused(play)
    play.wait(2 * RETRY_FIRST.total_seconds())
    assert sent(play).incidents == ("INC-1",)
    assert play.said("INC-1", "notification_refused") == ["oncall could not be told: timeout"]


def test_what_is_refused_for_good_waits_for_the_repeat() -> None:
    """It is not hammered; the incident is still open hours later, and told again."""
    play = calling()
    play.fire("Odd", host="x1")
    play.feed(IncidentAcknowledged(incident="INC-1", by="ann"))
    play.wait(10)
    refused(play, final=True)
    play.wait(HOUR_S)
    assert play.asked(Notify) == 0
    play.wait(3 * HOUR_S)
    assert play.asked(Notify) == 1


def test_a_receiver_that_is_away_for_long_is_tried_until_it_is_back() -> None:
    """With growing pauses, never longer than some minutes: it is told soon after it is back."""
    play = calling()
    play.fire("Odd", host="x1")
    play.feed(IncidentAcknowledged(incident="INC-1", by="ann"))
    play.wait(10)
    for _ in range(20):
        refused(play)
        play.wait(RETRY_MAX.total_seconds())
    assert sent(play).incidents == ("INC-1",)


def test_a_message_stays_in_the_outbox_until_it_was_taken() -> None:
    """At least once: after a crash it is sent again, and a second answer changes nothing."""
    play = calling()
    play.fire("ServiceDown", service="db")
    play.wait(10)
    notify = play.take(Notify)
    restored = State.of(play.state.memory(), play.state.config)
    assert list(restored.outbox.all()) == [notify]

    play.feed(NotificationSent(effect=notify.id))
    again = play.feed(NotificationSent(effect=notify.id))
    play.feed(NotificationRefused(effect=notify.id, problem="late", is_final=True))
    assert again.records == ()
    assert play.story("INC-1").count("notified") == 1
    assert list(play.state.outbox.all()) == []


def test_a_route_that_is_gone_tells_nothing_more_and_may_come_back() -> None:
    """Its groups go with it; back again, it hears of what is new."""
    play = calling()
    play.fire("ServiceDown", service="db")
    play.wait(10)
    notify = play.take(Notify)
    play.fire("Odd", host="x1")
    play.reload(routes=())
    play.feed(NotificationSent(effect=notify.id))
    play.wait(60)
    assert play.state.groups == {}
    assert play.asked(Notify) == 0
    play.reload(routes=(ALL,))
    play.fire("Other", host="x9")
    play.wait(10)
    assert sent(play).incidents == ("INC-3",)


def test_answers_to_a_group_that_is_gone_are_passed_over() -> None:
    """Everything of it was over and forgotten before the receiver answered."""
    play = calling()
    said = play.fire("ServiceDown", service="db")
    play.wait(10)
    late = play.take(Notify)
    play.reload(routes=())
    play.state.groups.clear()
    play.resolve(said)
    refused_late = play.feed(NotificationRefused(effect=late.id, problem="late", is_final=True))
    assert refused_late.records == ()


def test_a_resolved_incident_that_was_never_told_opens_no_group() -> None:
    """A route that comes into force afterwards does not begin with the end."""
    play = calling()
    said = play.fire("ServiceDown", service="db")
    play.reload(routes=(replace(ALL, name="new"),))
    play.resolve(said)
    play.wait(60)
    assert play.asked(Notify) == 0


def test_the_ticket_is_named_in_the_message() -> None:
    """Whoever is woken finds where to write."""
    play = calling(ticketing=(Ticketing(name="all", connector="desk"),))
    play.feed(AgentStarted(version="1", last_alive=None))
    play.fire("ServiceDown", service="db")
    write = play.take(WriteTicket)
    play.feed(
        TicketWritten(
            effect=write.id, incident="INC-1", connector="desk", ref="#1", url="http://desk/1"
        )
    )
    play.wait(10)
    assert "  ticket http://desk/1" in sent(play).body.splitlines()


def test_what_reopens_is_told_as_open_again() -> None:
    """Within the quiet time it is the same incident, and news."""
    play = calling()
    said = play.fire("ServiceDown", service="db")
    play.wait(10)
    sent(play)
    play.resolve(said)
    play.wait(0)
    assert sent(play).resolved
    play.wait(60)
    play.fire("ServiceDown", service="db")
    play.wait(timedelta(minutes=5).total_seconds())
    assert not sent(play).resolved
