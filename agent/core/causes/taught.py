"""What people taught: a cause that somebody confirmed is looked for again where it looks alike.

Where nearly the same signs come back, what was confirmed is the answer, whatever else is guessed.
Else it makes what is unusual now weigh more where it is unusual in the same way, for the entity
and, by half, for others of its node type. Not here: what was only guessed at the time.
"""

from collections.abc import Mapping

from agent.core.causes.experience import Experience, node_type
from agent.core.causes.lesson import Lesson, Seen
from agent.core.causes.reading import Reading
from agent.model.service import EntityRef

SAME_AGAIN = 6.0
"""What the confirmed cause gains when the same signs come back: more than any other term."""
SAME_AGAIN_MIN = 0.9
"""From this share of common signs on it is the same."""
SAME_TYPE = 0.5
"""What is known of an entity says this much of others of its node type."""
CONFIRMED_ASKED_MAX = 30
"""The latest so many confirmed incidents are compared with."""

Taught = dict[EntityRef, tuple[float, str]]


def taught(experience: Experience, reading: Reading, surprise: Mapping[EntityRef, float]) -> Taught:
    """By candidate: what confirmed causes of earlier incidents add, and the likest incident."""
    found: Taught = {}
    now = {
        ref: experience.unusual(ref, reading.by_kind[ref])
        for ref in (reading.by_kind if experience.confirmed else ())
        if surprise.get(ref, 0.0) > 0.0
    }
    for lesson in experience.confirmed[-CONFIRMED_ASKED_MAX:]:
        assert lesson.cause is not None, "only lessons with a cause are confirmed"
        same = _common(reading.seen, lesson.seen)
        if same >= SAME_AGAIN_MIN:
            _add(found, lesson.cause, SAME_AGAIN * same, lesson)
        profile = experience.unusual(lesson.cause, lesson.evidence.get(lesson.cause, {}))
        kind = node_type(experience.service_map, lesson.cause)
        for ref, kinds in now.items():
            if node_type(experience.service_map, ref) == kind:
                near = 1.0 if ref == lesson.cause else SAME_TYPE
                _add(found, ref, near * surprise[ref] * _overlap(kinds, profile), lesson)
    return found


def _add(found: Taught, ref: EntityRef, weight: float, lesson: Lesson) -> None:
    if weight > 0.0 and weight >= found.get(ref, (0.0, ""))[0]:
        found[ref] = (weight, lesson.incident)


def _common(now: Mapping[Seen, None], then: tuple[Seen, ...]) -> float:
    """The share of signs that two incidents have in common, of all that either showed."""
    both = sum(seen in now for seen in then)
    return both / (len(now) + len(then) - both) if both else 0.0


def _overlap(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The weight that two profiles have in common, of all that either has (Ruzicka)."""
    kinds = {**one, **other}
    most = sum(max(one.get(kind, 0.0), other.get(kind, 0.0)) for kind in kinds)
    least = sum(min(one.get(kind, 0.0), other.get(kind, 0.0)) for kind in kinds)
    return least / most if most else 0.0
