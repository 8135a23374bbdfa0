"""Problems: the cause of incidents that come back, what is known of it, and what is done about it.

States are those of ITIL 4: problem identification, problem control, error control.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.model.reason import Reason
from agent.model.service import EntityRef


class ProblemState(StrEnum):
    """Where a problem is in its life."""

    OPEN = "open"
    """Identified; nobody looks into it yet."""
    INVESTIGATING = "investigating"
    KNOWN_ERROR = "known_error"
    """Analysed, and not mended: new incidents of it open with its workaround."""
    FIX_PLANNED = "fix_planned"
    RESOLVED = "resolved"
    """The fix is in place; whether it holds is shown by absence."""
    CLOSED = "closed"


MOVES: dict[ProblemState, tuple[ProblemState, ...]] = {
    ProblemState.OPEN: (ProblemState.INVESTIGATING, ProblemState.RESOLVED, ProblemState.CLOSED),
    ProblemState.INVESTIGATING: (ProblemState.OPEN, ProblemState.RESOLVED, ProblemState.CLOSED),
    ProblemState.KNOWN_ERROR: (ProblemState.INVESTIGATING, ProblemState.RESOLVED),
    ProblemState.FIX_PLANNED: (
        ProblemState.INVESTIGATING,
        ProblemState.KNOWN_ERROR,
        ProblemState.RESOLVED,
    ),
    ProblemState.RESOLVED: (ProblemState.OPEN, ProblemState.CLOSED),
    ProblemState.CLOSED: (),
}
"""Where a person may move it; to a known error or a planned fix also by recording that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One incident of a problem, as far as figures and proposals need it."""

    incident: str
    started_at: datetime
    ended_at: datetime
    cost: float | None
    """What its downtime cost; None where the map names no cost for anybody it hit."""
    cause: EntityRef | None = None
    evidence: tuple[str, ...] = ()
    """What spoke for the cause; bounded."""
    tried: tuple[str, ...] = ()
    """Remediations that ran for it."""
    helped: tuple[str, ...] = ()
    """Those of them that were verified."""

    @property
    def downtime(self) -> timedelta:
        """How long it lasted."""
        return self.ended_at - self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How often a remediation was tried on incidents of a problem, and how often it helped."""

    remediation: str
    tried: int
    verified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the incidents of a problem have in common: a known error to be confirmed."""

    cause: EntityRef | None = None
    """The one that was on top most often."""
    times: int = 0
    """So often, of `of` incidents."""
    of: int = 0
    evidence: tuple[str, ...] = ()
    """What spoke for it in at least half of them."""
    workaround: Record | None = None
    """The remediation that helped most often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownError:
    """What a person said of the error: why it happens, and what helps until it is mended."""

    cause: str
    workaround: str
    remediation: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """The change that is to mend it for good."""

    change: str
    """`CHG-7`, `REP-7`, or the address of it elsewhere."""
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workaround:
    """What an incident of a known error opens with."""

    problem: str
    cause: str
    text: str
    record: Record | None
    """The remediation that helps, with how often it did. It still passes policy."""

    def __str__(self) -> str:
        lines = [self.text] if self.text else []
        if self.record is not None:
            of = f"verified {self.record.verified} of {self.record.tried} times"
            lines.append(f"remediation {self.record.remediation} ({of})")
        return "; ".join(lines) or "no workaround is known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The cause of incidents that come back, or of a remediation that stopped helping."""

    id: str
    state: ProblemState
    title: str
    opened_at: datetime
    signature: str
    """What the incidents have in common: their pattern, or cause and kinds of alert."""
    cause: EntityRef | None
    incidents: tuple[str, ...]
    reason: Reason
    occurrences: tuple[Occurrence, ...] = ()
    """Those of the incidents that are over, oldest first; bounded."""
    proposal: Proposal = Proposal()
    assignee: str | None = None
    known_error: KnownError | None = None
    fix: Fix | None = None
    resolved_at: datetime | None = None
    verified_at: datetime | None = None
    """Since when absence shows that the fix holds."""
    closed_at: datetime | None = None
    review: str = ""
    """What was learnt, said when it was closed."""
    reopened: int = 0
    """How often it came back after a fix."""
