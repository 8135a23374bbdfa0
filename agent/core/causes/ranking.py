"""Why: the probable cause of an incident, over nodes with and without alerts, with its reasons.

`worth` says what a candidate is worth; here it is decided when to look again, who is on top, and
how sure that is. A node without an alert may win: then a monitor is missing there, and the
evidence says so.
"""

from dataclasses import replace
from datetime import timedelta
from math import exp

from agent.core.causes import words
from agent.core.causes.cases import case_of, guess_pattern, is_faint
from agent.core.causes.judged import Judged, judge
from agent.core.causes.worth import Case, Terms
from agent.core.correlation.symptoms import take_in_symptoms
from agent.core.draft import Draft
from agent.core.state import State, Timer
from agent.model.incident import Cause, Incident
from agent.model.reason import Reason
from agent.model.service import EntityRef

CAUSES_MAX = 5
SIGNS_AT_ONCE = 16
"""Up to this many signs each new one is looked at at once; later a quarter more, or the timer."""
RANK_DELAY = timedelta(seconds=5)
RANK_DELAY_SHARE = 10
"""An old incident is looked at less often: after a tenth of its age."""
HOLD = 0.25
"""Another has to be worth this much more than what is on top to take its place."""
SETTLED = timedelta(minutes=1)
"""Nothing is held in a younger incident: the order of its first alerts is an accident."""


def name_causes(state: State, draft: Draft) -> None:
    """Rank the causes anew where there are notably more signs; else look again in a moment.

    All first, then who takes in whom: of what began in one step, none is judged before the others.
    """
    while draft.rescored or draft.joined.keys() - draft.ranked.keys():
        # Absorbing another incident bears on the candidates of the one that goes on.
        waiting = dict.fromkeys((*draft.rescored, *draft.joined))
        forced, draft.rescored = draft.rescored, {}
        fresh: list[str] = []
        for identifier in waiting:
            incident = state.incidents.get(identifier)
            is_new = identifier not in draft.ranked or identifier in forced
            draft.ranked[identifier] = None
            if not is_new or incident is None or not incident.is_live:
                continue
            if identifier not in forced and not _says_more(state, identifier):
                continue
            if _is_due(state, draft, identifier) and rank(state, draft, incident):
                fresh.append(identifier)
        for identifier in fresh:
            incident = state.incidents[identifier]
            if incident.is_live and incident.cause is not None:
                take_in_symptoms(state, draft, incident, incident.cause)


def look_again(state: State, draft: Draft, identifier: str) -> None:
    """The moment has come to rank what grew by a little."""
    members, incident = state.members.get(identifier), state.incidents.get(identifier)
    if members is None or incident is None or not members.rank_waits:
        return
    members.rank_waits = False
    if incident.is_live and rank(state, draft, incident) and incident.cause is not None:
        incident = state.incidents[identifier]
        if incident.cause is not None:
            take_in_symptoms(state, draft, incident, incident.cause)


def confirm(state: State, draft: Draft, incident: Incident, entity: EntityRef, by: str) -> None:
    """A person knows the cause: it stays on top."""
    others = tuple(cause for cause in incident.causes if cause.entity != entity)
    members = state.members.get(incident.id)
    known = Cause(
        entity=entity,
        score=1.0,
        evidence=(words.confirmed(by),),
        alerting=bool(members and members.entities.get(entity)),
    )
    draft.set_incident(state, incident, causes=(known, *others)[:CAUSES_MAX], cause_confirmed_by=by)
    draft.note(
        incident.id,
        Reason.CAUSE_CONFIRMED,
        f"{state.config.service_map.label(entity)} is the cause",
        actor=by,
    )
    if members is not None:
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


