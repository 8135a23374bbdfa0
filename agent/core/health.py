"""How well every entity is: from its own alerts and from what it rests on.

A part that is down degrades its whole, unless every part is; a member of a redundancy group that
is down degrades what rests on it while another member lives; anything else that is down takes
down what depends on it.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import reduce

from agent.core.correlation.reach import Step
from agent.core.draft import Draft, Moments
from agent.core.policy import budget
from agent.core.state import HealthNow, State
from agent.model.alert import Severity
from agent.model.calendar import CalendarPurpose
from agent.model.incident import StateInterval
from agent.model.service import EntityRef, Health, ServiceMap

_RANK = {Health.UP: 0, Health.DEGRADED: 1, Health.DOWN: 2}


def follow(state: State, draft: Draft) -> None:
    """Work out anew the health of what alerts began or ended on, and of what rests on it.

    Lower entities first, so that each is judged once and by what is already known below it.
    """
    order = state.derived.order
    moments = dict(draft.entities_touched)
    waiting = [(order.rank.get(ref, -1), ref) for ref in moments]
    heapq.heapify(waiting)
    judged: dict[EntityRef, None] = {}
    while waiting:
        _, ref = heapq.heappop(waiting)
        if ref in judged:
            continue
        unit = order.circles.get(ref, (ref,))
        judged.update(dict.fromkeys(unit))
        when = reduce(Moments.and_also, (moments[member] for member in unit if member in moments))
        for changed in _judge(state, draft, unit, when):
            for dependant in dependants_of(state.config.service_map, changed):
                if dependant not in judged:
                    before = moments.get(dependant)
                    moments[dependant] = before.and_also(when) if before else when
                    heapq.heappush(waiting, (order.rank[dependant], dependant))


def excuse_anew(state: State, draft: Draft) -> None:
    """A window began or ended: cut what lasts, so that only what was announced is excused."""
    for ref, now in list(state.health.items()):
        if _excuse(state, ref, draft.at) != now.excused_by:
            draft.record(_interval(ref, now, end=draft.at))
            budget.note_over(state, ref, now, draft.at)
            _begin(state, draft, ref, now.health, draft.at)


def dependants_of(service_map: ServiceMap, ref: EntityRef) -> Iterator[EntityRef]:
    """Whose health depends on this one's: what rests on it or on another of its group."""
    entity = service_map.entities.get(ref)
    group = (
        service_map.groups[entity.redundancy_group] if entity and entity.redundancy_group else ()
    )
    for member in group or (ref,):
        yield from service_map.dependants.get(member, ())


def _judge(
    state: State, draft: Draft, unit: tuple[EntityRef, ...], when: Moments
) -> list[EntityRef]:
    """Work out the health of an entity, or of a whole circle; answers with what changed.

    In a circle everything counts as up that is not made to suffer from outside of it, or two
    entities that rest on each other would keep each other down for ever.
    """
    if len(unit) == 1:
        settled = {unit[0]: _worst(_own(state, unit[0]), _from_below(state, unit[0], {}))}
    else:
        settled = _settled(state, unit)
    return [ref for ref in unit if _became(state, draft, ref, settled[ref], when)]


def _settled(state: State, unit: tuple[EntityRef, ...]) -> dict[EntityRef, Health]:
    """The health of every member of a circle: worse only as far as something makes it so."""
    assumed = dict.fromkeys(unit, Health.UP)
    waiting = deque(unit)
    while waiting:
        ref = waiting.popleft()
        fresh = _worst(_own(state, ref), _from_below(state, ref, assumed))
        if fresh is not assumed[ref]:
            assumed[ref] = fresh
            dependants = dependants_of(state.config.service_map, ref)
            waiting.extend(each for each in dependants if each in assumed)
    return assumed


