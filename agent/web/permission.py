"""Who may do what: roles are words that tokens carry, permissions are what a route asks for.

A role that is not in the table permits nothing by itself, but change policy may ask for it: an
approver who is also `dba` is a token with both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What a route asks for."""

    READ = "read"
    INTAKE = "intake"
    """Say that something fires, or has ended."""
    SILENCE = "silence"
    RESPOND = "respond"
    """Acknowledge, assign, comment on and resolve incidents; correct what belongs together, and
    confirm causes."""
    REQUEST = "request"
    """Ask for a change; policy judges it as any other."""
    APPROVE = "approve"
    CANCEL = "cancel"
    ADMIN = "admin"
    """Make and remove tokens."""


_VIEW = frozenset({Permission.READ})
_OPERATE = _VIEW | {
    Permission.INTAKE,
    Permission.SILENCE,
    Permission.RESPOND,
    Permission.REQUEST,
    Permission.CANCEL,
}
_APPROVE = _OPERATE | {Permission.APPROVE}

ROLES: Mapping[str, frozenset[Permission]] = {
    "sender": frozenset({Permission.INTAKE}),
    "viewer": _VIEW,
    "operator": _OPERATE,
    "approver": _APPROVE,
    "sre": _APPROVE,
    "admin": frozenset(Permission),
}
"""The permissions of each role. An approval counts only if policy also names one of the roles."""

WITHOUT_TOKEN = frozenset({Permission.READ, Permission.INTAKE})
"""What needs no token on a loopback address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks: the name that the timeline says, and the roles held at this moment."""

    name: str
    roles: tuple[str, ...]
    permissions: frozenset[Permission]
    is_anonymous: bool = False
    source: str | None = None
    """The one source that it may speak for; None where it is bound to none."""

    @classmethod
    def of(cls, name: str, roles: tuple[str, ...], source: str | None = None) -> "Identity":
        """The identity that these roles give."""
        return cls(name=name, roles=roles, permissions=permissions_of(roles), source=source)


def permissions_of(roles: tuple[str, ...]) -> frozenset[Permission]:
    """The union of what the roles permit."""
    return frozenset[Permission]().union(*(ROLES.get(role, frozenset()) for role in roles))


ANONYMOUS = Identity(name="anonymous", roles=(), permissions=WITHOUT_TOKEN, is_anonymous=True)
NOBODY = Identity(name="nobody", roles=(), permissions=frozenset(), is_anonymous=True)