def rank(state: State, draft: Draft, incident: Incident, *, is_final: bool = False) -> bool:
    """Name the causes; answers whether another is on top. At the end nothing is held back."""
    members = state.members[incident.id]
    members.ranked_signs = len(members.signs)
    case = case_of(state, incident)
    before = incident.cause
    is_settled = draft.at - incident.opened_at >= SETTLED and not is_final
    judged = judge(case)
    causes = _causes(state, case, judged, before if is_settled else None)
    if incident.cause_confirmed_by is not None:
        causes = (incident.causes[0], *(c for c in causes if c.entity != before))[:CAUSES_MAX]
    pattern = guess_pattern(state, replace(incident, causes=causes), case, judged, draft.at)
    if causes != incident.causes or pattern != incident.pattern:
        incident = draft.set_incident(state, incident, causes=causes, pattern=pattern)
    cause = incident.cause
    if cause == before:
        return False
    state.derived.reach_changed(incident.id, tuple(members.entities), cause)
    draft.cause_changed[incident.id] = None
    if before is not None and cause is not None and _is_worth_telling(causes, before):
        label = state.config.service_map.label
        draft.note(
            incident.id,
            Reason.CAUSE_CHANGED,
            f"{label(cause)} explains more than {label(before)}: "
            + "; ".join(causes[0].evidence_for),
        )
    return True


def _is_worth_telling(causes: tuple[Cause, ...], before: EntityRef) -> bool:
    """Whether another top is news: among equals it is not."""
    former = next((cause.score for cause in causes if cause.entity == before), 0.0)
    return causes[0].score >= exp(HOLD) * former


def _says_more(state: State, identifier: str) -> bool:
    """Whether there is a sign that was not there when it was ranked last."""
    members = state.members[identifier]
    return len(members.signs) != members.ranked_signs


def _is_due(state: State, draft: Draft, identifier: str) -> bool:
    members = state.members[identifier]
    count = len(members.signs)
    if count <= SIGNS_AT_ONCE or 4 * count >= 5 * members.ranked_signs:
        return True
    if not members.rank_waits:
        members.rank_waits = True
        age = draft.at - state.incidents[identifier].opened_at
        delay = max(RANK_DELAY, age / RANK_DELAY_SHARE)
        state.schedule(draft.at + delay, Timer.RANK, identifier)
    return False


def _causes(
    state: State, case: Case, judged: Judged, before: EntityRef | None
) -> tuple[Cause, ...]:
    """The best candidates; `before` keeps its place unless another is clearly worth more."""
    best = judged.best(CAUSES_MAX)
    if not best:
        return ()
    challenger, worth = best[0], judged.worth
    is_held = before in worth and before != challenger
    is_held = is_held and worth[challenger] < worth[before or ""] + HOLD
    if is_held and before is not None:
        best = [before, *(ref for ref in best if ref != before)][:CAUSES_MAX]
    causes = [_cause(case, ref, judged.terms[ref], judged.belief[ref]) for ref in best]
    causes[0] = _with_doubt(state, case, causes, challenger if is_held else None)
    return tuple(causes)


def _cause(case: Case, ref: EntityRef, found: Terms, share: float) -> Cause:
    return Cause(
        entity=ref,
        score=round(share, 3),
        evidence=words.evidence(case, ref, found),
        alerting=ref in case.members.entities,
    )


def _with_doubt(
    state: State, case: Case, causes: list[Cause], challenger: EntityRef | None
) -> Cause:
    """The top, saying how far it is ahead, or that nothing tells it from the others."""
    top, service_map = causes[0], case.service_map
    pieces = list(top.evidence)
    if challenger is not None:
        pieces.append(words.held(service_map, challenger))
    if is_faint(state, case):
        pieces.append(words.faint(case.reading.signs))
    elif len(causes) > 1:
        second = causes[1]
        piece = words.lead(service_map, top.score, second.entity, max(second.score, 0.001))
        if piece.speaks_for:
            position = sum(other.speaks_for for other in pieces)
            pieces.insert(position, piece)
        else:
            pieces.append(piece)
    return replace(top, evidence=tuple(pieces))
