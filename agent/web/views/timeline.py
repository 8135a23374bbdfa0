"""The story of a record, newest first: when, what, who, and the named reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.model.incident import TimelineItem
from agent.web.views.words import Moment, clock_time, person, word

LINES_MAX = 500
"""Lines on a page; the API gives the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """One line of the story."""

    at: Moment
    text: str
    reason: str
    actor: str
    by_person: bool


def story(items: Sequence[TimelineItem], now: datetime) -> tuple[TimelineLine, ...]:
    """The lines of a timeline given oldest first; of a long one the newest part."""
    return tuple(_line(item, now) for item in reversed(items[-LINES_MAX:]))


def _line(item: TimelineItem, now: datetime) -> TimelineLine:
    return TimelineLine(
        at=clock_time(item.at, now),
        text=item.text,
        reason=word(item.reason),
        actor=person(item.actor),
        by_person=item.actor != "watchkeeper",
    )
