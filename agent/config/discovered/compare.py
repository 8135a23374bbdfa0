"""One entity as the file has it against what is known now: the lines of the difference.

Not here: what is known now (`proposal`), and how a line is told (`difference`).
"""

from collections.abc import Iterable, Mapping

from agent.config.discovered.described import ITSELF, Described
from agent.config.discovered.difference import Difference, DiffLine
from agent.model.discovery import Evidence
from agent.model.service import EntityRef

Edge = tuple[EntityRef, EntityRef]
"""What rests on the other, and the other."""

_TOLD = (
    *("title", "description", "type", "lifecycle", "matches"),
    *("owner", "part_of", "runs_on", "annotations"),
)


def differences(
    earlier: Described | None, now: Described, evidence: Mapping[Edge, Evidence]
) -> Iterable[DiffLine]:
    """What becomes of one entity and its edges; `earlier` is what the file says so far."""
    ref = now.ref
    if earlier is None:
        said = f"{now.type or now.kind}, {_matched(now)}"
        yield DiffLine(difference=Difference.ADDED, entity=ref, text=said)
    elif ITSELF in now.gone:
        if ITSELF not in earlier.gone:
            said = f"not seen any more; marked as gone since {now.gone[ITSELF]}"
            yield DiffLine(difference=Difference.GONE, entity=ref, text=said)
        return
    else:
        if ITSELF in earlier.gone:
            said = f"seen again; was gone since {earlier.gone[ITSELF]}"
            yield DiffLine(difference=Difference.BACK, entity=ref, text=said)
        for part in _TOLD:
            before, after = getattr(earlier, part), getattr(now, part)
            if before != after:
                said = f"{part.replace('_', ' ')}: {_plain(before)} -> {_plain(after)}"
                yield DiffLine(difference=Difference.CHANGED, entity=ref, text=said)
    was = earlier or Described(ref=ref)
    sides = (
        (now.depends_on, was.depends_on, False),
        (now.dependency_of, was.dependency_of, True),
    )
    for after, before, is_upper in sides:
        for other in after:
            upper, lower = (other, ref) if is_upper else (ref, other)
            difference, said = _edge(was, now, other, is_known=other in before)
            if difference is not None:
                yield DiffLine(
                    difference=difference,
                    entity=upper,
                    lower=lower,
                    text=said,
                    evidence=evidence.get((upper, lower)),
                )


def _edge(
    was: Described, now: Described, other: EntityRef, *, is_known: bool
) -> tuple[Difference | None, str]:
    if not is_known:
        return Difference.ADDED, ""
    if other in now.gone and other not in was.gone:
        return Difference.GONE, f"not seen any more; marked as gone since {now.gone[other]}"
    if other in was.gone and other not in now.gone:
        return Difference.BACK, f"seen again; was gone since {was.gone[other]}"
    return None, ""


def _matched(entity: Described) -> str:
    return f"matched by {' or '.join(entity.matches)}" if entity.matches else "without matchers"


def _plain(value: object) -> str:
    match value:
        case tuple():
            return " or ".join(map(str, value)) or "nothing"
        case dict():
            return ", ".join(f"{key}={text}" for key, text in value.items()) or "nothing"
        case None | "":
            return "nothing"
    return str(value)
