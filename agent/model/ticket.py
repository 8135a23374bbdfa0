"""What a ticketing tool shall say about an incident, and what people said there."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.model.incident import Priority


class TicketState(StrEnum):
    """The states every ticketing tool knows under some name; a connector maps them."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    UNKNOWN = "unknown"
    """A state of the tool that its mapping does not name: shown, never acted upon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketComment:
    """One comment of ours, with a key that makes writing it twice harmless."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The whole wish for one ticket: a connector makes the tool agree with it."""

    key: str
    """Our id, searched for before anything is created: one ticket an incident, whatever fails."""
    title: str
    body: str
    priority: Priority
    state: TicketState
    assignee: str | None = None
    comments: tuple[TicketComment, ...] = ()
    """All comments that the tool may still lack, oldest first; bounded."""
    close_heard: datetime | None = None
    """The tool's moment of the last close by somebody that we heard of: a later one is news, and
    not to be written over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRef:
    """Where the ticket is."""

    ref: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteComment:
    """A comment that somebody made at the tool."""

    id: str
    author: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTicket:
    """What the tool says of one of our tickets; words of our own user are left out."""

    key: str
    ref: str
    state: TicketState
    changed_by: str
    changed_at: datetime
    comments: tuple[RemoteComment, ...] = ()
