"""A person closes a ticket: heard once, whatever is under way."""

from agent.model.incident import IncidentState
from agent.model.ticket import TicketState
from tests.core.test_sync import change, desk, written


def test_a_close_that_is_told_again_does_not_overrule_what_came_back() -> None:
    """Polls overlap; a second close is another moment of the tool, and counts."""
    play = desk()
    said = play.fire("ServiceDown", service="db")
    written(play)
    closed = play.now
    change(play, state=TicketState.RESOLVED, changed_at=closed)
    play.resolve(said)
    play.wait(1)
    play.fire("ServiceDown", service="db")
    change(play, state=TicketState.RESOLVED, changed_at=closed)
    assert play.incident().state is IncidentState.OPEN
    change(play, state=TicketState.RESOLVED)
    assert play.incident().state is IncidentState.RESOLVED


def test_the_tool_is_told_which_close_was_heard() -> None:
    """So that it can tell one that falls into our write, which no wish of ours may undo."""
    play = desk()
    play.fire("ServiceDown", service="db")
    assert written(play).ticket.close_heard is None
    change(play, state=TicketState.RESOLVED)
    assert written(play).ticket.close_heard == play.now
