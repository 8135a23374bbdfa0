"""What flaps in an incident, for whoever shows it."""

from dataclasses import dataclass
from datetime import datetime

from agent.core.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Flapping:
    """An alert that fires and clears again and again; its incident holds it as one."""

    alert: str
    """Its fingerprint."""
    name: str
    since: datetime
    changes: int
    """Changes of state, the ones that made it flapping included."""
    changed_at: tuple[datetime, ...]
    """The last of them."""


def flapping_of(state: State, incident: str) -> tuple[Flapping, ...]:
    """What flaps in an incident."""
    members = state.members.get(incident)
    found = ((name, state.flaps[name]) for name in (members.flapping if members else ()))
    return tuple(
        Flapping(
            alert=name,
            name=flap.label,
            since=flap.since,
            changes=flap.changes,
            changed_at=tuple(flap.changed_at),
        )
        for name, flap in found
        if flap.since is not None
    )
