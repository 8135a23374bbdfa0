"""Change policy as data, its four answers, and the word of people that it asks for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.model.reason import Reason


class Verdict(StrEnum):
    """Policy's four answers."""

    ALLOWED = "allowed"
    NEEDS_APPROVAL = "needs_approval"
    DEFERRED = "deferred"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Policy's answer with its reason and the rule that gave it."""

    verdict: Verdict
    reason: Reason
    text: str
    rule: str | None = None
    roles: tuple[str, ...] = ()
    approvals: int = 0
    until: datetime | None = None
    """For `deferred`: when it is worth judging again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's word, bound to the digest of exactly what may run."""

    by: str
    at: datetime
    role: str
    binding: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """One line of change policy; the first whose condition holds decides."""

    name: str
    when: str
    """A condition over change.*, service.*, incident.* and now."""
    verdict: Verdict
    roles: tuple[str, ...] = ()
    approvals: int = 1
    approval_expires: timedelta = timedelta(hours=8)
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Change policy as data. Nothing runs that no rule of it allows."""

    rules: tuple[PolicyRule, ...]
    digest: str
    concurrency_max: int = 4
    """Runs at once over the whole fleet; one target never has two."""
    windows_required: bool = False
    """Whether a normal change needs a permitting calendar window even when rules allow it."""
