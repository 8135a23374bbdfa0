"""What people owe a change after it ran: a late approval, and a review. Kept until done."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RetroState(StrEnum):
    """Where the late approval of an emergency change is."""

    DUE = "due"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetroDuty:
    """An emergency change ran first; somebody else answers for it until `due_at`."""

    state: RetroState = RetroState.DUE
    opened_at: datetime
    due_at: datetime
    roles: tuple[str, ...]
    team: str | None
    """The owner of the target as the map had it at the start."""
    is_overdue: bool = False
    """Whether people were told that the deadline has passed."""
    by: str | None = None
    role: str | None = None
    on_behalf_of: str | None = None
    at: datetime | None = None
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is still owed."""
        return self.state is RetroState.DUE


class ReviewOutcome(StrEnum):
    """What a review after implementation (PIR) found."""

    AS_INTENDED = "as_intended"
    WITH_LESSONS = "with_lessons"
    NOT_EFFECTIVE = "not_effective"
    HARMFUL = "harmful"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDuty:
    """Somebody has to look back at a change until `due_at`: why, and what was seen.

    `symptom_before` and `symptom_after` say how its alert stood when it was asked for and when it
    was over.
    """

    why: str
    opened_at: datetime
    due_at: datetime
    symptom_before: str
    symptom_after: str
    is_overdue: bool = False
    is_lapsed: bool = False
    """More reviews were owed than are remembered; this one was let go, and the story says so."""
    by: str | None = None
    at: datetime | None = None
    outcome: ReviewOutcome | None = None
    text: str = ""
    lessons: str = ""
    problem: str | None = None
    """The problem that follows up on it."""

    @property
    def is_open(self) -> bool:
        """Whether it is still owed."""
        return self.at is None and not self.is_lapsed
