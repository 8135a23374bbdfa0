"""Who may say what about changes: roles, the part of the map they are held for, and delegation.

Not here: what a word does (`core.policy.approvals`), or how somebody proves who they are (`web`).
"""

import re
from dataclasses import dataclass
from datetime import datetime

SCOPE = re.compile(r"^(system|owner|entity):[A-Za-z0-9][A-Za-z0-9._/:@-]{0,198}$")
"""`KIND:NAME`, the name as the map says it, or the whole reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """What somebody holds at one moment: roles, and for which part of the map.

    `scopes` are alternatives of the form `system:shop`, `owner:team-a` or `entity:web1`; none at
    all is the whole map. What cannot be matched covers nothing.
    """

    person: str
    """A stable identity: a person keeps it through new names, tokens and roles."""
    roles: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    delegation: str | None = None
    """By which delegation somebody else may speak with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """A person lets another one decide on changes in their place, for a time.

    It hands on what the giver holds at the moment of use and nothing more; what was handed on
    cannot be handed on again.
    """

    id: str
    by: str
    to: str
    starts_at: datetime
    ends_at: datetime
    scopes: tuple[str, ...] = ()
    """Narrows what is handed on; none: all that the giver may decide on."""
    note: str = ""
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it is in force: from its start on, before its end, not withdrawn."""
        return self.withdrawn_at is None and self.starts_at <= at < self.ends_at
