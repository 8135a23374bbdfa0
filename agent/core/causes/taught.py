"""What people taught: a cause that somebody confirmed is looked for again where it looks alike.

A prior per entity, and weaker per node type, by the likeness of the evidence; worth more than any
other term, because it is known and not guessed.
"""

from collections.abc import Mapping

from agent.core.causes.alike import likeness
from agent.core.causes.experience import Experience, node_type
from agent.core.causes.lesson import Lesson
from agent.core.causes.reading import Reading
from agent.model.service import EntityRef

TAUGHT_SHARE = 6.0
SAME_TYPE = 0.5
"""What is known of an entity says this much of others of its node type."""
CONFIRMED_ASKED_MAX = 30
"""The latest so many confirmed incidents are compared with."""
ALIKE_MIN = 0.3
"""What is less alike than this says nothing."""


def taught(experience: Experience, reading: Reading) -> dict[EntityRef, tuple[float, str]]:
    """By candidate: what confirmed causes of earlier incidents add, and the likest incident."""
    found: dict[EntityRef, tuple[float, str]] = {}
    service_map = experience.service_map
    now = _flat(reading.by_kind)
    for lesson in experience.confirmed[-CONFIRMED_ASKED_MAX:]:
        assert lesson.cause is not None, "only lessons with a cause are confirmed"
        profile = lesson.evidence.get(lesson.cause, {})
        _add(found, lesson.cause, likeness(now, _flat(lesson.evidence)), lesson)
        kind = node_type(service_map, lesson.cause)
        for ref, kinds in reading.by_kind.items():
            if node_type(service_map, ref) == kind:
                share = 1.0 if ref == lesson.cause else SAME_TYPE
                _add(found, ref, share * likeness(kinds, profile), lesson)
    return found


def _add(
    found: dict[EntityRef, tuple[float, str]], ref: EntityRef, alike: float, lesson: Lesson
) -> None:
    if alike >= ALIKE_MIN and TAUGHT_SHARE * alike >= found.get(ref, (0.0, ""))[0]:
        found[ref] = (TAUGHT_SHARE * alike, lesson.incident)


def _flat(evidence: Mapping[EntityRef, Mapping[str, float]]) -> dict[str, float]:
    return {
        f"{entity} {kind}": weight
        for entity, kinds in evidence.items()
        for kind, weight in kinds.items()
    }
