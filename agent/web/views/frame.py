"""What surrounds every page: navigation, who looks, what they may do, and what it listens for."""

from dataclasses import dataclass

from agent.model.change import ChangeState
from agent.model.incident import IncidentState
from agent.web.permission import Identity, Permission
from agent.web.views.words import Moment, counted

NOTICES = {
    "acknowledged": "Acknowledged: response has begun.",
    "resting": "Acknowledged: nobody is told again until it is clear, or worse.",
    "assigned": "It is yours.",
    "commented": "Comment added.",
    "merged": "Merged.",
    "split": "Split off: this is the new incident.",
    "moved": "Moved.",
    "unrelated": "Noted: it is unrelated, and has left.",
    "resolved": "Noted: service is restored.",
    "confirmed": "Cause confirmed.",
    "suspected": "Noted: that change led to this.",
    "dismissed": "Noted: that change has nothing to do with this.",
    "problem-moved": "Moved.",
    "known": "Recorded: new incidents of it open with what helps.",
    "planned": "Fix linked.",
    "approved": "Approved.",
    "stopped": "No rule starts anything from now on.",
    "resumed": "Rules go as far as they may again.",
    "reset": "Automation may try again there.",
    "promoted": "Signed.",
    "demoted": "Lowered.",
    "taken": "It is your request now.",
    "rejected": "Rejected: it will not run.",
    "answered": "Answered.",
    "reviewed": "Review recorded.",
    "reconciled": "Reconciled.",
    "withdrawn": "Your approval is taken back.",
    "cancelled": "Stopped.",
    "silenced": "Silence added.",
    "expired": "Silence ended.",
    "signed-out": "Signed out.",
}
"""What a page says after a form was sent; the address carries the word only."""

AWAITING = f"/changes?state={ChangeState.AWAITING_APPROVAL}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """One entry of the navigation."""

    text: str
    href: str
    current: bool
    count: int = 0
    count_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Can:
    """What the one who looks may do; a form that would be refused is not shown."""

    respond: bool
    approve: bool
    decide: bool
    cancel: bool
    silence: bool
    request: bool

    @classmethod
    def of(cls, identity: Identity) -> "Can":
        """What these permissions allow."""
        held = identity.permissions
        return cls(
            respond=Permission.RESPOND in held,
            approve=Permission.APPROVE in held,
            decide=Permission.DECIDE in held,
            cancel=Permission.CANCEL in held,
            silence=Permission.SILENCE in held,
            request=Permission.REQUEST in held,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Everything around the middle of a page."""

    title: str
    section: str
    path: str
    user: str
    """Empty where nobody has signed in."""
    roles: str
    can: Can
    csrf: str
    nav: tuple[NavItem, ...]
    topics: tuple[str, ...]
    """What the page wants to hear of; empty for one that stands still."""
    announce: str
    """What a screen reader hears when it changes."""
    notice: str
    as_of: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the navigation counts."""

    incidents: int
    approvals: int


def navigation(section: str, waiting: Waiting) -> tuple[NavItem, ...]:
    """The main navigation with what waits for somebody."""
    open_words = counted(waiting.incidents, f"{IncidentState.OPEN} incident")
    approval_words = f"{counted(waiting.approvals, 'change')} waiting for approval"
    items = (
        ("Services", "/", "services", 0, ""),
        ("Incidents", "/incidents", "incidents", waiting.incidents, open_words),
        ("Changes", "/changes", "changes", 0, ""),
        ("Approvals", AWAITING, "approvals", waiting.approvals, approval_words),
        ("Autonomy", "/autonomy", "autonomy", 0, ""),
        ("Board", "/cab", "cab", 0, ""),
        ("Problems", "/problems", "problems", 0, ""),
        ("Silences", "/silences", "silences", 0, ""),
    )
    return tuple(
        NavItem(text=text, href=href, current=name == section, count=count, count_words=words)
        for text, href, name, count, words in items
    )
