"""What the tickets say: one at a time, once, in the end always what is true here."""

from dataclasses import replace
from datetime import timedelta

from agent.core.life import UNSETTLED_KEPT
from agent.core.state import CLOSED_KEPT
from agent.core.sync import COMMENTS_WAITING_MAX, RETRY_FIRST, RETRY_MAX
from agent.model.effect import WriteTicket
from agent.model.entry import (
    AgentStarted,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCommented,
    IncidentsMerged,
    TicketChanged,
    TicketRefused,
    TicketWritten,
)
from agent.model.incident import IncidentState, TicketLink
from agent.model.rule import Ticketing
from agent.model.ticket import RemoteComment, RemoteTicket, TicketState
from tests.core.play import CONFIG, START, Play, ref

DESK = Ticketing(name="all", connector="desk")


def desk(**changes: object) -> Play:
    """A play with a ticketing tool, on an installation of its own."""
    play = Play(config=replace(CONFIG, remediation_rules=(), ticketing=(replace(DESK, **changes),)))  # type: ignore[arg-type]
    play.feed(AgentStarted(version="1", last_alive=None))
    return play


def written(play: Play) -> WriteTicket:
    """The tool takes the write that is under way."""
    write = play.take(WriteTicket)
    number = write.incident.removeprefix("INC-")
    play.feed(
        TicketWritten(
            effect=write.id,
            incident=write.incident,
            connector=write.connector,
            ref=f"#{number}",
            url=f"http://desk/{number}",
        )
    )
    return write


def refused(play: Play, *, final: bool = False) -> WriteTicket:
    """The tool does not take it."""
    write = play.take(WriteTicket)
    play.feed(
        TicketRefused(
            effect=write.id,
            incident=write.incident,
            connector=write.connector,
            problem="503",
            is_final=final,
        )
    )
    return write


def remote(play: Play, **changes: object) -> RemoteTicket:
    """What the tool says of the first ticket."""
    ticket = RemoteTicket(
        key=f"INC-1@{play.state.installation}",
        ref="#1",
        state=TicketState.OPEN,
        changed_by="dora",
        changed_at=play.now,
    )
    return replace(ticket, **changes)  # type: ignore[arg-type]


def change(play: Play, **changes: object) -> None:
    """Somebody works on the first ticket."""
    play.feed(TicketChanged(connector="desk", ticket=remote(play, **changes)))


def comment(play: Play, text: str) -> None:
    """A person says something here."""
    play.feed(IncidentCommented(incident="INC-1", text=text, by="ann"))


def test_an_incident_gets_one_ticket_and_the_story_links_it() -> None:
    """With all that the desk needs to know."""
    play = desk()
    play.fire("ServiceDown", service="db")
    write = written(play)
    assert (write.known_ref, write.ticket.state) == (None, TicketState.OPEN)
    assert write.ticket.key == f"INC-1@{play.state.installation}"
    assert write.ticket.body.splitlines() == [
        "ServiceDown on nowhere",
        "",
        "Affected: db, shop, web1, web2",
        "Probable cause: db (alerts itself)",
        "  against it: 2 of 2 watched dependants are well: web1, web2",
        "Priority: P1 (impact high, urgency high)",
        "Since: 2026-03-02 10:00:00 UTC",
        "Owner: group:default/dba",
    ]
    link = TicketLink(connector="desk", ref="#1", url="http://desk/1")
    assert play.incident().tickets == (link,)
    assert play.said("INC-1", "ticket_opened") == ["desk #1: http://desk/1"]
    assert play.asked(WriteTicket) == 0


def test_one_write_is_under_way_at_a_time() -> None:
    """What changes meanwhile is told with the next one, to the ticket that is known by then."""
    play = desk()
    play.fire("ServiceDown", service="db")
    play.feed(IncidentAcknowledged(incident="INC-1", by="ann"))
    play.feed(IncidentAssigned(incident="INC-1", assignee="bob", by="ann"))
    assert play.asked(WriteTicket) == 1
    written(play)
    second = written(play)
    assert (second.known_ref, second.ticket.assignee) == ("#1", "bob")
    assert second.ticket.state is TicketState.IN_PROGRESS
    assert play.asked(WriteTicket) == 0
    assert len(play.incident().tickets) == 1


def test_what_changes_nothing_at_the_desk_is_not_written() -> None:
    """More of the same alerts are no reason to touch a ticket."""
    play = desk()
    play.fire("ServiceDown", service="db")
    written(play)
    play.fire("ServiceDown", service="db", pod="2")
    assert play.asked(WriteTicket) == 0


def test_a_comment_is_written_once() -> None:
    """Those that come while it is written go with the next write."""
    play = desk()
    play.fire("ServiceDown", service="db")
    written(play)
    comment(play, "one")
    comment(play, "two")
    first = written(play)
    second = written(play)
    assert [c.text for c in first.ticket.comments] == ["ann: one"]
    assert [c.text for c in second.ticket.comments] == ["ann: two"]
    assert first.ticket.comments[0].key != second.ticket.comments[0].key
    assert play.asked(WriteTicket) == 0


