"""Error budgets: what is left of the downtime that a promised availability allows.

An objective of 99.9 % over 28 days allows 40 minutes. Down counts that no calendar excuses; what
nobody watched is unknown, and so is a budget of which less than a quarter was watched, unless it
is spent already. (Beyer et al., "Implementing SLOs", The Site Reliability Workbook.)
Not here: reports of availability (`reporting`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.core.policy.answers import refused
from agent.core.policy.memory import BUDGETS_MAX, Piece, Watched, add_piece
from agent.core.state import HealthNow, State
from agent.model.change import Change, ChangeType
from agent.model.policy import Decision
from agent.model.reason import Reason
from agent.model.service import Entity, EntityRef, Health

WINDOW = timedelta(days=28)
"""Over which time a budget is reckoned where the map says nothing else: four equal weeks."""
WATCHED_SHARE_MIN = 0.25
"""Of a window at least this much must have been watched, or nobody can tell what is left."""
PROMISES_MAX = 200
"""Of what rests on a target so many nearest promises are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is left of one entity's budget: 1 is all of it, 0 nothing, less is overdrawn."""

    entity: EntityRef
    left: float | None
    """None: unknown."""

    @property
    def is_spent(self) -> bool:
        """Whether it is known that nothing is left."""
        return self.left is not None and self.left <= 0


def budgets_of(state: State, entity: EntityRef, at: datetime) -> tuple[Budget, ...]:
    """Of the entity and all that rests on it, where an availability was promised; nearest first."""
    promised = state.derived.rests.promised(entity)[:PROMISES_MAX]
    return tuple(Budget(entity=ref, left=left_of(state, ref, at)) for ref in promised)


def left_of(state: State, ref: EntityRef, at: datetime) -> float | None:
    """What is left of an entity's budget; None where nothing was promised, or nobody can tell."""
    entity = state.config.service_map.entities.get(ref)
    watched = state.gate.budgets.get(ref)
    if entity is None or entity.objective is None or watched is None:
        return None
    window = entity.objective_window or WINDOW
    start = at - window
    down = _overlap(watched.down, start, at) + _still_down(state, ref, start, at)
    left = _left(entity, down, window)
    seen_from = max(watched.since, start)
    seen = at - seen_from - _overlap(state.gate.blind, seen_from, at)
    return left if left <= 0 or seen >= window * WATCHED_SHARE_MIN else None


def keep(state: State, at: datetime) -> None:
    """A rule set came into force: watch what has an objective now, forget what has none."""
    promised = [
        ref
        for ref, entity in state.config.service_map.entities.items()
        if entity.objective is not None
    ][:BUDGETS_MAX]
    known = state.gate.budgets
    state.gate.budgets = {ref: known.get(ref) or Watched(since=at) for ref in promised}


def note_blind(state: State, start: datetime, end: datetime) -> None:
    """Nobody watched in this time."""
    add_piece(state.gate.blind, start, end)


def note_over(state: State, ref: EntityRef, was: HealthNow, end: datetime) -> None:
    """A time of ill health is over, or its excuse is another one from here on."""
    watched = state.gate.budgets.get(ref)
    if watched is None or was.health is not Health.DOWN or was.excused_by is not None:
        return
    add_piece(watched.down, was.since, end)
    entity = state.config.service_map.entities.get(ref)
    oldest = end - ((entity.objective_window if entity else None) or WINDOW)
    while watched.down and watched.down[0][1] <= oldest:
        del watched.down[0]


def is_left(state: State, change: Change, budgets: tuple[Budget, ...]) -> Decision | None:
    """What has spent its error budget takes only emergency and standard changes."""
    policy = state.config.policy
    if policy is None or not policy.heeds_budget or change.type is not ChangeType.NORMAL:
        return None
    spent = next((budget for budget in budgets if budget.is_spent), None)
    if spent is None:
        return None
    label = state.config.service_map.label(spent.entity)
    return refused(
        Reason.BUDGET_SPENT,
        f"{label} has spent its error budget: until it recovers only emergencies and standard ones",
    )


def _left(entity: Entity, down: timedelta, window: timedelta) -> float:
    assert entity.objective is not None, "asked only where something was promised"
    allowed = window * (1 - entity.objective / 100)
    if allowed <= timedelta():
        return 0.0 if down else 1.0
    return 1 - down / allowed


def _still_down(state: State, ref: EntityRef, start: datetime, at: datetime) -> timedelta:
    now = state.health.get(ref)
    if now is None or now.health is not Health.DOWN or now.excused_by is not None:
        return timedelta()
    return max(timedelta(), at - max(now.since, start))


def _overlap(pieces: list[Piece], start: datetime, end: datetime) -> timedelta:
    return sum(
        (max(timedelta(), min(end, until) - max(start, begin)) for begin, until in pieces),
        timedelta(),
    )
