"""Why: the probable cause of an incident, over nodes with and without alerts, with its reasons.

A candidate is worth what it explains (alerting entities that rest on it, nearer ones more), less
for direct dependants that are watched and well. A node without an alert may win: then a monitor
is missing there, and the evidence says so.
"""

import heapq
from collections.abc import Iterable

from agent.core.causes.measured import with_metrics
from agent.core.correlation.corrected import is_apart
from agent.core.correlation.transfer import absorb
from agent.core.draft import Draft
from agent.core.state import EXPLAINED_NAMED_MAX, Members, State
from agent.model.incident import Cause, Incident, IncidentState
from agent.model.reason import Reason
from agent.model.service import EntityRef, ServiceMap

CAUSES_MAX = 5
DEPENDANTS_ASKED_MAX = 50
"""How many direct dependants of a candidate are asked whether they are well."""
ALERTING_BONUS = 0.3
HEALTHY_PENALTY = 0.5
SILENT_SHARE = 0.8
"""What a candidate is still worth that is watched and yet does not alert."""


def name_causes(state: State, draft: Draft) -> None:
    """Rank the causes anew where another entity began to alert.

    All first, then who takes in whom: of what began in one step, none is judged before the others.
    """
    while draft.rescored:
        # Absorbing another incident bears on the candidates of the one that goes on.
        waiting, draft.rescored = draft.rescored, {}
        fresh: list[str] = []
        for identifier, rescored in waiting.items():
            incident = state.incidents[identifier]
            if incident.is_live and _rank(state, draft, incident, rescored):
                fresh.append(identifier)
        for identifier in fresh:
            incident = state.incidents[identifier]
            if incident.is_live and incident.cause is not None:
                _absorb_symptoms(state, draft, incident, incident.cause)


def confirm(state: State, draft: Draft, incident: Incident, entity: EntityRef, by: str) -> None:
    """A person knows the cause: it stays on top."""
    others = tuple(cause for cause in incident.causes if cause.entity != entity)
    members = state.members[incident.id]
    confirmed = Cause(
        entity=entity,
        score=1.0,
        evidence_for=(f"confirmed by {by}",),
        evidence_against=(),
        alerting=bool(members.entities.get(entity)),
    )
    draft.set_incident(
        state, incident, causes=(confirmed, *others)[:CAUSES_MAX], cause_confirmed_by=by
    )
    draft.note(
        incident.id,
        Reason.CAUSE_CONFIRMED,
        f"{state.config.service_map.label(entity)} is the cause",
        actor=by,
    )
    state.derived.reach_changed(incident.id, tuple(members.entities), entity)
    draft.cause_changed[incident.id] = None


def adopt_confirmed(state: State, draft: Draft, incident: Incident, other: Incident) -> Incident:
    """What a person knows of another incident is known of this one, in which it goes on."""
    members = state.members[incident.id]
    state.derived.reach_changed(incident.id, tuple(members.entities), other.cause)
    draft.cause_changed[incident.id] = None
    return draft.set_incident(
        state, incident, causes=other.causes, cause_confirmed_by=other.cause_confirmed_by
    )


def _rank(state: State, draft: Draft, incident: Incident, rescored: Iterable[EntityRef]) -> bool:
    """Score the candidates that the new entities bear on; the others are worth what they were.

    Answers whether another cause is on top.
    """
    members = state.members[incident.id]
    service_map = state.config.service_map
    explains = members.explains
    for ref in rescored:
        explains[ref].score = _score(service_map, members, ref, explains[ref].weight)
    best = heapq.nsmallest(CAUSES_MAX, explains, key=lambda ref: (-explains[ref].score, ref))
    total = len(members.entities) or 1
    causes = tuple(
        _with_evidence(
            service_map, members, ref, score=round(min(1.0, explains[ref].score / total), 3)
        )
        for ref in best
    )
    causes = with_metrics(state, incident.id, causes)[:CAUSES_MAX]
    before = incident.cause
    if incident.cause_confirmed_by is not None:
        causes = (incident.causes[0], *(c for c in causes if c.entity != before))[:CAUSES_MAX]
    incident = draft.set_incident(state, incident, causes=causes)
    cause = incident.cause
    if cause == before:
        return False
    state.derived.reach_changed(incident.id, tuple(members.entities), cause)
    draft.cause_changed[incident.id] = None
    if before is not None and cause is not None:
        draft.note(
            incident.id,
            Reason.CAUSE_CHANGED,
            f"{service_map.label(cause)} explains more than {service_map.label(before)}: "
            + "; ".join(causes[0].evidence_for),
        )
    return True


