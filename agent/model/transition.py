"""What one entry led to: what to do in the world, what to write into the history."""

from dataclasses import dataclass

from agent.model.alert import AlertRecord
from agent.model.change import Change, Run
from agent.model.effect import Effect
from agent.model.incident import Incident, IncidentEntity, StateInterval, TimelineItem
from agent.model.problem import Problem
from agent.model.reason import Reason
from agent.model.reported import ReportedChange

Record = (
    AlertRecord
    | Incident
    | IncidentEntity
    | Change
    | Run
    | Problem
    | ReportedChange
    | StateInterval
    | TimelineItem
)
"""A row of the history: written whole each time it changed; timeline items are only added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why what a person or tool asked for was not done; nothing was changed."""

    reason: Reason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The whole consequence of one entry, beside the new state."""

    effects: tuple[Effect, ...] = ()
    records: tuple[Record, ...] = ()
    refusal: Refusal | None = None
    created: str | None = None
    """Id of the incident or change that a person's request made, where it made one."""
