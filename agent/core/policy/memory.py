"""What the gate remembers beside the changes themselves: plain data, bounded, part of `Memory`."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from agent.model.service import EntityRef

RESULTS_KEPT_MAX = 100
"""Of one remediation on one kind of target the latest results, by which history is judged."""
RESULT_KINDS_MAX = 2_000
"""So many pairs of remediation and kind of target; those without a new result longest go first."""
PIECES_MAX = 500
"""An entity's time down is kept in so many pieces; the two nearest become one where there are
more, with the time between them: that never makes a budget look better than it is."""
BUDGETS_MAX = 5_000
"""Of so many entities with an objective the time down is kept; of others it is unknown."""
TEMPLATES_MAX = 1_000
USES_MAX = 1_000
FLEET_STARTS_MAX = 1_000
"""Of one remediation so many latest starts are kept where it limits itself over the fleet."""

Piece = tuple[datetime, datetime]
"""From, until."""


@dataclass(slots=True, kw_only=True)
class Watched:
    """How an entity with an objective kept it, as far as somebody watched."""

    since: datetime
    """Before it nobody can tell."""
    down: list[Piece] = field(default_factory=list)
    """When it was down without an excuse, in order; what still lasts is not among it."""


@dataclass(slots=True, kw_only=True)
class TemplateUse:
    """What was done under a template, and whether it is withdrawn."""

    started: list[datetime] = field(default_factory=list)
    results: list[bool] = field(default_factory=list)
    """Whether the latest runs helped, newest last."""
    withdrawn_at: datetime | None = None
    withdrawn_for: str = ""


@dataclass(slots=True, kw_only=True)
class FleetStart:
    """A remediation began on a target."""

    at: datetime
    entity: EntityRef


@dataclass(slots=True, kw_only=True)
class Gate:
    """All of it."""

    results: dict[str, list[bool]] = field(default_factory=dict)
    """By remediation and kind of target: whether the latest changes helped, newest last."""
    budgets: dict[EntityRef, Watched] = field(default_factory=dict)
    blind: list[Piece] = field(default_factory=list)
    """When the agent did not watch."""
    templates: dict[str, TemplateUse] = field(default_factory=dict)
    fleet: dict[str, list[FleetStart]] = field(default_factory=dict)
    """By remediation, oldest first."""


def add_piece(pieces: list[Piece], start: datetime, end: datetime, limit: int = PIECES_MAX) -> None:
    """Put one more piece of time behind the others; of more than `limit` the nearest are joined."""
    if end <= start:
        return
    if pieces and start <= pieces[-1][1]:
        pieces[-1] = (min(start, pieces[-1][0]), max(end, pieces[-1][1]))
        return
    pieces.append((start, end))
    if len(pieces) > limit:
        gaps = [later[0] - earlier[1] for earlier, later in pairwise(pieces)]
        place = gaps.index(min(gaps))
        pieces[place : place + 2] = [(pieces[place][0], pieces[place + 1][1])]
