"""The difference that an import would make, line by line, for a person to read before it is made.

Not here: how it is worked out (`proposal`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.model.discovery import Evidence
from agent.model.service import EntityRef

LINES_SHOWN_MAX = 2_000


class Difference(StrEnum):
    """What would become of an entity or an edge."""

    ADDED = "added"
    CHANGED = "changed"
    GONE = "gone"
    """Not seen any more: it stays, marked; only a person removes it."""
    BACK = "back"
    STANDS = "stands"
    """A person wrote it: what they wrote counts."""
    BY_HAND = "by_hand"
    """Between two entities that a person wrote: only a person can add it."""


SIGNS = {
    Difference.ADDED: "+",
    Difference.CHANGED: "~",
    Difference.GONE: "-",
    Difference.BACK: "+",
    Difference.STANDS: "=",
    Difference.BY_HAND: "!",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One difference, with the evidence for it."""

    difference: Difference
    entity: EntityRef
    lower: EntityRef | None = None
    """Of an edge: what the entity rests on."""
    text: str = ""
    evidence: Evidence | None = None

    @property
    def is_edge(self) -> bool:
        """Whether it is about an edge."""
        return self.lower is not None

    @property
    def changes_the_file(self) -> bool:
        """Whether writing would write it."""
        return self.difference not in (Difference.STANDS, Difference.BY_HAND)

    def __str__(self) -> str:
        subject = f"{self.entity} -> {self.lower}" if self.lower else self.entity
        said = [self.text] if self.text else []
        if self.evidence is not None:
            said.append(evidence_text(self.evidence))
        return f"{SIGNS[self.difference]} {subject}" + (f"  {'; '.join(said)}" if said else "")


def evidence_text(evidence: Evidence) -> str:
    """By what it is known: who says it, how much flows, when it was last seen."""
    parts = []
    if evidence.per_second is not None:
        parts.append(f"{evidence.per_second:.3g} {evidence.unit}/s")
    if evidence.last_seen is not None:
        parts.append(f"last seen {_minute(evidence.last_seen)}")
    return f"{', '.join(parts)} ({evidence.said_by})" if parts else evidence.said_by


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


def difference_text(lines: Sequence[DiffLine], warnings: Sequence[str]) -> str:
    """The whole difference as people read it, with its sums at the end."""
    told = [str(line) for line in lines[:LINES_SHOWN_MAX]]
    if len(lines) > LINES_SHOWN_MAX:
        told.append(f"... and {len(lines) - LINES_SHOWN_MAX} more lines.")
    told += [f"Note: {warning}." for warning in warnings]
    sums = []
    for word, is_edge in (("entities", False), ("edges", True)):
        counts = [
            f"{count} {difference.replace('_', ' ')}"
            for difference in Difference
            if (
                count := sum(
                    line.difference is difference and line.is_edge is is_edge for line in lines
                )
            )
        ]
        if counts:
            sums.append(f"{word}: {', '.join(counts)}")
    return "\n".join([*told, "; ".join(sums).capitalize() + "." if sums else "No difference."])
