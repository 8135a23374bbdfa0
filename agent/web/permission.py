"""Who may do what: roles are words that tokens carry, permissions are what a route asks for.

A role that is not in the table permits nothing by itself, but change policy may ask for it: an
approver who is also `dba` is a token with both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.runtime.tokens import TokenRecord


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
    DECIDE = "decide"
    """Say yes or no to a change. Policy says whether it counts: by role, scope, four eyes."""
    APPROVE = "approve"
    """Approve what is no change: how far a rule may go by itself."""
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
    Permission.DECIDE,
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
"""The permissions of each role. Operators may stand in for approvers who delegated to them: an
approval counts only if policy names a role that is held, or lent."""

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
    scopes: tuple[str, ...] = ()
    """For which part of the map the roles approve; none: all of it."""
    is_service: bool = False
    """Whether it is a tool and no person."""

    @classmethod
    def of(cls, record: TokenRecord) -> "Identity":
        """Whom a token speaks for: a person is one however many tokens they hold."""
        return cls(
            name=record.identity,
            roles=record.roles,
            permissions=permissions_of(record.roles),
            source=record.source,
            scopes=record.scopes,
            is_service=record.is_service,
        )


def permissions_of(roles: tuple[str, ...]) -> frozenset[Permission]:
    """The union of what the roles permit."""
    return frozenset[Permission]().union(*(ROLES.get(role, frozenset()) for role in roles))


ANONYMOUS = Identity(name="anonymous", roles=(), permissions=WITHOUT_TOKEN, is_anonymous=True)
NOBODY = Identity(name="nobody", roles=(), permissions=frozenset(), is_anonymous=True)