def test_comments_that_wait_are_bounded() -> None:
    """A desk that is down for days does not fill the memory."""
    play = desk()
    play.fire("ServiceDown", service="db")
    for number in range(COMMENTS_WAITING_MAX + 5):
        comment(play, str(number))
    known = play.state.tickets["INC-1"]["desk"]
    assert len(known.comments) == COMMENTS_WAITING_MAX


def test_what_is_refused_is_tried_again_with_growing_pauses() -> None:
    """The story says once that the desk does not answer; success ends it."""
    play = desk()
    play.fire("ServiceDown", service="db")
    refused(play)
    play.fire("QueueLong", service="db")
    assert play.asked(WriteTicket) == 0
    play.wait(RETRY_FIRST.total_seconds())
    refused(play)
    play.wait(2 * RETRY_FIRST.total_seconds() - 1)
    assert play.asked(WriteTicket) == 0
    play.wait(1)
    assert len(play.said("INC-1", "ticket_refused")) == 1
    written(play)
    assert play.state.tickets["INC-1"]["desk"].failures == 0


def test_the_pause_grows_no_longer_than_its_limit() -> None:
    """After hours of outage the tickets come within minutes."""
    play = desk()
    play.fire("ServiceDown", service="db")
    for _ in range(20):
        refused(play)
        play.wait(RETRY_MAX.total_seconds())
    assert play.asked(WriteTicket) == 1
    written(play)
    assert play.state.tickets["INC-1"]["desk"].ref == "#1"


def test_an_answer_that_was_lost_does_not_hide_what_changed_back() -> None:
    """The tool may have taken the refused write: what is true is written again."""
    play = desk()
    play.fire("ServiceDown", service="db")
    written(play)
    play.feed(IncidentAssigned(incident="INC-1", assignee="bob", by="ann"))
    refused(play)
    play.feed(IncidentAssigned(incident="INC-1", assignee=None, by="ann"))
    play.wait(RETRY_FIRST.total_seconds())
    assert written(play).ticket.assignee is None


def test_a_final_refusal_is_not_repeated_until_there_is_news() -> None:
    """Trying again cannot help; a changed ticket may."""
    play = desk()
    play.fire("ServiceDown", service="db")
    refused(play, final=True)
    play.fire("ServiceDown", service="db", pod="2")
    play.wait(3600)
    while play.asked(WriteTicket):
        raise AssertionError(play.take(WriteTicket))
    play.feed(IncidentAssigned(incident="INC-1", assignee="bob", by="ann"))
    assert written(play).ticket.assignee == "bob"


def test_a_comment_that_is_refused_for_good_is_not_pushed_again_and_again() -> None:
    """It goes with the next news, not with every alert."""
    play = desk()
    play.fire("ServiceDown", service="db")
    written(play)
    comment(play, "one")
    refused(play, final=True)
    play.fire("ServiceDown", service="db", pod="2")
    assert play.asked(WriteTicket) == 0
    play.feed(IncidentAssigned(incident="INC-1", assignee="bob", by="ann"))
    assert [c.text for c in written(play).ticket.comments] == ["ann: one"]


def test_what_is_over_here_is_resolved_there_and_closing_changes_nothing_more() -> None:
    """A closed incident is a resolved ticket."""
    play = desk()
    said = play.fire("ServiceDown", service="db")
    written(play)
    play.resolve(said)
    assert written(play).ticket.state is TicketState.RESOLVED
    play.wait(CLOSED_KEPT.total_seconds() / 2)
    assert play.incident().state is IncidentState.CLOSED
    assert play.asked(WriteTicket) == 0


def test_a_merged_incident_resolves_its_ticket_and_gets_none_if_it_had_none() -> None:
    """The desk works on the one that goes on."""
    play = desk()
    play.fire("ServiceDown", service="db")
    play.fire("Odd", host="x1")
    for _ in range(2):
        written(play)
    play.feed(IncidentsMerged(incident="INC-2", into="INC-1", by="ann"))
    write = written(play)
    assert (write.incident, write.ticket.state) == ("INC-2", TicketState.RESOLVED)
    (link,) = play.incident(1).tickets
    assert f"Goes on in INC-1 ({link.connector} {link.ref})" in write.ticket.body

    late = Play(config=replace(CONFIG, remediation_rules=()))
    late.fire("ServiceDown", service="db")
    late.fire("Odd", host="x1")
    late.feed(IncidentsMerged(incident="INC-2", into="INC-1", by="ann"))
    late.reload(ticketing=(DESK,))
    late.feed(IncidentCommented(incident="INC-2", text="hm", by="ann"))
    assert late.asked(WriteTicket) == 0


