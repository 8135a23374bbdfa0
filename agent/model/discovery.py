"""What a tool knows of the service map: things and calls between them, in the tool's own words.

Not here: what becomes of it on our map (`config.discovered`). A name is data: it may hold anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.model.labels import Matcher
from agent.model.service import EntityKind


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """Something that a tool names; not yet a reference of ours."""

    kind: EntityKind
    namespace: str
    """Empty where the tool does not say."""
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A thing with what its tool says of it."""

    thing: Thing
    type: str = ""
    title: str = ""
    description: str = ""
    lifecycle: str = ""
    matches: tuple[tuple[Matcher, ...], ...] = ()
    """Labels by which its alerts can be told; alternatives."""
    owner: Thing | None = None
    part_of: Thing | None = None
    runs_on: Thing | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Of ours, where the tool keeps some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """By what a tool knows that one thing rests on another."""

    said_by: str
    """The metric, or the kind of record."""
    per_second: float | None = None
    """Mean over the window that was looked at; None where nothing is counted."""
    unit: str = "requests"
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One thing rests on another."""

    upper: Thing
    lower: Thing
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """All that one tool knows."""

    sightings: tuple[Sighting, ...]
    links: tuple[Link, ...]
    warnings: tuple[str, ...] = ()
    """What was left out, and why."""
