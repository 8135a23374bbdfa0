"""What one incident taught: plain data that a snapshot keeps, bounded, oldest forgotten first.

Everything that ranking knows of the past follows from the lessons (`experience`). Not here: when
a lesson is written (`lessons`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from agent.model.service import EntityRef

LESSONS_MAX = 400
SEEN_MAX = 500
"""A lesson keeps this many of the signs of its incident, first heard first."""
SEEN_IN_ALL_MAX = 60_000
"""All lessons together keep this many."""


class Seen(NamedTuple):
    """A sign that an incident showed, without its times: the same again is the same series."""

    entity: EntityRef
    kind: str
    name: str
    peer: EntityRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What a closed incident leaves behind for the next of its group."""

    incident: str
    group: EntityRef
    """An entity of the group that it belonged to: names the group of today as well."""
    at: datetime
    cause: EntityRef | None
    """What was on top at the end."""
    confirmed_by: str | None
    """Who said that this was the cause: what people say counts for more than what was guessed."""
    signs: int
    """How many it showed, of which `seen` keeps the first."""
    seen: tuple[Seen, ...]
    evidence: dict[EntityRef, dict[str, float]]
    """What its alerts weighed by place and kind, judged by what was known then."""
    callers: dict[EntityRef, float]
    """The share of each caller in the calls that it complained of."""
    beliefs: dict[EntityRef, float]
    """The likeliest causes at the end with their scores."""
    pattern: str | None
    is_corrected: bool = False
    """Whether people took alerts out of it or put some into it: what it holds is their word."""