def _absorb_symptoms(state: State, draft: Draft, incident: Incident, cause: EntityRef) -> None:
    """Incidents whose own cause rests on this one, opened at the same time, were its symptoms."""
    if not state.members[incident.id].entities.get(cause):
        return
    correlation = state.config.correlation
    for ref, _ in list(state.config.service_map.above(cause, correlation.hops)):
        for other in sorted(state.derived.reach.get(ref, {})):
            candidate = state.incidents[other]
            if other == incident.id or candidate.state is not IncidentState.OPEN:
                continue
            apart = abs(candidate.opened_at - incident.opened_at)
            if (
                candidate.cause == ref
                and apart <= correlation.window
                and not is_apart(state, incident.id, other)
            ):
                absorb(state, draft, into=incident.id, other=other)


def _score(service_map: ServiceMap, members: Members, ref: EntityRef, weight: float) -> float:
    healthy, asked = _dependants(service_map, members, ref)
    doubt = HEALTHY_PENALTY * len(healthy) / asked if asked else 0.0
    # That others are well is no doubt about what it says of itself.
    own = 1.0 if ref in members.entities else 0.0
    score = own + (weight - own) * (1.0 - doubt)
    if own:
        return score + ALERTING_BONUS
    return score * SILENT_SHARE if _is_watched(service_map, ref) else score


def _dependants(
    service_map: ServiceMap, members: Members, ref: EntityRef
) -> tuple[list[EntityRef], int]:
    """Direct dependants that are watched and do not alert, and how many could have alerted."""
    healthy: list[EntityRef] = []
    asked = 0
    for dependant in service_map.dependants.get(ref, ())[:DEPENDANTS_ASKED_MAX]:
        if not service_map.entities[dependant].matches:
            continue
        asked += 1
        if dependant not in members.entities:
            healthy.append(dependant)
    return healthy, asked


def _with_evidence(
    service_map: ServiceMap, members: Members, ref: EntityRef, *, score: float
) -> Cause:
    alerting = ref in members.entities
    explained = members.explains[ref]
    healthy, asked = _dependants(service_map, members, ref)
    speaks_for = ["alerts itself"] if alerting else []
    if explained.others:
        verb = "rests" if explained.others == 1 else "rest"
        names = _names(service_map, explained.named, explained.others)
        speaks_for.append(f"{names} {verb} on it")
    speaks_against: list[str] = []
    if not alerting and _is_watched(service_map, ref):
        speaks_against.append("is watched and does not alert itself")
    elif not alerting:
        speaks_against.append("nothing watches it: a monitor is missing here")
    if healthy:
        speaks_against.append(
            f"{len(healthy)} of {asked} watched dependants are well: "
            + _names(service_map, healthy, len(healthy))
        )
    unexplained = len(members.entities) - explained.others - alerting
    if unexplained:
        speaks_against.append(f"does not explain {unexplained} of the alerting entities")
    return Cause(
        entity=ref,
        score=score,
        evidence_for=tuple(speaks_for),
        evidence_against=tuple(speaks_against),
        alerting=alerting,
    )


def _is_watched(service_map: ServiceMap, ref: EntityRef) -> bool:
    entity = service_map.entities.get(ref)
    return entity is not None and bool(entity.matches)


def _names(service_map: ServiceMap, refs: list[EntityRef], count: int) -> str:
    named = refs[:EXPLAINED_NAMED_MAX]
    text = ", ".join(service_map.label(ref) for ref in named)
    return f"{text} and {count - len(named)} more" if count > len(named) else text