def _became(state: State, draft: Draft, ref: EntityRef, health: Health, when: Moments) -> bool:
    before = state.health.get(ref)
    known = before.health if before else Health.UP
    if health is known:
        return False
    is_worse = _RANK[health] > _RANK[known]
    begin = (when.broke or when.suffered) if health is Health.DOWN else when.suffered
    # What ended in one breath with what was worse has lasted longer than that.
    end = (when.mended or when.ended) if known is Health.DOWN else when.ended
    moment = (begin if is_worse else end) or draft.at
    # A sender whose clock is ahead speaks of now.
    start = min(max(moment, before.since) if before else moment, draft.at)
    if before is not None:
        del state.health[ref]
        # Even one of no length: history has it as open, and would count it for ever.
        draft.record(_interval(ref, before, end=start))
        budget.note_over(state, ref, before, start)
    if health is not Health.UP:
        _begin(state, draft, ref, health, start)
    elif before is not None and when.ended is not None and start < when.ended <= draft.at:
        after = replace(before, health=Health.DEGRADED, since=start)
        draft.record(_interval(ref, after, end=when.ended))
    return True


def _begin(state: State, draft: Draft, ref: EntityRef, health: Health, start: datetime) -> None:
    now = HealthNow(
        health=health,
        since=start,
        incident=_incident(state, ref),
        excused_by=_excuse(state, ref, start),
    )
    state.health[ref] = now
    draft.record(_interval(ref, now, end=None))


def _own(state: State, ref: EntityRef) -> Health:
    counts = state.firing_at.get(ref)
    if not counts:
        return Health.UP
    if counts.get(Severity.CRITICAL):
        return Health.DOWN
    harmless = counts.get(Severity.INFO, 0)
    return Health.DEGRADED if sum(counts.values()) > harmless else Health.UP


def _from_below(state: State, ref: EntityRef, assumed: Mapping[EntityRef, Health]) -> Health:
    service_map = state.config.service_map
    entity = service_map.entities.get(ref)
    if entity is None:
        return Health.UP
    worst = Health.UP
    parts_down = parts = 0
    for lower in service_map.dependencies.get(ref, ()):
        below = _known(state, lower, assumed)
        part = service_map.entities[lower]
        if part.part_of == ref and lower not in entity.depends_on:
            parts += 1
            parts_down += below is Health.DOWN
            below = Health.UP if below is Health.UP else Health.DEGRADED
        elif below is Health.DOWN and part.redundancy_group:
            group = service_map.groups[part.redundancy_group]
            if any(_known(state, member, assumed) is not Health.DOWN for member in group):
                below = Health.DEGRADED
        worst = _worst(worst, below)
    return Health.DOWN if parts and parts_down == parts else worst


def _known(state: State, ref: EntityRef, assumed: Mapping[EntityRef, Health]) -> Health:
    if ref in assumed:
        return assumed[ref]
    now = state.health.get(ref)
    return now.health if now else Health.UP


def _worst(one: Health, other: Health) -> Health:
    return one if _RANK[one] >= _RANK[other] else other


def _incident(state: State, ref: EntityRef) -> str | None:
    near = state.derived.reach.of(ref)
    if near:
        return _nearest(near)
    for lower, _ in state.config.service_map.below(ref, 8):
        below = state.derived.reach.of(lower)
        if lower in state.health and below:
            return _nearest(below)
    return None


def _nearest(steps: Mapping[str, Step]) -> str:
    return min(steps, key=lambda identifier: (steps[identifier].distance, identifier))


def _excuse(state: State, ref: EntityRef, at: datetime) -> str | None:
    timetable = state.derived.timetable(state.calendars)
    windows = timetable.open_at(CalendarPurpose.EXCLUDE, ref, at)
    return next((named.muter for named in windows), None)


def _interval(ref: EntityRef, now: HealthNow, *, end: datetime | None) -> StateInterval:
    return StateInterval(
        entity=ref,
        start=now.since,
        end=end,
        health=now.health,
        incident=now.incident,
        excused_by=now.excused_by,
    )