def test_who_gets_a_ticket_is_what_the_rule_says() -> None:
    """Small ones do not; one that grows does; where it cannot be told, a ticket too many."""
    play = desk(when="incident.priority <= 2")
    play.fire("ServiceSlow", service="db", severity="info")
    assert play.asked(WriteTicket) == 0
    play.fire("ServiceDown", service="db")
    assert play.asked(WriteTicket) == 1

    unsure = desk(when="service.tier <= 2")
    unsure.fire("ServiceDown", service="db")
    assert unsure.asked(WriteTicket) == 1


def test_closing_the_ticket_resolves_the_incident() -> None:
    """The story says who did, and where."""
    play = desk()
    play.fire("ServiceDown", service="db")
    written(play)
    change(play, state=TicketState.RESOLVED)
    assert play.incident().resolution == "resolved_by_ticket"
    assert play.said("INC-1", "resolved_by_ticket") == ["dora closed desk #1"]


def test_a_tool_that_keeps_whole_seconds_is_believed() -> None:
    """Closed within the second in which the incident opened, as such a tool dates it."""
    play = desk()
    play.now = START.replace(microsecond=700_000)
    play.fire("ServiceDown", service="db")
    written(play)
    change(play, state=TicketState.RESOLVED, changed_at=START)
    assert play.incident().resolution == "resolved_by_ticket"


def test_a_state_from_before_the_incident_resolves_nothing() -> None:
    """An old record under the same key is not about this."""
    play = desk()
    play.wait(60)
    play.fire("ServiceDown", service="db")
    written(play)
    change(play, state=TicketState.RESOLVED, changed_at=START)
    assert play.incident().state is IncidentState.OPEN


def test_remote_comments_are_taken_over_once_and_not_sent_back() -> None:
    """Said by their author; the tool tells them again with every poll."""
    play = desk()
    play.fire("ServiceDown", service="db")
    written(play)
    said = RemoteComment(id="7", author="dora", text="on it", at=play.now)
    change(play, comments=(said,))
    change(play, comments=(said,))
    assert play.said("INC-1", "commented") == ["on it"]
    assert play.asked(WriteTicket) == 0


def test_tickets_of_others_change_nothing_here() -> None:
    """Another installation's, an unknown incident's, or one at a tool that was never told."""
    play = desk()
    play.fire("ServiceDown", service="db")
    written(play)
    closed = remote(play, state=TicketState.RESOLVED)
    for connector, key in (
        ("desk", "INC-1@another"),
        ("desk", "INC-1"),
        ("desk", f"INC-9@{play.state.installation}"),
        ("other", closed.key),
    ):
        play.feed(TicketChanged(connector=connector, ticket=replace(closed, key=key)))
    assert play.incident().state is IncidentState.OPEN


def test_late_answers_about_what_is_forgotten_are_passed_over() -> None:
    """A write that hangs for more than a week finds nothing to write into."""
    play = desk()
    said = play.fire("ServiceDown", service="db")
    first = play.take(WriteTicket)
    play.resolve(said)
    play.wait(600 + CLOSED_KEPT.total_seconds())
    assert list(play.state.incidents) == ["INC-1"]
    play.wait(UNSETTLED_KEPT.total_seconds())
    assert play.state.incidents == {}
    answer = {"effect": first.id, "incident": "INC-1", "connector": "desk"}
    told = [
        play.feed(TicketWritten(**answer, ref="#1", url="u")),
        play.feed(TicketRefused(**answer, problem="503", is_final=True)),
    ]
    assert [t.records for t in told] == [(), ()]
    assert list(play.state.outbox.all()) == []


def test_a_tool_that_was_away_hears_how_it_ended() -> None:
    """An incident is kept, longer than others, until its ticket says what became of it."""
    play = desk()
    said = play.fire("ServiceDown", service="db")
    refused(play)
    play.resolve(said)
    play.wait(300 + 2 * CLOSED_KEPT.total_seconds())
    assert list(play.state.incidents) == ["INC-1"]
    assert play.take(WriteTicket).ticket.state is TicketState.RESOLVED


def test_what_was_done_is_told_at_the_desk() -> None:
    """Changes with their end, and the problem it belongs to."""
    play = Play(config=replace(CONFIG, ticketing=(DESK,)))
    said = play.fire("ServiceDown", service="web1", host="app1")
    play.play()
    play.resolve(said)
    play.wait(timedelta(seconds=20).total_seconds())
    while play.asked(WriteTicket):
        last = written(play)
    assert "Change CHG-1: Restart a service (web1): success" in last.ticket.body.splitlines()
    assert last.ticket.state is TicketState.RESOLVED
    assert play.incident().cause == ref("web1")


def test_a_problem_is_told_at_the_desk() -> None:
    """Whoever has the ticket sees that it is not the first."""
    play = desk()
    for _ in range(3):
        play.resolve(play.fire("ServiceDown", service="db"))
        while play.asked(WriteTicket):
            last = written(play)
        play.wait(3600)
    while play.asked(WriteTicket):
        last = written(play)
    assert last.ticket.body.splitlines()[-1] == "Problem: PRB-1"
