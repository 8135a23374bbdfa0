"""Which past counts for which incident: one table of experience for each group of neighbours."""

from collections import Counter

from agent.core.causes.experience import Experience
from agent.core.causes.lesson import LESSONS_MAX, SEEN_IN_ALL_MAX, Lesson
from agent.core.correlation.groups import group_of
from agent.core.state import Members, State


def group_of_incident(state: State, members: Members) -> str:
    """The group that most of the alerting entities belong to; of equals the first by name."""
    counts = Counter(group_of(state, entity) for entity in members.entities)
    return min(counts, key=lambda group: (-counts[group], group), default="")


def experience_of(state: State, group: str) -> Experience:
    """What the lessons of a group teach, worked out once and then kept up to date."""
    tables = state.derived.experience
    if group not in tables:
        tables[group] = table = Experience(state.config.service_map)
        for lesson in state.lessons:
            if group_of(state, lesson.group) == group:
                table.add(lesson)
    return tables[group]


def remember(state: State, lesson: Lesson) -> None:
    """Add a lesson; where the memory is full the oldest quarter is forgotten."""
    state.lessons.append(lesson)
    if len(state.lessons) > LESSONS_MAX or _seen(state) > SEEN_IN_ALL_MAX:
        del state.lessons[: max(1, len(state.lessons) // 4)]
        state.derived.experience.clear()
        return
    table = state.derived.experience.get(group_of(state, lesson.group))
    if table is not None:
        table.add(lesson)


def _seen(state: State) -> int:
    return sum(len(lesson.seen) for lesson in state.lessons)
