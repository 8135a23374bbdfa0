"""Which other changes are in the way: under way, or planned for the time that this one needs.

Looked for over the service map, whoever asked, among our changes and those that tools reported.
Not here: how many of a group may be away at once (`limits`).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.core.policy import calendar
from agent.core.policy.answers import LOOK_AGAIN, deferred
from agent.core.policy.limits import UNDER_WAY
from agent.core.state import State
from agent.model.change import Change, ChangeState, ChangeType
from agent.model.interval import Interval
from agent.model.policy import Conflict, ConflictKind, Decision
from agent.model.reason import Reason
from agent.model.reported import Progress, ReportedChange
from agent.model.service import EntityRef

CONFLICTS_MAX = 20
"""A change shows at most so many; the first that make it wait are always among them."""
REPORTED_BELIEVED = timedelta(hours=2)
"""A tool that says nothing of a change's end has forgotten it after this time."""
PLANNED = (ChangeState.SCHEDULED, ChangeState.AUTHORISED)
MOMENT = timedelta(microseconds=1)


def conflicts_of(state: State, change: Change, begin: datetime) -> tuple[Conflict, ...]:
    """The changes in the way of this one if it began at that moment, the gravest first."""
    span = Interval(begin, begin + takes(state, change))
    found = [*_ours(state, change, span), *_reported(state, change, begin)]
    kinds = tuple(ConflictKind)
    found.sort(key=lambda conflict: (kinds.index(conflict.kind), not conflict.is_under_way))
    return tuple(found[:CONFLICTS_MAX])


def in_the_way(
    state: State, change: Change, at: datetime, conflicts: tuple[Conflict, ...]
) -> Decision | None:
    """It waits for what is in its way, as far as policy says that this kind is worth waiting for.

    What was planned later, or for later by nobody's leave, gives way itself: two never wait for
    each other. An emergency waits only for what is under way at the same place.
    """
    policy = state.config.policy
    kinds = policy.conflicts_defer if policy else tuple(ConflictKind)
    if change.type is ChangeType.EMERGENCY:
        kinds = (ConflictKind.SAME_ENTITY, ConflictKind.SAME_HOST)
    for conflict in conflicts:
        if conflict.kind not in kinds:
            continue
        if conflict.is_under_way or _has_precedence(state, conflict.other, change):
            return deferred(Reason.CONFLICT, conflict.text, until=at + LOOK_AGAIN)
    return None


def takes(state: State, change: Change) -> timedelta:
    """How long a change may last, with its verification and rollback."""
    remediation = state.config.remediations.get(change.remediation)
    if remediation is None:
        return MOMENT
    return max(MOMENT, calendar.takes(remediation))


def _has_precedence(state: State, other: str, change: Change) -> bool:
    earlier = state.changes.get(other)
    if earlier is None or change.type is ChangeType.EMERGENCY:
        return False
    return (earlier.requested_at, _number(earlier)) < (change.requested_at, _number(change))


def _number(change: Change) -> int:
    return int(change.id.rpartition("-")[2])


def _ours(state: State, change: Change, span: Interval) -> Iterator[Conflict]:
    for other in state.changes.values():
        if other.id == change.id:
            continue
        under_way = other.state in UNDER_WAY
        if not under_way:
            start = other.scheduled_for
            if other.state not in PLANNED or start is None or start <= span.start:
                continue
            if span.clip(Interval(start, start + takes(state, other))) is None:
                continue
        kind = _kind_of(state, change, other)
        if kind is not None:
            yield _told(state, kind, other, is_under_way=under_way)


def _kind(state: State, change: Change, other: EntityRef) -> ConflictKind | None:
    """How an entity stands to the target of the change, as far as the map tells."""
    if other == change.entity:
        return ConflictKind.SAME_ENTITY
    rests = state.derived.rests
    if other in rests.below(change.entity):
        return ConflictKind.PARENT
    if other in rests.above(change.entity):
        return ConflictKind.CHILD
    entities = state.config.service_map.entities
    mine, theirs = entities.get(change.entity), entities.get(other)
    group = mine.redundancy_group if mine else None
    if group is not None and theirs is not None and theirs.redundancy_group == group:
        return ConflictKind.TWIN
    return None


def _kind_of(state: State, change: Change, other: Change) -> ConflictKind | None:
    is_on_host = bool({host.name for host in change.hosts} & {host.name for host in other.hosts})
    if is_on_host and other.entity != change.entity:
        return ConflictKind.SAME_HOST
    kind = _kind(state, change, other.entity)
    if kind is None and _people(state, change) & _people(state, other):
        return ConflictKind.PERSON
    return kind


def _people(state: State, change: Change) -> set[str]:
    """Who is at work on it: who asked, whom its incident was given to, who owns the target."""
    found: set[str] = set()
    if change.requested_by.startswith("person:"):
        found.add(change.requested_by)
    incident = state.incidents.get(change.incident or "")
    if incident is not None and incident.assignee is not None:
        found.add(f"person:{incident.assignee}")
    entity = state.config.service_map.entities.get(change.entity)
    if entity is not None and entity.owner is not None:
        found.add(entity.owner)
    return found


def _told(state: State, kind: ConflictKind, other: Change, *, is_under_way: bool) -> Conflict:
    when = "is under way" if is_under_way else f"is planned for {other.scheduled_for:%d %b %H:%M}"
    where = state.config.service_map.label(other.entity)
    return Conflict(
        kind=kind,
        other=other.id,
        entity=other.entity,
        text=f"{other.id} {when} {_words(kind)} ({where})",
        is_under_way=is_under_way,
    )


def _reported(state: State, change: Change, begin: datetime) -> Iterator[Conflict]:
    """Changes of others that have begun and not ended, on the target or beside it."""
    table, rests = state.derived.reported, state.derived.rests
    places = (change.entity, *rests.below(change.entity), *rests.above(change.entity))
    for place in places if state.reported else ():
        for identifier in table.at(place):
            reported = state.reported.get(identifier)
            if reported is None or not _is_under_way(reported, begin):
                continue
            kind = _kind(state, change, place)
            if kind is not None:
                text = f"{reported.id} ({reported.summary[:80]}) is under way {_words(kind)}"
                yield Conflict(kind=kind, other=reported.id, entity=place, text=text)


def _is_under_way(reported: ReportedChange, at: datetime) -> bool:
    is_begun = reported.progress is Progress.STARTED and reported.ended_at is None
    return is_begun and reported.started_at <= at < reported.started_at + REPORTED_BELIEVED


def _words(kind: ConflictKind) -> str:
    return {
        ConflictKind.SAME_ENTITY: "on the same target",
        ConflictKind.SAME_HOST: "on the same host",
        ConflictKind.PARENT: "on what the target rests on",
        ConflictKind.CHILD: "on what rests on the target",
        ConflictKind.TWIN: "on a twin of the target",
        ConflictKind.PERSON: "by the same people",
    }[kind]
