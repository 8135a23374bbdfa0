"""Learning: what an incident leaves behind when it closes, and how people correct it.

Only from the incident's own evidence, in the order of closing. Not here: what is made of it
(`experience`).
"""

from dataclasses import replace

from agent.core.causes.cases import case_of, lesson_of
from agent.core.causes.judged import judge
from agent.core.causes.ranking import rank
from agent.core.causes.tables import remember
from agent.core.draft import Draft
from agent.core.state import Members, State
from agent.model.incident import Incident
from agent.model.service import EntityRef


def learn(state: State, draft: Draft, incident: Incident, members: Members) -> Incident:
    """Rank a last time with nothing held back, name the pattern, and remember the lesson.

    Call it before the members are dropped. Answers with the incident as it is now.
    """
    if not members.entities:
        return incident
    rank(state, draft, incident, is_final=True)
    incident = state.incidents[incident.id]
    case = case_of(state, incident)
    lesson = replace(
        lesson_of(state, incident, case, judge(case), draft.at),
        is_corrected=bool(members.corrected),
    )
    remember(state, lesson)
    return draft.set_incident(state, incident, pattern=lesson.pattern)


def correct(state: State, incident: str, cause: EntityRef, by: str) -> bool:
    """A person knows what the cause of a closed incident was; answers whether it is remembered."""
    for place, lesson in enumerate(state.lessons):
        if lesson.incident == incident:
            state.lessons[place] = replace(lesson, cause=cause, confirmed_by=by)
            state.derived.experience.clear()
            return True
    return False
