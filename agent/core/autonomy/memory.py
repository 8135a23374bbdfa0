"""What is remembered of rules and targets: plain data, bounded. Nothing here decides."""

from dataclasses import dataclass, field
from datetime import datetime

from agent.model.autonomy import Case, Mode
from agent.model.service import EntityRef

CASES_KEPT_MAX = 300
"""Of each rule the newest; the history keeps a line of every one."""
CASES_OPEN_MAX = 500
"""Over all rules; moments beyond it are not followed, and how many is remembered."""
STARTS_KEPT_MAX = 20
"""Of each target the newest."""
RULES_GONE_MAX = 500
"""Rules that are not in force any more and still remembered: they come back as they went."""
PROPOSALS_MAX = 20
"""An incident shows this many, the newest."""


@dataclass(slots=True, kw_only=True)
class Attempts:
    """When a remediation was started on a target, newest last, and whether its breaker is open."""

    started: list[datetime] = field(default_factory=list)
    failed: int = 0
    breaker_open: bool = False
    opened_at: datetime | None = None
    why: str = ""
    """What opened the breaker, in words."""


@dataclass(slots=True, kw_only=True)
class Start:
    """One start of a remediation on a target."""

    at: datetime
    change: str
    remediation: str
    by_rule: bool
    verified_at: datetime | None = None
    came_back: bool = False
    """Whether the same was wanted again soon after it had been verified."""


@dataclass(slots=True, kw_only=True)
class OpenCase:
    """A moment at which a rule acted or would have, of which the outcome is not known yet."""

    rule: str
    mode: Mode
    at: datetime
    entity: EntityRef
    trigger: str
    incident: str
    change: str | None = None
    is_run: bool = False
    verified_at: datetime | None = None
    cleared_at: datetime | None = None
    """Since when its alert has been gone."""
    is_disturbed: bool = False
    """Whether something else was started on the target meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A person's word that a rule of this text may go this far."""

    mode: Mode
    by: str
    role: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """How far a rule goes at most since it was demoted, and why."""

    mode: Mode
    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A rule or all of them only suggest until a person says otherwise."""

    at: datetime
    by: str
    why: str


@dataclass(slots=True, kw_only=True)
class Standing:
    """What one rule has shown, and how far it may go for that."""

    text: str
    """Digest of the rule and of the files that it plays: what was earned was earned by this."""
    text_since: datetime
    since: datetime
    """When its mode was set last: runs count from then."""
    signed: Signature | None = None
    ceiling: Ceiling | None = None
    halt: Halt | None = None
    """The breaker of the rule: it failed on many targets, or wanted to act on too many."""
    offered: Mode | None = None
    """The step that its score suffices for, where one waits for a signature."""
    cases: list[Case] = field(default_factory=list)
    wanted: dict[EntityRef, datetime] = field(default_factory=dict)
    """Targets that it wanted to act on of late, for the guard against bulk; bounded by it."""
    failed: dict[EntityRef, datetime] = field(default_factory=dict)
    """Targets where it failed since it last helped; bounded by the breaker."""


@dataclass(slots=True, kw_only=True)
class Autonomy:
    """All that is remembered of it."""

    rules: dict[str, Standing] = field(default_factory=dict)
    open: dict[str, OpenCase] = field(default_factory=dict)
    """By case id; bounded."""
    targets: dict[EntityRef, list[Start]] = field(default_factory=dict)
    proposed: dict[str, str] = field(default_factory=dict)
    """Fingerprint of a firing alert to the incident that shows proposals for it."""
    stopped: Halt | None = None
    case_count: int = 0
    uncounted: int = 0
    """Cases that were not followed, for there were too many at once."""
