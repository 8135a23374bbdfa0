"""Remediations that lead to their own alert, or undo each other: found before the next start.

A loop: a verified run is followed soon by an alert for which the same is wanted again, so many
times in a row. A circle: on near targets verified runs A, B, A, and now B is wanted (or A, B, C
twice). Both are seen when a rule wants to act, so that the run that would go on with it does not
start.
"""

from datetime import timedelta

from agent.core.autonomy import cases, promotion
from agent.core.autonomy.memory import STARTS_KEPT_MAX, Attempts, Start
from agent.core.draft import Draft
from agent.core.problems.record import raise_problem
from agent.core.state import ActiveAlert, State
from agent.model.autonomy import CaseOutcome
from agent.model.change import Change
from agent.model.incident import Incident
from agent.model.reason import Reason
from agent.model.service import EntityRef

NEAR_HOPS = 2
"""Targets this near on the map can undo each other's remediations."""
NEAR_MAX = 50
"""So many of them are looked at, the nearest first."""
CIRCLE_MAX = 4
"""Circles of up to so many steps are found."""

Step = tuple[EntityRef, str]
"""A remediation on a target."""


def run_started(state: State, draft: Draft, change: Change) -> None:
    """Remember a start."""
    starts = state.autonomy.targets.setdefault(change.entity, [])
    by_rule = change.requested_by.startswith("rule:")
    starts.append(
        Start(at=draft.at, change=change.id, remediation=change.remediation, by_rule=by_rule)
    )
    del starts[:-STARTS_KEPT_MAX]


def verified(state: State, draft: Draft, change: Change) -> None:
    """Remember that it helped, at first sight."""
    for start in state.autonomy.targets.get(change.entity, ()):
        if start.change == change.id:
            start.verified_at = draft.at


def found(
    state: State, draft: Draft, remediation: str, active: ActiveAlert, incident: Incident
) -> bool:
    """Whether to act now would go on with a loop or a circle; it is stopped and handed over."""
    assert active.entity is not None, "a rule acts somewhere"
    loop = _loop(state, remediation, active)
    if loop:
        times = len(loop)
        text = f"{remediation} was verified {times} times and its alert came back each time"
        _stop(state, draft, ((active.entity, remediation),), loop, text, incident)
        return True
    circle = _circle(state, draft, (active.entity, remediation))
    if circle:
        steps = tuple(dict.fromkeys((entity, start.remediation) for entity, start in circle))
        names = ", ".join(f"{name} on {entity}" for entity, name in steps)
        starts = [start for _, start in circle]
        _stop(state, draft, steps, starts, f"they undo each other in turn: {names}", incident)
        return True
    return False


def _loop(state: State, remediation: str, active: ActiveAlert) -> list[Start]:
    """The verified runs that led back here, where there are too many in a row."""
    limits = state.config.autonomy
    starts = [
        start
        for start in state.autonomy.targets.get(active.entity or "", ())
        if start.remediation == remediation
    ]
    if not starts or starts[-1].verified_at is None:
        return []
    since = active.heard_at - starts[-1].verified_at
    if not timedelta(0) <= since <= limits.loop_within:
        return []
    starts[-1].came_back = True
    last = starts[-limits.loop_times :]
    is_loop = len(last) == limits.loop_times and all(start.came_back for start in last)
    return last if is_loop else []


def _circle(state: State, draft: Draft, wanted: Step) -> list[tuple[EntityRef, Start]]:
    """The verified runs nearby that this one would make the second round of."""
    since = draft.at - state.config.autonomy.cycle_within
    near = [
        (entity, start)
        for entity in _near(state, wanted[0])
        for start in state.autonomy.targets.get(entity, ())
        if start.verified_at is not None and start.at > since
    ]
    near.sort(key=lambda each: (each[1].at, each[1].change))
    steps: list[Step] = [(entity, start.remediation) for entity, start in near]
    for length in range(2, CIRCLE_MAX + 1):
        last = [*steps, wanted][-2 * length :]
        is_round = len(last) == 2 * length and last[:length] == last[length:]
        if is_round and len(set(last)) == length:
            return near[-(2 * length - 1) :]
    return []


def _near(state: State, entity: EntityRef) -> list[EntityRef]:
    """The target, what is near it on the map, and what shares its host or stands in for it."""
    service_map = state.config.service_map
    own = service_map.entities.get(entity)
    if own is None:
        return [entity]
    near = {entity: None}
    near.update(dict.fromkeys(service_map.groups.get(own.redundancy_group or "", ())))
    for walk in (service_map.below, service_map.above):
        near.update(dict.fromkeys(ref for ref, _ in walk(entity, NEAR_HOPS)))
    shared = [
        ref
        for ref in state.autonomy.targets
        if own.host is not None
        and ref in service_map.entities
        and service_map.entities[ref].host == own.host
    ]
    return list(dict.fromkeys([*near, *shared]))[:NEAR_MAX]


def _stop(  # noqa: PLR0917 - what is stopped, by which evidence, where it is told
    state: State,
    draft: Draft,
    steps: tuple[Step, ...],
    starts: list[Start],
    why: str,
    incident: Incident,
) -> None:
    """Open the breaker of every step, hand over, and count it against the rules."""
    changes = ", ".join(start.change for start in starts)
    for entity, remediation in steps:
        attempts = state.attempts.setdefault(f"{entity}|{remediation}", Attempts())
        attempts.breaker_open, attempts.opened_at = True, draft.at
        attempts.why = f"{why} ({changes})"
    problem = raise_problem(
        state,
        draft,
        title=f"Automation goes in circles: {why}",
        signature=f"loop|{'|'.join(sorted(f'{entity} {name}' for entity, name in steps))}",
        incident=incident,
        reason=Reason.LOOP_FOUND,
        incidents=(incident.id,),
    )
    text = f"{why} ({changes}); automation stops here, {problem.id} is for a person"
    draft.note(incident.id, Reason.LOOP_FOUND, text)
    draft.note(incident.id, Reason.HANDED_OVER, f"{problem.id} is for a person")
    draft.set_incident(state, state.incidents[incident.id], problem=problem.id)
    for start in starts:
        cases.harmed(state, draft, start.change)
    rules = dict.fromkeys(
        change.rule
        for start in starts
        if (change := state.changes.get(start.change)) and change.rule
    )
    for rule in rules:
        harm, last = CaseOutcome.HARMFUL, starts[-1].change
        promotion.after_bad(state, draft, rule, harm, last, incident.id)
