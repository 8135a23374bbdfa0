"""What keeps coming back: incidents of one pattern share a label, the id of the first of them.

Not here: how alike two incidents are (`alike`), and what recurrence leads to (problems).
"""

from agent.core.causes.alike import shape_of
from agent.core.causes.experience import Experience
from agent.core.causes.lesson import Lesson
from agent.model.incident import NO_CLEAR_EVIDENCE

ALIKE = 0.68
"""From here on two incidents are taken for the same coming back."""


def pattern_of(experience: Experience, lesson: Lesson, *, is_faint: bool) -> str:
    """The pattern that an incident belongs to; a new one has the id of the incident as its label.

    What shows too little to tell gets one label that says so and names no problem.
    """
    if is_faint or lesson.cause is None:
        return NO_CLEAR_EVIDENCE
    shape = shape_of(experience.service_map, lesson)
    best, most = lesson.incident, ALIKE
    for label, pattern in experience.patterns.items():
        alike = pattern.alike(shape)
        if alike >= most:
            best, most = label, alike
    return best
