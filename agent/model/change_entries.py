"""What people say about changes that were asked for; each is an entry of its own."""

from dataclasses import dataclass
from datetime import datetime

from agent.model.change import Closure
from agent.model.duty import ReviewOutcome
from agent.model.people import Authority


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGiven:
    """A person approved exactly what `binding` names; `roles` are those held at that moment."""

    change: str
    binding: str
    by: str
    roles: tuple[str, ...]
    note: str = ""
    scopes: tuple[str, ...] = ()
    """For which part of the map the roles are held; none: all of it."""
    is_service: bool = False
    """Whether it was a tool and no person."""
    lent: tuple[Authority, ...] = ()
    """What those hold at this moment who delegated to this person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRejected:
    """A person refused a change."""

    change: str
    by: str
    roles: tuple[str, ...]
    note: str = ""
    scopes: tuple[str, ...] = ()
    is_service: bool = False
    lent: tuple[Authority, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalWithdrawn:
    """A person took their own approval back before the change started."""

    change: str
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationGiven:
    """A person lets another decide in their place; `roles` are those the giver holds now."""

    by: str
    to: str
    roles: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    scopes: tuple[str, ...] = ()
    is_service: bool = False
    """Whether giver or receiver is no person: then it is refused."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationWithdrawn:
    """The giver, or an administrator, ended a delegation early."""

    delegation: str
    by: str
    is_admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetroDecided:
    """A person answered afterwards for an emergency change that ran."""

    change: str
    approves: bool
    by: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    is_service: bool = False
    lent: tuple[Authority, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReviewed:
    """A person looked back at a change that is over."""

    change: str
    by: str
    outcome: ReviewOutcome
    text: str
    lessons: str = ""
    problem: str | None = None
    is_service: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReconciled:
    """A person found out what a change of unknown outcome did."""

    change: str
    by: str
    closure: Closure
    note: str
    is_service: bool = False
