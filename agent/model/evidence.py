"""Evidence: what speaks for a candidate cause and what against it, in words, with its weight."""

from dataclasses import dataclass
from enum import StrEnum


class EvidenceKind(StrEnum):
    """What a piece of evidence is about. Each is explained in docs/correlation.md."""

    CONFIRMED = "confirmed"
    """A person said that this is the cause of this incident."""
    TAUGHT = "taught"
    """A person said so of an earlier incident that looked like this one."""
    ALERTS = "alerts"
    MUTED = "muted"
    """It alerts, and a silence, a maintenance or an inhibition keeps that out of the incident."""
    EXPLAINS = "explains"
    UNEXPLAINED = "unexplained"
    HEALTHY = "healthy"
    """Dependants that are watched and well."""
    SILENT = "silent"
    UNWATCHED = "unwatched"
    UNUSUAL = "unusual"
    """More, or rarer, than what alerts there in other incidents."""
    USUAL = "usual"
    PARTS = "parts"
    SIBLINGS = "siblings"
    HOST = "host"
    CALLEES = "callees"
    OWN_SIGNALS = "own_signals"
    """Of the entity itself, not of calls between it and others."""
    CALLER = "caller"
    CHANGED = "changed"
    MEASURED = "measured"
    LEAD = "lead"
    """How far it is ahead of the next candidate."""
    UNCLEAR = "unclear"
    HELD = "held"
    """Another is ahead by too little to change the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One reason to believe in a candidate, or to doubt it."""

    kind: EvidenceKind
    speaks_for: bool
    weight: float
    """How much it moved the candidate's worth, 0 or more; 0: told, not counted."""
    text: str
