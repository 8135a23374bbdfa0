"""The case of an incident: what a ranking looks at, gathered once, and the lesson drawn from it."""

from dataclasses import replace
from datetime import datetime

from agent.core.causes.judged import Judged
from agent.core.causes.lesson import SEEN_MAX, Lesson, Seen
from agent.core.causes.measured import measured
from agent.core.causes.patterns import pattern_of
from agent.core.causes.reading import read
from agent.core.causes.tables import experience_of, group_of_incident
from agent.core.causes.told import changed, muted
from agent.core.causes.worth import Case
from agent.core.state import State
from agent.model.incident import Incident

EVIDENCE_ENTITIES_MAX = 200
"""A lesson keeps the evidence of so many places, the weightiest first."""


def case_of(state: State, incident: Incident) -> Case:
    """Everything that the candidates of an incident are judged by."""
    members = state.members[incident.id]
    experience = experience_of(state, group_of_incident(state, members))
    return Case(
        service_map=state.config.service_map,
        members=members,
        experience=experience,
        reading=read(members.signs.values(), experience),
        measured=measured(state, incident.id),
        changed=changed(state, incident),
        muted=muted(state, members),
    )


def is_faint(state: State, case: Case) -> bool:
    """Whether an incident shows far less than incidents of its group usually do."""
    usual = case.experience.usual_size()
    return usual is not None and case.reading.signs < state.config.correlation.faint * usual


def guess_pattern(
    state: State, incident: Incident, case: Case, judged: Judged, at: datetime
) -> str | None:
    """The pattern as it looks while the incident lives; None while it looks like a new one."""
    lesson = lesson_of(state, incident, case, judged, at)
    return lesson.pattern if lesson.pattern != incident.id else None


def lesson_of(state: State, incident: Incident, case: Case, judged: Judged, at: datetime) -> Lesson:
    """What an incident teaches as it stands, with the pattern that it belongs to."""
    reading = case.reading
    weightiest = sorted(reading.value, key=lambda ref: (-reading.value[ref], ref))
    causes = [cause.entity for cause in incident.causes]
    kept = dict.fromkeys((*weightiest[:EVIDENCE_ENTITIES_MAX], *causes))
    seen = (
        Seen(sign.entity, sign.kind, sign.name, sign.peer)
        for sign in case.members.signs.values()
        if sign.entity is not None
    )
    beliefs = judged.beliefs()
    if incident.cause is not None and incident.cause_confirmed_by is not None:
        beliefs = {incident.cause: 1.0}
    lesson = Lesson(
        incident=incident.id,
        group=group_of_incident(state, case.members),
        at=at,
        cause=incident.cause,
        confirmed_by=incident.cause_confirmed_by,
        signs=reading.signs,
        seen=tuple(seen)[:SEEN_MAX],
        evidence={ref: reading.by_kind[ref] for ref in kept if ref in reading.by_kind},
        callers={ref: round(share, 4) for ref, share in reading.callers.items()},
        beliefs=beliefs,
        pattern=None,
    )
    pattern = pattern_of(case.experience, lesson, is_faint=is_faint(state, case))
    return replace(lesson, pattern=pattern)
