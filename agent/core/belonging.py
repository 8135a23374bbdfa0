"""What is remembered of who belongs together: by people, by waves of alerts, by what was learnt.

Plain data, part of `state.Memory`.
"""

from dataclasses import dataclass, field
from datetime import datetime

from agent.model.service import EntityRef


@dataclass(slots=True, kw_only=True)
class Corrected:
    """What people said of who belongs to an incident; dropped with its members when it closes."""

    kept: dict[str, None] = field(default_factory=dict)
    """Fingerprints that a person put here: they stay, and come back here."""
    sent_away: dict[str, None] = field(default_factory=dict)
    """Fingerprints that a person took out: they do not come back."""
    unrelated: dict[EntityRef, None] = field(default_factory=dict)
    """Places of which nothing may join."""
    apart: dict[str, None] = field(default_factory=dict)
    """Live incidents with which this is not merged."""

    def __bool__(self) -> bool:
        """Whether anybody corrected anything."""
        return bool(self.kept or self.sent_away or self.unrelated or self.apart)


@dataclass(slots=True, kw_only=True)
class Onset:
    """How often a neighbourhood or a loose place began to alert after quiet, and with whom."""

    count: int = 0
    onset_at: datetime
    last_at: datetime
    together: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Wave:
    """What speaks for a new fault inside an open incident: see `correlation.waves`."""

    evidence: float = 0.0
    since: datetime | None = None
    """When the evidence was last nothing."""
    arrivals: list[tuple[datetime, str]] = field(default_factory=list)
    """The latest alerts by fingerprint; bounded."""
    room: int = 256
    """With so many arrivals the older ones are forgotten."""
    refired_at: list[datetime] = field(default_factory=list)
    refired: dict[str, int] = field(default_factory=dict)
    """How often which series fired again."""


@dataclass(slots=True, kw_only=True)
class Sign:
    """What an incident remembers of alerts that say the same of the same place."""

    entity: EntityRef | None
    kind: str
    """The alert's name with every number in it written alike."""
    name: str
    peer: EntityRef | None
    """The other end of a call, where the alert is about one."""
    first_at: datetime
    firings: int = 0
    """How often an alert of it began to fire."""
