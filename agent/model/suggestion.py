"""In what the alerts and the service map do not agree: values with their counts, for a person.

Not here: how they are found (`core.drift`).
"""

from dataclasses import dataclass
from datetime import datetime

from agent.model.service import EntityRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Nowhere:
    """Labels by which alerts say where they are, and which lead nowhere on the map."""

    labels: tuple[str, ...]
    """`name=value`, of those that tell a place."""
    alerts: int
    missed: int
    """At most so many of them were another's: what was forgotten to make room for this."""
    names: tuple[str, ...]
    """The first names of alerts with these labels."""
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingEdge:
    """Two entities that alert together, and that nothing near joins on the map."""

    upper: EntityRef
    lower: EntityRef
    """Began first more often; of equals the smaller reference."""
    is_direction_sure: bool
    first: int
    """In how many of the episodes with both the lower one began first."""
    both: int
    upper_alone: int
    lower_alone: int
    episodes: int
    lift: float
    """How many times more often together than two that know nothing of each other."""
    chance: float
    """That this happens without a reason, to this pair."""
    expected: float
    """How many pairs like this one chance alone would have made, of all that were compared."""
    examples: tuple[str, ...]
    """Incidents, the newest first."""

    @property
    def support(self) -> float:
        """The share of episodes that hold both."""
        return self.both / self.episodes


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentEdge:
    """An edge of the map on which no failure was ever seen to go up, although it could be seen."""

    upper: EntityRef
    lower: EntityRef
    failures: int
    """How often the lower end alerted."""
    carries_at_most: float
    """The share of failures that it may carry after all, with 95 %."""
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """Everything in which alerts and map do not agree; the strongest first."""

    missing: tuple[MissingEdge, ...]
    silent: tuple[SilentEdge, ...]
    nowhere: tuple[Nowhere, ...]
    never_heard: tuple[EntityRef, ...]
    """Entities with matchers at which no alert was ever placed; the first of them."""
    never_heard_count: int
    episodes: int
    storms: int
    watching_since: datetime | None
